"""Rows at rest: one DuckDB database on local disk, where a row never becomes a Python object before it must be sent."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import KIND, Limitations, Rows, Target
from airflow_reverse_etl.sync import canonical, values
from airflow_reverse_etl.sync.canonical import Kind, quoted
from airflow_reverse_etl.sync.mapping import Mapped

ROWS_AT_ONCE = 10_000

CANNOT_READ = "CANNOT_READ"
DUPLICATE_KEY = "DUPLICATE_KEY"
EMPTY_KEY = "EMPTY_KEY"
INVALID_KEY = "INVALID_KEY"
NULL_REFUSED = "NULL_REFUSED"

WORDS = {
    CANNOT_READ: "a value that no application can read (NaN, infinity or broken text)",
    DUPLICATE_KEY: "several rows have this key; which one is right is not ours to guess, so none is sent",
    EMPTY_KEY: "the key is empty",
    INVALID_KEY: "the key is no text, whole number, UUID or date; cast it in the query",
    NULL_REFUSED: "a field that must not be NULL is NULL",
}
"""What each reason for not planning a row means, for the report."""


class Stage:
    """A DuckDB database of one run, removed when the run ends.

    Tables: `staged` (one row per row of the query: key, its normal form `k`, what is wrong with it, fingerprint),
    `state` (what the application last accepted), and whatever `plan` makes of them. The values lie beside it, see
    `values`.
    """

    def __init__(self, limits: Limitations) -> None:
        if limits.stage_path:
            Path(limits.stage_path).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="reverse_etl-", dir=limits.stage_path))
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": limits.stage_memory,
            "temp_directory": str(self.folder / "spill"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        try:
            self.sql = duckdb.connect(self.folder / "stage.duckdb", config=config)
        except duckdb.Error as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            message = f"[reverse_etl] stage_memory is {limits.stage_memory!r}: write a size as in '256MB' ({error})"
            raise ConfigurationError(message) from error
        self.sql.execute("SET TimeZone = 'UTC'")
        canonical.register(self.sql)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sql.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def one(self, sql: str) -> Any:
        """Return the first value of the first row."""
        return self.sql.execute(sql).fetchall()[0][0]

    def stream(self, sql: str) -> Iterator[pa.Table]:
        """Return the result of a query in pieces; others may run meanwhile."""
        with self.sql.cursor() as cursor:
            relation = cursor.sql(sql)
            open_reader = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader  # DuckDB 1.4
            for batch in open_reader(ROWS_AT_ONCE):
                yield pa.Table.from_batches([batch])


@dataclass(frozen=True)
class Staged:
    """What was staged.

    :param without_key: rows whose key is empty or no key: each could be any record.
    :param values: Parquet: the fields' values of every row, in the order of `staged`.
    :param fields: the Arrow fields of the destination fields, with their tags.
    """

    rows: int
    without_key: int
    values: Path
    fields: tuple[pa.Field, ...]


def load(stage: Stage, rows: Rows, mapped: Mapped, target: Target) -> Staged:
    """Stream the rows of a query into `staged`.

    :raises ConfigurationError: a column's type has no rule, or cannot hold keys.
    """
    kinds = [canonical.kind_of(field) for field in rows.schema]
    schema = pa.schema([pa.field(f"c{i}", field.type) for i, field in enumerate(rows.schema)])
    guarded = _Guarded(rows)
    fields = tuple(_field(rows.schema.field(source.column), source.field) for source in mapped.sources)
    path = stage.folder / "values.parquet"
    file = values.Writer(path, pa.schema([pa.field(f"f{i}", field.type) for i, field in enumerate(fields)]))
    reader = pa.RecordBatchReader.from_batches(schema, _kept(guarded, schema, mapped, file))
    stage.sql.register("incoming", reader)
    try:
        stage.sql.execute(_staged_sql(kinds, mapped, target))
    except duckdb.Error:
        if guarded.error:  # the warehouse failed, not DuckDB
            raise guarded.error from None
        raise
    finally:
        stage.sql.unregister("incoming")
        file.close()
    _mark_duplicates(stage)
    return Staged(
        rows=stage.one("SELECT count(*) FROM staged"),
        without_key=stage.one(f"SELECT count(*) FROM staged WHERE problem IN ('{EMPTY_KEY}', '{INVALID_KEY}')"),
        values=path,
        fields=fields,
    )


class _Guarded:
    """Iterates rows and remembers what they raised: DuckDB would turn it into an error of its own."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.error: BaseException | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._rows
        except BaseException as error:
            self.error = error
            raise


def _kept(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, mapped: Mapped, file: values.Writer
) -> Iterator[pa.RecordBatch]:
    """Hand batches on to DuckDB, and keep their values beside it."""
    names = [f"f{i}" for i in range(len(mapped.sources))]
    for batch in batches:
        if mapped.sources:
            file.write(pa.RecordBatch.from_arrays([batch.column(s.column) for s in mapped.sources], names=names))
        yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)


def _field(source: pa.Field, written_as: str) -> pa.Field:
    tag = (source.metadata or {}).get(KIND)
    return pa.field(written_as, source.type, metadata={KIND: tag} if tag else None)


def _staged_sql(kinds: list[Kind], mapped: Mapped, target: Target) -> str:
    zone = target.timezone
    key = canonical.key_sql(f"c{mapped.key}", kinds[mapped.key], mapped.key_column)
    normal = canonical.normal_sql("key", target.key_form)
    parts = []
    for s in mapped.sources:
        is_key = s.column == mapped.key and s.field == target.key  # spelled as it is compared: case alone is no change
        value = f"'s' || {normal}" if is_key else canonical.value_sql(f"c{s.column}", kinds[s.column], zone)
        parts.append((s.field, value, s.nulls == "skip"))
    conditions = _conditions(kinds, mapped)
    culprit = f"CASE {' '.join(f'WHEN {sql} THEN {i}' for i, _, sql in conditions)} END" if conditions else "NULL"
    code = f"CASE {' '.join(f'WHEN {sql} THEN {quoted(c)}' for _, c, sql in conditions)} END" if conditions else "NULL"
    no_key = f"c{mapped.key} IS NOT NULL AND key IS NULL"
    no_text = f"coalesce({normal}, '') = ''"
    problem = f"CASE WHEN {no_key} THEN '{INVALID_KEY}' WHEN {no_text} THEN '{EMPTY_KEY}' ELSE {code} END"
    return f"""
        CREATE TABLE staged AS
        SELECT key, {normal} AS k, CAST({problem} AS VARCHAR) AS problem,
               CASE WHEN NOT ({no_key}) AND NOT ({no_text}) THEN CAST({culprit} AS INTEGER) END AS culprit,
               {canonical.Fingerprint(parts, zone).sql()} AS fingerprint
        FROM (SELECT *, {key} AS key FROM incoming)
    """


def _conditions(kinds: list[Kind], mapped: Mapped) -> list[tuple[int, str, str]]:
    """Return what makes a row invalid: the ordinal of the field to blame, the code, and the SQL that finds it."""
    found: list[tuple[int, str, str]] = []
    for i, source in enumerate(mapped.sources):
        column = f"c{source.column}"
        unreadable = canonical.unreadable_sql(column, kinds[source.column])
        if unreadable:
            found.append((i, CANNOT_READ, unreadable))
        if source.nulls == "refuse":
            found.append((i, NULL_REFUSED, f"{column} IS NULL"))
    return found


def _mark_duplicates(stage: Stage) -> None:
    """Make every row invalid that shares its key with another: which one is right is not ours to guess."""
    stage.sql.execute(f"""
        CREATE TABLE twice AS SELECT k FROM staged WHERE coalesce(k, '') <> '' GROUP BY k HAVING count(*) > 1;
        UPDATE staged SET problem = '{DUPLICATE_KEY}', culprit = NULL
        WHERE k IN (SELECT k FROM twice) AND coalesce(problem, '') <> '{INVALID_KEY}'
    """)


def parquet(stage: Stage, query: str, path: Path) -> None:
    """Write the result of a query to a local Parquet file."""
    stage.sql.execute(f"COPY ({query}) TO {quoted(str(path))} (FORMAT parquet, COMPRESSION zstd)")
