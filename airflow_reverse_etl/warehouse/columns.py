"""Arrow has many types, applications have few: each column of Arrow data becomes one that the engine takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from airflow_reverse_etl.model import KIND
from airflow_reverse_etl.warehouse import temporal
from airflow_reverse_etl.warehouse.canonical import canonical
from airflow_reverse_etl.warehouse.nested import objects

MIXED, JSON, UUID_TEXT = {KIND: b"mixed"}, {KIND: b"json"}, {KIND: b"uuid"}

AS_THEY_ARE = (
    kinds.is_boolean,
    kinds.is_integer,
    kinds.is_float32,
    kinds.is_float64,
    kinds.is_string,
    kinds.is_large_string,
    kinds.is_binary,
)
CAST = (
    (kinds.is_float16, pa.float32()),
    (kinds.is_null, pa.string()),
    (kinds.is_string_view, pa.string()),
    (kinds.is_large_binary, pa.binary()),
    (kinds.is_fixed_size_binary, pa.binary()),
    (kinds.is_binary_view, pa.binary()),
)

Convert = Callable[[Any], pa.Array]


@dataclass(frozen=True)
class Column:
    """How one column becomes what the engine takes.

    :param field: name, type and kind as promised to the engine.
    :param convert: makes an array of that type of what the warehouse sent: an array, or a sequence of Python values.
    """

    field: pa.Field
    convert: Convert


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """Return the schema that the columns promise."""
    return pa.schema([column.field for column in columns])


def conform(columns: Sequence[Column], batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with every column as promised."""
    arrays = [column.convert(array) for column, array in zip(columns, batch.columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema_of(columns))


def sliced(batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
    """Return the batch in pieces of at most so many rows, without copying."""
    return (batch.slice(start, rows) for start in range(0, batch.num_rows, rows))


def of_field(field: pa.Field) -> Column:
    """Return how a column of this Arrow type travels; see `docs/warehouses.md` for the table."""
    if isinstance(field.type, pa.BaseExtensionType):
        return _of_extension(field.name, field.type)
    return _of_type(field.name, field.type)


def plain(name: str, kind: pa.DataType) -> Column:
    """Return a column that is cast where it is not of this type yet, and fails where a value would change."""
    return Column(pa.field(name, kind), lambda array: array if array.type.equals(kind) else array.cast(kind))


def mixed(name: str, convert: Convert) -> Column:
    """Return a column that travels as canonical text."""
    return Column(pa.field(name, pa.string(), metadata=MIXED), convert)


def json_column(name: str) -> Column:
    """Return a column of JSON text."""
    return Column(pa.field(name, pa.string(), metadata=JSON), lambda array: array.cast(pa.string()))


def uuid_column(name: str) -> Column:
    """Return a column of UUIDs as lower-case text."""
    field = pa.field(name, pa.string(), metadata=UUID_TEXT)
    return Column(field, lambda array: pc.ascii_lower(array.cast(pa.string())))


def text_of(values: Sequence[object]) -> pa.Array:
    """Return the canonical text of Python values."""
    types = {type(value) for value in values} - {type(None)}
    try:
        if types == {str}:
            return tagged("s", pa.array(values, pa.string()))
        if types == {int}:
            return tagged("n", pa.array(values, pa.int64()).cast(pa.string()))
    except (UnicodeEncodeError, OverflowError):
        # Half a surrogate pair, or a number beyond 64 bits: the long way knows what to do.
        pass
    return pa.array([canonical(value) for value in values], pa.string())


def tagged(tag: str, text: pa.Array) -> pa.Array:
    """Put a tag before every text; NULL stays NULL."""
    return pc.binary_join_element_wise(pa.scalar(tag), text, pa.scalar(""))


def nested_text(array: pa.Array) -> pa.Array:
    """Return lists, structs and maps as canonical JSON."""
    return pa.array(map(canonical, objects(array)), pa.string())


def nested_json(array: pa.Array) -> pa.Array:
    """Return lists, structs and maps as JSON text for a column of JSON; what is none stays out of JSON (`NaN`)."""
    return pc.utf8_slice_codeunits(nested_text(array), 1)


def _of_type(name: str, kind: pa.DataType) -> Column:
    if kinds.is_dictionary(kind):
        inner = _of_type(name, kind.value_type)
        return Column(inner.field, lambda array: inner.convert(array.cast(kind.value_type)))
    if kinds.is_temporal(kind) and not kinds.is_duration(kind) and not kinds.is_interval(kind):
        return mixed(name, temporal.text_of)
    if kinds.is_nested(kind) and not kinds.is_union(kind):
        return mixed(name, nested_text)
    kept = _kept(kind)
    return plain(name, kept) if kept else mixed(name, lambda array: text_of(array.to_pylist()))


def _kept(kind: pa.DataType) -> pa.DataType | None:
    """Return the type under which a column of this type keeps its values, or None if there is none."""
    if any(fits(kind) for fits in AS_THEY_ARE):
        return kind
    if kinds.is_decimal(kind) and kind.bit_width <= pa.decimal128(38).bit_width:
        return pa.decimal128(kind.precision, kind.scale)
    return next((kept for fits, kept in CAST if fits(kind)), None)


def _of_extension(name: str, kind: pa.BaseExtensionType) -> Column:
    if kind.extension_name == "arrow.json":
        return json_column(name)
    if kind.extension_name == "arrow.uuid":
        return mixed(name, lambda array: text_of(array.to_pylist()))
    inner = _of_type(name, kind.storage_type)
    return Column(inner.field, lambda array: inner.convert(array.storage))
