"""A notebook as a destination: small, and it keeps the contract."""

from __future__ import annotations

CONNECTION = {
    "connection-type": "notebook",
    "hook-class-name": "airflow_reverse_etl.destinations.notebook.hook.NotebookSyncHook",
    "hook-name": "Notebook",
    "ui-field-behaviour": {
        "hidden-fields": ["login", "port", "schema", "extra"],
        "relabeling": {"password": "Token", "host": "Base URL"},
    },
    "conn-fields": {},
}

OPTIONS = {"timezone": "zone", "ink": ("blue", "black"), "neatly": "flag", "margin": "number"}

DEFAULT_KEY_IS_WRITTEN = False
