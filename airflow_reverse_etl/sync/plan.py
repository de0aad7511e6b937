"""What is new, changed, gone or invalid: stage against state, and the plan as a file in the order of work."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import Batch, JobType, Settings, Target
from airflow_reverse_etl.sync.mapping import Mapped
from airflow_reverse_etl.sync.stage import Stage, Staged, parquet

ALWAYS_ALLOWED = 10
"""Removals that `max_missing` never stops."""

ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Plan:
    """What a run will send.

    :param path: Parquet: `operation`, `key`, `k`, `fingerprint`, then the destination fields `f0`, `f1`, ...
    :param planned: records by operation.
    :param stopped_by: why nothing of it may be sent: `on_missing` would remove more than `max_missing` allows.
    """

    path: Path
    planned: dict[JobType, int]
    rows: int
    missing: int
    invalid: int
    unchanged: int
    held: int
    fields: tuple[pa.Field, ...]
    skip_nulls: frozenset[str]
    why_nothing_removed: str = ""
    stopped_by: ConfigurationError | None = None


def removal(settings: Settings) -> JobType | None:
    """Return the operation that `on_missing` asks for."""
    return {"delete": JobType.DELETE, "clear": JobType.UPDATE}.get(settings.on_missing)


def make(stage: Stage, staged: Staged, mapped: Mapped, settings: Settings, *, fresh: bool) -> Plan:
    """Compare `staged` with `state` and write the plan.

    :param fresh: there is no state for this target yet.
    """
    stage.sql.execute(f"CREATE TABLE planned AS {_planned_sql(settings)}")
    fates = dict(stage.sql.execute("SELECT fate, count(*) FROM planned GROUP BY fate").fetchall())
    why = _why_nothing_removed(staged, settings, fresh=fresh)
    operation = removal(settings)
    stage.sql.execute(_missing_sql(nothing=not operation or bool(why)))
    missing = int(stage.one("SELECT count(*) FROM missing"))
    known = int(stage.one("SELECT count(*) FROM state"))
    path = stage.folder / "plan.parquet"
    parquet(stage, _plan_sql(staged, settings, operation or JobType.DELETE), path)
    planned = dict.fromkeys(JobType, 0)
    planned[settings.job_type] += fates.get("send", 0)
    if operation:
        planned[operation] += missing
    return Plan(
        path=path,
        planned=planned,
        rows=staged.rows,
        missing=missing,
        invalid=fates.get("invalid", 0),
        unchanged=fates.get("unchanged", 0),
        held=fates.get("held", 0),
        fields=staged.fields,
        skip_nulls=frozenset(source.field for source in mapped.sources if source.nulls == "skip"),
        why_nothing_removed=why,
        stopped_by=_too_many(missing, known, settings),
    )


def _planned_sql(settings: Settings) -> str:
    """Return SQL that gives every staged row its fate: send, unchanged, held or invalid."""
    same = {
        JobType.UPSERT: "state.status = 'ok' AND state.fingerprint = staged.fingerprint",
        JobType.UPDATE: "state.status = 'ok' AND state.fingerprint = staged.fingerprint",
        JobType.CREATE: "state.status = 'ok'",
        JobType.DELETE: "state.status = 'ok'",
    }[settings.job_type]
    unchanged = same if settings.changes_only else "false"
    held = "state.status = 'unknown'" if settings.on_unknown == "hold" else "false"
    return f"""
        SELECT staged.rowid AS n,
               CASE WHEN staged.problem IS NOT NULL THEN 'invalid' WHEN {held} THEN 'held'
                    WHEN {unchanged} THEN 'unchanged' ELSE 'send' END AS fate
        FROM staged LEFT JOIN state ON state.k = staged.k
    """


def _missing_sql(*, nothing: bool = False) -> str:
    only = "WHERE false" if nothing else "WHERE status = 'ok' AND k NOT IN (SELECT k FROM staged WHERE k IS NOT NULL)"
    return f"CREATE TABLE missing AS SELECT key, k FROM state {only}"


def _why_nothing_removed(staged: Staged, settings: Settings, *, fresh: bool) -> str:
    if settings.on_missing == "ignore":
        return ""
    if fresh:
        return "nothing is removed on the first run: there is no earlier one to compare with"
    if staged.empty_keys:
        return f"nothing is removed: {staged.empty_keys} rows have an empty key, and could be any record"
    return ""


def _too_many(missing: int, known: int, settings: Settings) -> ConfigurationError | None:
    allowed = settings.max_missing
    most = max(ALWAYS_ALLOWED, allowed if isinstance(allowed, int) else math.floor(allowed * known))
    if missing <= most:
        return None
    return ConfigurationError(
        f"{missing:,} of {known:,} records that this sync wrote are in no row of the query any more, and `max_missing` "
        f"allows {most:,}: nothing was sent. If the query reads only what changed, `on_missing` must stay 'ignore'; "
        f"if they are really gone, raise `max_missing` for one run"
    )


def _plan_sql(staged: Staged, settings: Settings, operation: JobType) -> str:
    count = range(len(staged.fields))
    values = "".join(f", f{i}" for i in count)
    empty = "".join(f", NULL AS f{i}" for i in count)
    return f"""
        SELECT 0 AS part, staged.rowid AS n, '{settings.job_type.value}' AS operation, key, k, fingerprint{values}
        FROM staged JOIN planned ON planned.n = staged.rowid WHERE fate = 'send'
        UNION ALL
        SELECT 1, rowid, '{operation.value}', key, k, NULL{empty} FROM missing
        ORDER BY part, n
    """


def batches(plan: Plan, target: Target, size: int, *, operation: JobType, removing: bool) -> Iterator[Batch]:
    """Read the part of the plan that has this operation, in batches of at most `size` records.

    :param removing: the part that `on_missing` added: a delete has no fields, a clear has NULL in each.
    """
    part = 1 if removing else 0
    fields = [] if operation is JobType.DELETE else list(plan.fields)
    if removing:
        fields = [field for field in fields if field.name != target.key]
    columns = [f"f{plan.fields.index(field)}" for field in fields]
    schema = pa.schema([pa.field("", pa.string()), *fields])
    skip = frozenset() if removing else plan.skip_nulls
    for number, table in enumerate(_tables(plan.path, ["part", "key", *columns], part, size), start=1):
        written = pa.table(
            [column.cast(f.type) for column, f in zip(table.columns, schema, strict=True)], schema=schema
        )
        yield Batch(operation, target, written, skip, number)


def _tables(path: Path, columns: Sequence[str], part: int, size: int) -> Iterator[pa.Table]:
    """Cut one part of the plan into tables of `size` rows; the reader's own batches end where row groups do."""
    waiting: list[pa.Table] = []
    for read in pq.ParquetFile(path).iter_batches(batch_size=max(size, ROWS_AT_ONCE), columns=list(columns)):
        table = pa.Table.from_batches([read])
        table = table.filter(pc.equal(table["part"], part)).drop_columns(["part"])
        joined = pa.concat_tables([*waiting, table])
        cuts = range(0, joined.num_rows - joined.num_rows % size + 1, size)
        yield from (joined.slice(start, end - start) for start, end in pairwise(cuts))
        waiting = [joined.slice(cuts[-1])]
    if waiting and waiting[0].num_rows:
        yield waiting[0]
