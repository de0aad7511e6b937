"""A notebook whose hook forgets records: it breaks the contract."""

from __future__ import annotations

CONNECTION = {
    "connection-type": "forgetful",
    "hook-class-name": "airflow_reverse_etl.destinations.forgetful.hook.ForgetfulSyncHook",
    "hook-name": "Forgetful notebook",
    "ui-field-behaviour": {"relabeling": {"password": "Token", "host": "Base URL"}},
    "conn-fields": {},
}

OPTIONS = {"timezone": "zone"}

DEFAULT_KEY_IS_WRITTEN = False
