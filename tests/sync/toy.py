"""An application in memory with the manners of the real ones, to see the engine alone."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from airflow_reverse_etl.errors import BatchRejectedError
from airflow_reverse_etl.model import (
    Batch,
    Capabilities,
    JobType,
    KeyForm,
    Limitations,
    Limits,
    Pace,
    RecordOutcome,
    Settings,
    Target,
    rejected,
    succeeded,
)
from airflow_reverse_etl.parameters import validate
from airflow_reverse_etl.sync.run import Ended, Sync

Fault = Callable[[Batch], Sequence[RecordOutcome] | None]


class Toy:
    """Holds records by key; `faults` are called in turn before a batch is applied: they raise, or answer instead."""

    capabilities = Capabilities(job_types=frozenset(JobType), call=Limits(records=100), concurrency=4)

    def __init__(self, *, key_form: KeyForm | None = None, account: str = "toy-1", key_is_written: bool = True) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.created: Counter[str] = Counter()
        self.batches: list[tuple[str, list[str]]] = []
        self.faults: list[Fault] = []
        self.refuse: Callable[[str, dict[str, Any]], str | None] = lambda key, record: None
        self.calls = 0
        self.pace: Pace | None = None
        self.account = account
        self.key_form = key_form or KeyForm()
        self.key_is_written = key_is_written
        self.checked: list[tuple[Target, list[JobType], list[str]]] = []
        self._lock = threading.Lock()

    def check(self, target: Target, job_types: Sequence[JobType], fields: Sequence[str]) -> Target:
        self.checked.append((target, list(job_types), list(fields)))
        key = target.key or (None if JobType.CREATE in job_types else "id")
        return replace(
            target, key=key, account=self.account, key_form=self.key_form, key_is_written=self.key_is_written
        )

    def send(self, batch: Batch) -> Sequence[RecordOutcome]:
        with self.pace.slot() if self.pace else nullcontext(), self._lock:
            self.calls += 1
            self.batches.append((batch.operation.value, batch.keys))
            fault = self.faults.pop(0) if self.faults else None
            answer = fault(batch) if fault else None
            return answer if answer is not None else self.apply(batch)

    def apply(self, batch: Batch) -> list[RecordOutcome]:
        """Write the records, as the application does when nothing goes wrong."""
        return [
            self._write(batch.operation, key, record) for key, record in zip(batch.keys, batch.records(), strict=True)
        ]

    def _write(self, operation: JobType, key: str, record: dict[str, Any]) -> RecordOutcome:
        reason = self.refuse(key, record)
        if reason:
            return rejected(key, reason, f"the value is refused: {record}")
        if operation is JobType.DELETE:
            self.records.pop(key, None)
            return succeeded(key)
        if operation is JobType.UPDATE and key not in self.records:
            return rejected(key, "NOT_FOUND", "no such record")
        if operation is JobType.CREATE:
            self.created[key] += 1
        self.records.setdefault(key, {}).update(record)
        return succeeded(key, f"id-{key}")


def poison(*keys: str) -> Fault:
    """Refuse a batch as a whole while one of these keys is in it, without saying which."""

    def fault(batch: Batch) -> None:
        if set(keys) & set(batch.keys):
            message = "something in this batch is wrong"
            raise BatchRejectedError(message, code="POISON")

    return fault


class Table:
    """Rows of a query that are there already."""

    def __init__(self, table: pa.Table, size: int = 7) -> None:
        self.schema = table.schema
        self._table = table
        self._size = size

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from self._table.to_batches(max_chunksize=self._size)


def table(rows: Sequence[dict[str, Any]] | pa.Table, schema: pa.Schema | None = None) -> pa.Table:
    """Return rows as an Arrow table."""
    return rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(list(rows), schema=schema)


def settings(**parameters: Any) -> Settings:
    """Return checked settings: an upsert by `id` unless said otherwise."""
    values = {"destination": "toy", "object": "thing", "job_type": "upsert", "key": "id", "sync_id": "dag.task"}
    written = parameters.get("destination") == "google_sheets"
    checked = validate({**values, **parameters}, default_key_is_written=written)
    assert checked is not None
    return checked


def run(
    toy: Toy,
    rows: Sequence[dict[str, Any]] | pa.Table,
    store: Path,
    *,
    run: str = "run-1",
    max_wait: float = 60,
    log: list[str] | None = None,
    **parameters: Any,
) -> Ended:
    """Run one sync of these rows."""
    sync = Sync(
        settings=settings(**parameters),
        query=lambda: nullcontext(Table(table(rows))),
        destination=toy,
        store=store,
        run=run,
        limits=Limitations(max_wait=max_wait),
        log=(log if log is not None else []).append,
    )
    return sync.execute()
