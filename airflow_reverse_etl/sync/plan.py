"""What is new, changed, gone or invalid: stage against state, and the plan as a file in the order of work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import Batch, JobType, Settings, Target, share_of
from airflow_reverse_etl.sync import values
from airflow_reverse_etl.sync.mapping import Mapped
from airflow_reverse_etl.sync.stage import Stage, Staged

ALWAYS_ALLOWED = 10
"""Removals that `max_missing` never stops."""


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
    _write(stage, staged, settings, operation or JobType.DELETE, path)
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
        JobType.CREATE: "state.status IN ('ok', 'cleared')",
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
    if staged.without_key:
        return f"nothing is removed: {staged.without_key} rows have an empty key or none, and could be any record"
    return ""


def _too_many(missing: int, known: int, settings: Settings) -> ConfigurationError | None:
    allowed = settings.max_missing
    most = max(ALWAYS_ALLOWED, share_of(allowed, known))
    if missing <= most:
        return None
    return ConfigurationError(
        f"{missing:,} of {known:,} records that this sync wrote are in no row of the query any more, and `max_missing` "
        f"allows {most:,}: nothing was sent. If the query reads only what changed, `on_missing` must stay 'ignore'; "
        f"if they are really gone, raise `max_missing` for one run"
    )


HEAD = [
    ("part", pa.int8()),
    ("operation", pa.string()),
    ("key", pa.string()),
    ("k", pa.string()),
    ("fingerprint", pa.string()),
]
"""The columns of a plan before those of the values."""


def _write(stage: Stage, staged: Staged, settings: Settings, removing: JobType, path: Path) -> None:
    """Write the plan: first the rows to send, in the order of the query, then the removals."""
    schema = pa.schema([*HEAD, *(pa.field(f"f{i}", field.type) for i, field in enumerate(staged.fields))])
    file = values.Writer(path, schema)
    heads = stage.stream("""
        SELECT staged.rowid AS n, key, k, CAST(fingerprint AS VARCHAR) AS fingerprint
        FROM staged JOIN planned ON planned.n = staged.rowid WHERE fate = 'send' ORDER BY n
    """)
    pieces = values.beside(staged.values, heads) if staged.fields else ((head, pa.table({})) for head in heads)
    for head, table in pieces:
        file.write(_batch(0, settings.job_type, head, table.columns, schema))
    for head in stage.stream("SELECT rowid AS n, key, k, CAST(NULL AS VARCHAR) AS fingerprint FROM missing ORDER BY n"):
        empty = [pa.nulls(len(head), field.type) for field in staged.fields]
        file.write(_batch(1, removing, head, empty, schema))
    file.close()


def _batch(part: int, operation: JobType, head: pa.Table, columns: Sequence[Any], schema: pa.Schema) -> pa.RecordBatch:
    count = len(head)
    fixed = [pa.array([part] * count, pa.int8()), pa.array([operation.value] * count, pa.string())]
    whole = pa.table([*fixed, head["key"], head["k"], head["fingerprint"], *columns], schema=schema)
    return whole.combine_chunks().to_batches()[0]


def batches(
    plan: Plan, target: Target, size: int, *, operation: JobType, removing: bool, numbers: Iterator[int]
) -> Iterator[Batch]:
    """Read the part of the plan that has this operation, in batches of at most `size` records.

    :param numbers: gives each batch of the run a number of its own.
    :param removing: the part that `on_missing` added: a delete has no fields, a clear has NULL in each.
    """
    part = 1 if removing else 0
    fields = [] if operation is JobType.DELETE else list(plan.fields)
    if removing:
        fields = [field for field in fields if field.name != target.key]
    columns = [f"f{plan.fields.index(field)}" for field in fields]
    schema = pa.schema([pa.field("", pa.string()), *fields])
    skip = frozenset() if removing else plan.skip_nulls
    for table in _tables(plan.path, ["part", "key", *columns], part, size):
        yield Batch(operation, target, pa.table(table.columns, schema=schema), skip, next(numbers))


def _tables(path: Path, columns: Sequence[str], part: int, size: int) -> Iterator[pa.Table]:
    """Cut one part of the plan into tables of `size` rows; row groups end elsewhere."""
    waiting: list[pa.Table] = []
    for table in values.read(path, list(columns)):
        mine = table.filter(pc.equal(table["part"], part)).drop_columns(["part"])
        joined = pa.concat_tables([*waiting, mine])
        cuts = range(0, joined.num_rows - joined.num_rows % size + 1, size)
        yield from (joined.slice(start, end - start) for start, end in pairwise(cuts))
        waiting = [joined.slice(cuts[-1])]
    if waiting and waiting[0].num_rows:
        yield waiting[0]
