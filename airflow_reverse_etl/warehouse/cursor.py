"""Any database with a `DbApiHook`: rows come through a cursor and may differ in type from row to row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.warehouse.columns import Column, mixed, schema_of, text_of
from airflow_reverse_etl.warehouse.stream import BATCH_BYTES, Parameters, Stream

FIRST_ROWS = 100
"""What a row weighs is not known before some have been seen."""


@contextmanager
def open_rows(connection: Any, query: str, parameters: Parameters | None, batch_rows: int) -> Iterator[Stream]:
    """Run the query on a connection of PEP 249 and give its rows, all columns as canonical text."""
    cursor = connection.cursor()
    try:
        # BigQuery takes it for the size of a page, others for that of a round trip; some drivers have no such thing.
        with suppress(AttributeError):
            cursor.arraysize = batch_rows
        run(cursor, query, parameters)
        yield rows_of(cursor, batch_rows)
    finally:
        # What a cursor has to say when it is closed is no news: the rows are here, or the error is.
        with suppress(Exception):
            cursor.close()


def run(cursor: Any, query: str, parameters: Parameters | None) -> None:
    """Execute the query; without parameters a percent sign in it is a percent sign."""
    if parameters:
        cursor.execute(query, parameters)
    else:
        cursor.execute(query)


def rows_of(cursor: Any, batch_rows: int) -> Stream:
    """Return the rows of a cursor that has executed its query."""
    columns = [mixed(name, text_of) for name in names(cursor.description)]
    return Stream(schema_of(columns), fetched(cursor, columns, batch_rows))


def names(description: Sequence[Any] | None) -> list[str]:
    """Return the names of the columns that a cursor describes.

    :raises ConfigurationError: there are none.
    """
    if not description:
        message = "the query returns no columns: write a SELECT of the key and the fields to send"
        raise ConfigurationError(message)
    return [str(column[0]) for column in description]


def fetched(cursor: Any, columns: Sequence[Column], batch_rows: int) -> Iterator[pa.RecordBatch]:
    """Fetch rows in batches that grow to what the memory should hold; a column converts a list of Python values."""
    schema, size = schema_of(columns), min(FIRST_ROWS, batch_rows)
    while rows := cursor.fetchmany(size):
        batch = batch_of(rows, columns, schema)
        yield batch
        fitting = len(rows) * BATCH_BYTES // max(batch.nbytes, 1)
        size = max(1, min(batch_rows, fitting, size * 4))


def batch_of(rows: Sequence[Any], columns: Sequence[Column], schema: pa.Schema) -> pa.RecordBatch:
    """Turn rows into columns; rows may be tuples, lists or dicts in the order of the columns."""
    if isinstance(rows[0], Mapping):
        rows = [tuple(row.values()) for row in rows]
    values = zip(*rows, strict=True)
    arrays = [column.convert(cells) for column, cells in zip(columns, values, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
