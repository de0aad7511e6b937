"""Snowflake sends Arrow batches whose types change from batch to batch: here they get the types that it described."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from airflow_reverse_etl.errors import RetryableError
from airflow_reverse_etl.warehouse import cursor as any_cursor
from airflow_reverse_etl.warehouse import temporal
from airflow_reverse_etl.warehouse.canonical import canonical
from airflow_reverse_etl.warehouse.columns import (
    Column,
    conform,
    json_column,
    mixed,
    nested_json,
    nested_text,
    plain,
    schema_of,
    sliced,
    text_of,
)
from airflow_reverse_etl.warehouse.stream import Parameters, Stream

TYPE_CODES = dict(
    enumerate(
        "FIXED REAL TEXT DATE TIMESTAMP VARIANT TIMESTAMP_LTZ TIMESTAMP_TZ TIMESTAMP_NTZ OBJECT ARRAY BINARY TIME"
        " BOOLEAN GEOGRAPHY GEOMETRY VECTOR MAP".split()
    )
)
"""What the numbers in a cursor's description mean: Snowflake's "Python Connector API", section "Type codes"."""
DECIMAL_DIGITS, INT64_DIGITS = 38, 18
SIMPLE = {"REAL": pa.float64(), "TEXT": pa.string(), "BOOLEAN": pa.bool_(), "BINARY": pa.binary()}
TEMPORAL = {"DATE", "TIME", "TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ", "TIMESTAMP_TZ"}
DOCUMENTS = {"VARIANT", "OBJECT", "ARRAY", "MAP"}
UNDEFINED = re.compile(r'("(?:[^"\\]|\\.)*")|undefined', re.DOTALL)


@contextmanager
def open_rows(connection: Any, query: str, parameters: Parameters | None, batch_rows: int) -> Iterator[Stream]:
    """Run the query and give its rows: as Arrow where the connector has it, else row by row."""
    exact = _keep_decimals(connection)
    cursor = connection.cursor()
    try:
        any_cursor.run(cursor, query, parameters)
        columns = [_column(*described) for described in _described(cursor)]
        tables = _tables(cursor) if exact and all(columns) else None
        if tables is None:
            yield _rows(cursor, batch_rows)
        else:
            known = [column for column in columns if column]
            yield Stream(schema_of(known), _batches(cursor, tables, known, batch_rows))
    finally:
        # What a cursor has to say when it is closed is no news: the rows are here, or the error is.
        with suppress(Exception):
            cursor.close()


def _keep_decimals(connection: Any) -> bool:
    """Have numbers with decimals sent as such (the connector's default is a double); say whether it can be done."""
    if not hasattr(connection, "arrow_number_to_decimal_setter"):
        return False
    connection.arrow_number_to_decimal_setter = True
    return True


def _described(cursor: Any) -> list[tuple[str, str, int | None, int | None]]:
    """Return name, type, precision and scale of every column."""
    names = any_cursor.names(cursor.description)
    columns = zip(names, cursor.description, strict=True)
    return [(name, TYPE_CODES.get(column[1], ""), column[4], column[5]) for name, column in columns]


def _column(name: str, kind: str, precision: int | None, scale: int | None) -> Column | None:
    """Return how a column of Arrow data is read, or None if Arrow does not carry the type (or we do not know it)."""
    if kind == "FIXED" and precision is not None:
        small = not scale and precision <= INT64_DIGITS
        return plain(name, pa.int64() if small else pa.decimal128(DECIMAL_DIGITS, scale or 0))
    if kind in SIMPLE:
        return plain(name, SIMPLE[kind])
    if kind in TEMPORAL:
        return mixed(name, temporal.text_of)
    if kind == "VECTOR":
        return mixed(name, nested_text)
    return Column(json_column(name).field, _documents) if kind in DOCUMENTS else None


def _tables(cursor: Any) -> Iterator[pa.Table] | None:
    """Return the result as Arrow tables, or None if there are none: an old connector, or a statement like SHOW."""
    fetch = getattr(cursor, "fetch_arrow_batches", None)
    if fetch is None:
        return None
    # In nanoseconds a timestamp ends in 2262; older connectors choose the unit for each batch.
    micro = "force_microsecond_precision" in inspect.signature(fetch).parameters
    try:
        tables: Iterator[pa.Table] = fetch(force_microsecond_precision=True) if micro else fetch()
    except Exception as error:
        # By name (PEP 249): this room imports no driver.
        if type(error).__name__ == "NotSupportedError":
            return None
        raise
    return tables


def _batches(
    cursor: Any, tables: Iterator[pa.Table], columns: Sequence[Column], batch_rows: int
) -> Iterator[pa.RecordBatch]:
    count = 0
    for table in tables:
        for batch in table.to_batches():
            for piece in sliced(batch, batch_rows):
                count += piece.num_rows
                yield conform(columns, piece)
    # The connector counts the rows that it hands out one by one, but not those that it hands out as tables.
    if cursor.rowcount is not None and count < cursor.rowcount:
        message = f"Snowflake announced {cursor.rowcount} rows and sent {count}"
        raise RetryableError(message)


def _rows(cursor: Any, batch_rows: int) -> Stream:
    """Return the rows as Python values."""
    columns = [
        Column(json_column(name).field, _documents_of) if kind in DOCUMENTS else mixed(name, text_of)
        for name, kind, _, _ in _described(cursor)
    ]
    return Stream(schema_of(columns), any_cursor.fetched(cursor, columns, batch_rows))


def _documents(array: pa.Array) -> pa.Array:
    if kinds.is_nested(array.type):
        return nested_json(array)
    text = array.cast(pa.string())
    if not pc.any(pc.match_substring(text, "undefined")).as_py():
        return text
    return _documents_of(text.to_pylist())


def _documents_of(values: Sequence[object]) -> pa.Array:
    return pa.array(map(_document, values), pa.string())


def _document(value: object) -> str | None:
    """Return JSON; Snowflake writes `undefined` for a NULL inside of an array, which is not JSON."""
    if value is None:
        return None
    if isinstance(value, str):
        return UNDEFINED.sub(lambda match: match[1] or "null", value)
    return (canonical(value) or "")[1:]
