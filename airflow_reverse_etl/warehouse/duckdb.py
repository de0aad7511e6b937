"""DuckDB speaks Arrow, but some of its types Arrow would spoil: those are written as text by DuckDB itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.warehouse import columns
from airflow_reverse_etl.warehouse.columns import Column
from airflow_reverse_etl.warehouse.stream import Parameters, Stream

CELLS = 200_000
"""DuckDB counts a batch in rows: of a wide table it gets fewer."""

INTEGERS = re.compile(r"U?HUGEINT|BIGNUM")
"""Of 39 digits and more: Arrow has no such numbers."""
TEXTS = re.compile(r"INTERVAL|TIME WITH TIME ZONE|BIT|GEOMETRY|UNION\(.*\)", re.DOTALL)
"""Arrow has no such types, or forgets a part of the value (the zone of a time)."""
DOCUMENTS = re.compile(r"VARIANT|.*\b(INTERVAL|TIME WITH TIME ZONE|BIT|GEOMETRY|UNION|VARIANT|BIGNUM)\b.*", re.DOTALL)
"""The same inside of lists, structs and maps."""


@contextmanager
def open_rows(connection: Any, query: str, parameters: Parameters | None, batch_rows: int) -> Iterator[Stream]:
    """Run the query as a relation, which streams; `execute` would hold the whole result in memory."""
    relation = connection.sql(query, params=parameters) if parameters else connection.sql(query)
    if relation is None:
        message = "the query returns no columns: write a SELECT of the key and the fields to send"
        raise ConfigurationError(message)
    names, types = relation.columns, [str(kind) for kind in relation.types]
    reader = _reader(relation, types, max(1, min(batch_rows, CELLS // len(names))))
    fields = [field.with_name(name) for name, field in zip(names, reader.schema, strict=True)]
    found = [_column(kind, field) for kind, field in zip(types, fields, strict=True)]
    pieces = (piece for batch in reader for piece in columns.sliced(batch, batch_rows))
    try:
        yield Stream(columns.schema_of(found), (columns.conform(found, piece) for piece in pieces))
    finally:
        reader.close()


def _reader(relation: Any, types: list[str], rows: int) -> pa.RecordBatchReader:
    """Return the rows, with the columns that Arrow would spoil cast by DuckDB."""
    # Names may repeat, positions do not.
    wanted = [_expression(kind, f"#{position}") for position, kind in enumerate(types, 1)]
    if any(not expression.startswith("#") for expression in wanted):
        relation = relation.project(", ".join(wanted))
    # Older releases have it under another name.
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_record_batch
    return read(rows)


def _expression(kind: str, column: str) -> str:
    if INTEGERS.fullmatch(kind) or TEXTS.fullmatch(kind):
        return f"CAST({column} AS VARCHAR)"
    return f"CAST(to_json({column}) AS VARCHAR)" if DOCUMENTS.fullmatch(kind) else column


def _column(kind: str, field: pa.Field) -> Column:
    if INTEGERS.fullmatch(kind):
        return columns.mixed(field.name, lambda array: columns.tagged("n", array))
    if TEXTS.fullmatch(kind):
        return columns.plain(field.name, pa.string())
    if kind == "JSON" or DOCUMENTS.fullmatch(kind):
        return columns.json_column(field.name)
    return columns.uuid_column(field.name) if kind == "UUID" else columns.of_field(field)
