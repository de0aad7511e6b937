"""Lists, structs and maps become Python objects that JSON can write, cell by cell where a cell cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds

from airflow_reverse_etl.warehouse.canonical import Unreadable, canonical


def objects(array: pa.Array) -> Iterator[object]:
    """Return lists and dicts; a cell with a value that Python has no type for is `Unreadable`."""
    kind = _readable(array.type)
    array = array if array.type.equals(kind) else array.cast(kind, safe=False)
    return (_plain(value, kind) for value in _values(array))


def _values(array: pa.Array) -> list[Any]:
    try:
        return list(array.to_pylist())
    except (ValueError, OverflowError, TypeError):
        return [_value(cell) for cell in array]


def _value(cell: pa.Scalar) -> object:
    try:
        return cell.as_py()
    except (ValueError, OverflowError, TypeError):
        return Unreadable("range")


def _readable(kind: pa.DataType) -> pa.DataType:
    """Return the type with timestamps in microseconds: Python knows no finer ones."""
    if kinds.is_map(kind):
        return pa.map_(_readable(kind.key_type), _readable(kind.item_type))
    if kinds.is_struct(kind):
        return pa.struct([field.with_type(_readable(field.type)) for field in kind])
    if _is_list(kind):
        return pa.list_(kind.value_field.with_type(_readable(kind.value_type)))
    if kinds.is_timestamp(kind):
        return pa.timestamp("us", "UTC" if kind.tz else None)
    if kinds.is_time64(kind):
        return pa.time64("us")
    return kind


def _is_list(kind: pa.DataType) -> bool:
    return bool(kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind))


def _plain(value: Any, kind: pa.DataType) -> object:
    """Return the value with maps, which Arrow gives as lists of pairs, as dicts."""
    if value is None or isinstance(value, Unreadable):
        return value
    if kinds.is_map(kind):
        return {_key(key): _plain(item, kind.item_type) for key, item in value}
    if kinds.is_struct(kind):
        return {field.name: _plain(value[field.name], field.type) for field in kind}
    if _is_list(kind):
        return [_plain(item, kind.value_type) for item in value]
    return value


def _key(key: object) -> str:
    """Return the key of a map as JSON has it: text, without the tag of its type."""
    return (canonical(key) or "")[1:]
