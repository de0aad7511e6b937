"""Writes notes: each page has fields, each note an id, and `title` is unique on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from airflow_reverse_etl.destinations.base import SyncHook, base_url
from airflow_reverse_etl.destinations.rest import Bearer, Rest
from airflow_reverse_etl.errors import ConfigurationError, RetryableError, UnknownOutcomeError
from airflow_reverse_etl.model import (
    Batch,
    Capabilities,
    JobType,
    KeyForm,
    Limits,
    RecordOutcome,
    Status,
    Target,
    rejected,
    succeeded,
)

ID = "id"


class NotebookSyncHook(SyncHook):
    """Notes in, outcomes out."""

    default_conn_name = "notebook_default"
    conn_type = "notebook"
    hook_name = "Notebook"
    default_key = ID
    capabilities = Capabilities(job_types=frozenset(JobType), call=Limits(records=50), concurrency=3)

    @cached_property
    def rest(self) -> Rest:
        """The notebook's API."""
        url = base_url(self.connection.host, "https://notebook.example")
        return Rest(url, Bearer(self.connection.password or ""), self.slot, name="Notebook")

    def who_am_i(self) -> str:
        """Name the notebook."""
        return f"the notebook of {self._about()['owner']}"

    def check(self, target: Target, job_types: Sequence[JobType], fields: Sequence[str]) -> Target:
        """Look whether page and fields are there."""
        about = self._about()
        if target.object not in about["pages"]:
            raise ConfigurationError(f"the notebook has no page {target.object!r}; it has {', '.join(about['pages'])}")
        known = {name.lower(): name for name in (ID, *about["pages"][target.object])}
        wanted = [*fields, *([target.key] if target.key else [])]
        unknown = [name for name in dict.fromkeys(wanted) if name.lower() not in known]
        if unknown:
            raise ConfigurationError(f"notes have no field {', '.join(unknown)}; they have {', '.join(known.values())}")
        names = {name: known[name.lower()] for name in wanted}
        key = names[target.key] if target.key else ID
        return replace(
            target, key=key, account=about["owner"], key_form=KeyForm(), key_is_written=key != ID, names=names
        )

    def create(self, batch: Batch) -> list[RecordOutcome]:
        """Add notes."""
        return self._write(batch)

    def update(self, batch: Batch) -> list[RecordOutcome]:
        """Change notes."""
        return self._write(batch)

    def upsert(self, batch: Batch) -> list[RecordOutcome]:
        """Add or change notes."""
        return self._write(batch)

    def delete(self, batch: Batch) -> list[RecordOutcome]:
        """Tear notes out."""
        return self._write(batch)

    def _about(self) -> dict[str, Any]:
        body = self.rest.read("GET", "about").body
        if not isinstance(body, dict) or "owner" not in body:
            raise RetryableError("the notebook does not say whose it is")
        return body

    def _write(self, batch: Batch) -> list[RecordOutcome]:
        outcomes: dict[str, RecordOutcome] = {}
        notes = []
        for key, record in zip(batch.keys, batch.records(), strict=True):
            bad = next((name for name, value in record.items() if isinstance(value, bytes)), None)
            if bad:
                outcomes[key] = rejected(key, "CANNOT_ENCODE", f"{bad} takes text, not bytes", (bad,))
            else:
                fields = {name: None if value in ("", None) else str(value) for name, value in record.items()}
                notes.append({"key": key, "fields": fields})
        if notes:
            body = {"key": batch.target.key, "notes": notes}
            path = f"pages/{batch.target.object}/{batch.operation.value}"
            outcomes |= self._read(self.rest.write("POST", path, json_body=body).body, len(notes))
        silent = [RecordOutcome(key, Status.UNKNOWN) for key in batch.keys]
        return [outcomes.get(outcome.key, outcome) for outcome in silent]

    def _read(self, body: Any, sent: int) -> dict[str, RecordOutcome]:
        if not isinstance(body, dict) or "results" not in body:
            raise UnknownOutcomeError(f"the notebook says nothing of {sent} notes")
        return {
            item["key"]: rejected(item["key"], item["code"], item["why"], tuple(item.get("fields", ())))
            if item.get("code")
            else succeeded(item["key"], item.get("id"))
            for item in body["results"]
        }
