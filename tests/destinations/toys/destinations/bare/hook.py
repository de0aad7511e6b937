"""The notebook's hook under another name."""

from __future__ import annotations

from airflow_reverse_etl.destinations.notebook.hook import NotebookSyncHook


class BareSyncHook(NotebookSyncHook):
    """Works as the notebook's does."""

    default_conn_name = "bare_default"
    conn_type = "bare"
    hook_name = "Bare notebook"
