"""Sends every record but the last of a batch, and says nothing of that one."""

from __future__ import annotations

from airflow_reverse_etl.destinations.notebook.hook import NotebookSyncHook
from airflow_reverse_etl.model import Batch, RecordOutcome


class ForgetfulSyncHook(NotebookSyncHook):
    """Returns too few outcomes."""

    default_conn_name = "forgetful_default"
    conn_type = "forgetful"
    hook_name = "Forgetful notebook"

    def _write(self, batch: Batch) -> list[RecordOutcome]:
        return super()._write(batch.slice(0, len(batch) - 1))
