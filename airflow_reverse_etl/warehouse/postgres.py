"""PostgreSQL: `COPY (query) TO STDOUT` gives its rows as text, which is exact and faster than any cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv

from airflow_reverse_etl.warehouse import cursor as any_cursor
from airflow_reverse_etl.warehouse import psycopg2, psycopg3
from airflow_reverse_etl.warehouse.columns import conform, schema_of, sliced
from airflow_reverse_etl.warehouse.postgres_types import ArrayType, Reading, reading, unknown
from airflow_reverse_etl.warehouse.stream import BATCH_BYTES, Parameters, Stream

CURSOR_NAME = "airflow_reverse_etl"
NO_CURSOR = ("42601", "0A000")
"""SQLSTATEs of a statement that no cursor can be declared for: syntax_error, feature_not_supported."""
FIRST_WITH_COPY = 90_000
"""Older servers are Redshift, which calls itself PostgreSQL 8 and copies to S3 only."""

ARRAY_TYPES = (
    "SELECT a.oid::bigint, a.typelem::bigint, e.typdelim::text"
    " FROM pg_catalog.pg_type a JOIN pg_catalog.pg_type e ON e.oid = a.typelem WHERE a.typcategory = 'A'"
)
COPY = "COPY (\n{statement}\n) TO STDOUT (FORMAT csv, ENCODING '{encoding}')"
NO_ENCODING = "SQL_ASCII"
"""Of a database that takes any bytes for text: asked for UTF-8, it would refuse to print some."""
CURRENT_SETTING = "current_setting('{}')"
SETTINGS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "DateStyle": (lambda value: value.startswith("ISO"), "ISO"),
    "bytea_output": (lambda value: value == "hex", "hex"),
    # Before version 12 the default was 0: fifteen digits, too few for a double.
    "extra_float_digits": (lambda value: int(value) > 0, "3"),
}
"""Settings that change how values are printed: (whether it will do, what to set otherwise)."""


@dataclass(frozen=True)
class Driver:
    """What is done differently with psycopg 3 and psycopg2."""

    prepared: Callable[[Any], None]
    composed: Callable[[Any, str, Parameters | None], str]
    cursor: Callable[..., Any]
    copied: Callable[[Any, str], AbstractContextManager[Iterable[bytes]]]


PSYCOPG3 = Driver(psycopg3.prepared, psycopg3.composed, psycopg3.cursor, psycopg3.copied)
PSYCOPG2 = Driver(psycopg2.prepared, psycopg2.composed, psycopg2.cursor, psycopg2.copied)


@contextmanager
def open_rows(connection: Any, query: str, parameters: Parameters | None, batch_rows: int) -> Iterator[Stream]:
    """Run the query in a transaction that is never committed, and give its rows."""
    driver = PSYCOPG3 if hasattr(connection, "pgconn") else PSYCOPG2
    driver.prepared(connection)
    statement = driver.composed(connection, query, parameters)
    named = _declared(driver, connection, statement)
    if named is None:
        # SHOW, EXPLAIN, INSERT ... RETURNING: small results, and no other way.
        with driver.cursor(connection) as running:
            running.execute(statement)
            yield any_cursor.rows_of(running, batch_rows)
    elif connection.info.server_version < FIRST_WITH_COPY:
        with named:
            yield any_cursor.rows_of(named, batch_rows)
    else:
        with named, driver.cursor(connection) as asking:
            encoding = _settle(asking)
            readings = _readings(asking, named.description, encoding)
        with driver.copied(connection, COPY.format(statement=statement, encoding=encoding)) as rows:
            columns = [reading.column for reading in readings]
            yield Stream(schema_of(columns), _batches(rows, readings, batch_rows))


def _declared(driver: Driver, connection: Any, statement: str) -> Any:
    """Return a cursor that knows the query's columns and has fetched no row, or None if the statement can have none."""
    named = driver.cursor(connection, CURSOR_NAME)
    try:
        named.execute(statement)
        if named.description is None:
            named.fetchmany(0)
    except Exception as error:
        named.close()
        if (getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)) not in NO_CURSOR:
            raise
        connection.rollback()
        return None
    return named


def _readings(asking: Any, description: Sequence[Any], encoding: str) -> list[Reading]:
    """Return how the query's columns are read."""
    names, types = any_cursor.names(description), [column[1] for column in description]
    arrays = _arrays(asking, unknown(types))
    encoded = encoding != NO_ENCODING
    return [reading(name, oid, arrays, encoded=encoded) for name, oid in zip(names, types, strict=True)]


def _settle(asking: Any) -> str:
    """Put right, for this transaction, the settings that would spoil values; return the encoding to ask COPY for."""
    names = [*SETTINGS, "server_encoding"]
    asking.execute(f"SELECT {', '.join(map(CURRENT_SETTING.format, names))}")
    found = dict(zip(names, asking.fetchone(), strict=True))
    for name, (will_do, wanted) in SETTINGS.items():
        if not will_do(found[name]):
            asking.execute(f"SET LOCAL {name} TO '{wanted}'")
    return NO_ENCODING if found["server_encoding"] == NO_ENCODING else "UTF8"


def _arrays(asking: Any, oids: list[int]) -> dict[int, ArrayType]:
    """Ask the catalog which of the types are arrays."""
    if not oids:
        return {}
    asking.execute(f"{ARRAY_TYPES} AND a.oid IN ({', '.join(map(str, oids))})")
    return {oid: ArrayType(element, delimiter) for oid, element, delimiter in asking.fetchall()}


def _batches(rows: Iterable[bytes], readings: Sequence[Reading], batch_rows: int) -> Iterator[pa.RecordBatch]:
    columns = [reading.column for reading in readings]
    for block in _blocks(rows, batch_rows):
        for batch in _parsed(block, readings).to_batches():
            for piece in sliced(batch, batch_rows):
                yield conform(columns, piece)


def _blocks(rows: Iterable[bytes], batch_rows: int) -> Iterator[bytearray]:
    """Put rows together: as many as a batch holds, or as weigh as much as a batch should."""
    # Not a list of rows: thousands of objects alive at a time would keep the garbage collector busy.
    block, count = bytearray(), 0
    for row in rows:
        block += row
        count += 1
        if count >= batch_rows or len(block) >= BATCH_BYTES:
            yield block
            block, count = bytearray(), 0
    if block:
        yield block


def _parsed(block: bytearray, readings: Sequence[Reading]) -> pa.Table:
    # The names of the query may repeat, which the parser would not bear.
    names = [str(number) for number in range(len(readings))]
    return pa.csv.read_csv(
        pa.BufferReader(block),
        read_options=pa.csv.ReadOptions(column_names=names, use_threads=False, block_size=len(block) + 1),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa.csv.ConvertOptions(
            column_types={name: reading.parsed for name, reading in zip(names, readings, strict=True)},
            # COPY writes NULL as nothing and the empty text as "".
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
