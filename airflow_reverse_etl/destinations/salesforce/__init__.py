"""What Airflow and the parameter check must know of Salesforce before anything of it is loaded: data only."""

from __future__ import annotations

CONNECTION = {
    "connection-type": "salesforce",
    "hook-class-name": "airflow_reverse_etl.destinations.salesforce.hook.SalesforceSyncHook",
    "hook-name": "Salesforce",
    "registered-by": "apache-airflow-providers-salesforce",
}
"""The type belongs to Airflow's own Salesforce provider, whose connections work here as they are."""

OPTIONS = {
    # Save records although a duplicate rule that only warns objects to them; without it they are DUPLICATES_DETECTED.
    "allow_duplicates": "flag",
    # Let the active assignment rule choose the owner of new leads and cases; without it the owner stays as written.
    "assignment_rules": "flag",
    # The zone of timestamps that have none, as an IANA name such as "Europe/Berlin"; UTC without it.
    "timezone": "zone",
}

DEFAULT_KEY_IS_WRITTEN = False
"""The default key is the record's `Id`, which Salesforce gives."""
