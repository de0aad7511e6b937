"""Batches as the engine makes them, for the tests of the Salesforce hook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from airflow_reverse_etl.model import Batch, JobType, RecordOutcome, Target

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.hook import SalesforceSyncHook

Rows = Mapping[str, Mapping[str, Any]]
"""key -> field -> value"""


def run_batch(
    hook: SalesforceSyncHook,
    job: str,
    object: str,
    rows: Rows,
    *,
    key: str | None,
    options: Mapping[str, Any],
) -> list[RecordOutcome]:
    """Check a target and send one batch to it."""
    job_type = JobType(job)
    fields = list(dict.fromkeys(name for row in rows.values() for name in row))
    asked = [*fields, key] if key and job_type in (JobType.CREATE, JobType.UPSERT) else fields
    target = hook.check(Target("salesforce", object, key, options), [job_type], asked)
    return list(hook.send(make_batch(job_type, target, rows, fields)))


def make_batch(job_type: JobType, target: Target, rows: Rows, fields: Sequence[str]) -> Batch:
    """Return rows as a batch: the keys, then the fields under the application's names, the written key among them."""
    columns: dict[str, list[Any]] = {"key": list(rows)}
    if target.key_is_written and target.key and job_type in (JobType.CREATE, JobType.UPSERT):
        columns[target.key] = list(rows)
    columns |= {target.name_of(name): [row.get(name) for row in rows.values()] for name in fields}
    arrays = [pa.array(values) for values in columns.values()]
    return Batch(job_type, target, pa.table(arrays, names=list(columns)))
