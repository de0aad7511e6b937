"""Rows that a Python function returns: dicts, Arrow, or the data frames that people have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

import pyarrow as pa

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.warehouse import columns
from airflow_reverse_etl.warehouse.columns import Column
from airflow_reverse_etl.warehouse.stream import Stream

DICTS, ROWS = 1_000, 10_000
"""Rows of a batch: dicts are heavier than columns."""


def rows_of(source: Any) -> Stream:
    """Return the rows as a stream; see `from_python`."""
    if hasattr(source, "iloc") and hasattr(source, "dtypes"):
        return _of_pandas(source)
    if hasattr(source, "__arrow_c_stream__"):
        return _of_arrow(pa.RecordBatchReader.from_stream(source))
    if isinstance(source, str | bytes | Mapping) or not isinstance(source, Iterable):
        raise _not_rows(source)
    return _of_dicts(iter(source))


def _of_arrow(reader: pa.RecordBatchReader) -> Stream:
    found = [columns.of_field(field) for field in reader.schema]
    pieces = (piece for batch in reader for piece in columns.sliced(batch, ROWS))
    return Stream(columns.schema_of(found), (columns.conform(found, piece) for piece in pieces))


def _of_pandas(frame: Any) -> Stream:
    """Return the rows of a data frame of pandas; what is missing (NaN, NaT, NA) is NULL, the index is left out."""
    names = [str(name) for name in frame.columns]
    found = [_pandas_column(name, frame.iloc[:0, position]) for position, name in enumerate(names)]
    schema = columns.schema_of(found)

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(frame), ROWS):
            part = frame.iloc[start : start + ROWS]
            arrays = [column.convert(part.iloc[:, position]) for position, column in enumerate(found)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return Stream(schema, batches())


def _pandas_column(name: str, series: Any) -> Column:
    if series.dtype == object:
        return columns.mixed(name, lambda part: columns.text_of(part.where(part.notna(), None).tolist()))
    column = columns.of_field(pa.field(name, _arrow(series).type))
    return Column(column.field, lambda part: column.convert(_arrow(part)))


def _arrow(series: Any) -> pa.Array:
    array = pa.Array.from_pandas(series)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _of_dicts(source: Iterator[Any]) -> Stream:
    first = next(source, None)
    if first is None:
        return Stream(pa.schema([]), iter(()))
    if not isinstance(first, Mapping):
        raise _not_rows(first)
    if not all(isinstance(name, str) for name in first):
        message = "the names of the columns must be text: give rows as dicts from column name to value"
        raise ConfigurationError(message)
    found = [columns.mixed(name, columns.text_of) for name in first]
    return Stream(columns.schema_of(found), _batches_of_dicts(chain([first], source), found))


def _batches_of_dicts(rows: Iterator[Any], found: list[Column]) -> Iterator[pa.RecordBatch]:
    schema = columns.schema_of(found)
    expected = dict.fromkeys(schema.names).keys()
    count = 0
    while batch := list(islice(rows, DICTS)):
        for number, row in enumerate(batch, count + 1):
            _check(row, expected, number)
        arrays = [column.convert([row[column.field.name] for row in batch]) for column in found]
        count += len(batch)
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _check(row: Any, expected: Any, number: int) -> None:
    if not isinstance(row, Mapping):
        raise _not_rows(row)
    if row.keys() == expected:
        return
    missing = sorted(expected - row.keys())
    extra = sorted(map(str, row.keys() - expected))
    message = (
        f"row {number} has other columns than the first row (missing: {', '.join(missing) or 'none'}; "
        f"not in the first: {', '.join(extra) or 'none'}): "
        "give every row the same columns, with None where there is no value"
    )
    raise ConfigurationError(message)


def _not_rows(source: object) -> ConfigurationError:
    return ConfigurationError(
        f"rows must be dicts from column name to value, an Arrow table or a data frame, not {type(source).__name__}"
    )
