"""What Airflow and the parameter check must know of Google Sheets before anything of it is loaded: data only."""

from __future__ import annotations

CONNECTION = {
    "connection-type": "google_sheets",
    "hook-class-name": "airflow_reverse_etl.destinations.google_sheets.hook.GoogleSheetsSyncHook",
    "hook-name": "Google Sheets",
    "ui-field-behaviour": {
        "hidden-fields": ["login", "password", "port", "schema", "extra"],
        "relabeling": {"host": "Base URL"},
        "placeholders": {"host": "https://sheets.googleapis.com"},
    },
    "conn-fields": {
        "keyfile_dict": {
            "label": "Service account key (JSON)",
            "description": "The whole content of the key file. Share the spreadsheet with its client_email.",
            "schema": {"type": ["string", "null"], "format": "password"},
        },
        "key_path": {
            "label": "Service account key file",
            "description": "Path of the key file on the workers. Without both, the worker's default credentials.",
            "schema": {"type": ["string", "null"]},
        },
    },
}
"""The connection type, as Airflow's provider information takes it."""

OPTIONS = {
    # The id in the spreadsheet's address, or the whole address. Required.
    "spreadsheet_id": "text",
    # Fields without a column: "extend" appends columns at the right, "strict" is an error.
    "header": ("extend", "strict"),
    # Make the tab if it is missing; without it that is an error.
    "create_tab": "flag",
    # "raw" stores values as they are; "user_entered" as if typed, with text that begins like a formula kept text.
    "input": ("raw", "user_entered"),
    # Zone in which instants are shown, an IANA name; the spreadsheet's own without it.
    "timezone": "zone",
}
"""What `options=` takes."""

REQUIRED_OPTIONS = ("spreadsheet_id",)

DEFAULT_KEY_IS_WRITTEN = True
"""The default key is the first header: an ordinary column."""
