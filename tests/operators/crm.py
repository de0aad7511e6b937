"""An application of somebody else's, reached by the dotted path of its hook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from airflow_reverse_etl.destinations.base import SyncHook
from airflow_reverse_etl.model import Batch, Capabilities, JobType, Limits, RecordOutcome, Target, rejected, succeeded


class CrmHook(SyncHook):
    """Keeps records in memory; refuses those whose `name` is `bad`."""

    default_conn_name = "crm_default"
    capabilities = Capabilities(job_types=frozenset({JobType.UPSERT}), call=Limits(records=10))
    records: ClassVar[dict[str, dict[str, Any]]] = {}

    def check(self, target: Target, job_types: Sequence[JobType], fields: Sequence[str]) -> Target:
        return replace(target, account="crm")

    def upsert(self, batch: Batch) -> list[RecordOutcome]:
        with self.slot():
            return [self._one(key, record) for key, record in zip(batch.keys, batch.records(), strict=True)]

    def _one(self, key: str, record: dict[str, Any]) -> RecordOutcome:
        if record.get("name") == "bad":
            return rejected(key, "BAD_NAME", f"'{record['name']}' is no name", ("name",))
        self.records[key] = record
        return succeeded(key)
