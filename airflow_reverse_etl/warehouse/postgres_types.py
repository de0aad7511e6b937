"""What COPY writes for each type of PostgreSQL, and as what it travels on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from airflow_reverse_etl.warehouse import postgres_arrays, temporal
from airflow_reverse_etl.warehouse.canonical import decoded
from airflow_reverse_etl.warehouse.columns import Column, json_column, mixed, plain, tagged, text_of, uuid_column

BOOL, BYTEA, INT8, INT2, INT4, OID = 16, 17, 20, 21, 23, 26
JSON, JSONB, UUID = 114, 3802, 2950
FLOAT4, FLOAT8, NUMERIC = 700, 701, 1700
DATE, TIME, TIMESTAMP, TIMESTAMPTZ = 1082, 1083, 1114, 1184
NAME, TEXT, BPCHAR, VARCHAR = 19, 25, 1042, 1043
"""Object ids of built-in types; they are the same in every database (`pg_type.dat`)."""

NOT_FINITE = pa.array(["NaN", "Infinity", "-Infinity"])
DATE_LENGTH = len("2026-01-31")


@dataclass(frozen=True)
class Reading:
    """How a column of COPY's CSV is read.

    :param parsed: the type that the parser of CSV makes of it.
    :param column: what becomes of that.
    """

    parsed: pa.DataType
    column: Column


@dataclass(frozen=True)
class ArrayType:
    """An array type of PostgreSQL, as its catalog describes it."""

    element: int
    delimiter: str


def reading(name: str, oid: int, arrays: Mapping[int, ArrayType], *, encoded: bool) -> Reading:
    """Return how a column of this type is read.

    :param arrays: those of the query's types that are arrays.
    :param encoded: whether the database knows its encoding; if not, any byte may stand in a text.
    """
    if oid in arrays:
        read = ELEMENTS.get(arrays[oid].element, str)
        return Reading(pa.string(), mixed(name, postgres_arrays.reader(read, arrays[oid].delimiter)))
    if oid in PARSED:
        return Reading(PARSED[oid], plain(name, PARSED[oid]))
    if oid in WRITTEN:
        return Reading(pa.string(), mixed(name, WRITTEN[oid]))
    if oid in (JSON, JSONB):
        return Reading(pa.string(), json_column(name))
    if oid == UUID:
        return Reading(pa.string(), uuid_column(name))
    return Reading(pa.string(), plain(name, pa.string())) if encoded else Reading(pa.binary(), mixed(name, _decoded))


def unknown(oids: Sequence[int]) -> list[int]:
    """Return the types of which only the catalog knows whether they are arrays."""
    known = {*PARSED, *WRITTEN, JSON, JSONB, UUID, NAME, TEXT, BPCHAR, VARCHAR}
    return sorted(set(oids) - known)


def _numbers(text: pa.Array) -> pa.Array:
    # numeric never prints an exponent, and zeros after the point only to fill the column's scale.
    trimmed = pc.ascii_rtrim(pc.ascii_rtrim(text, "0"), ".")
    number = tagged("n", pc.if_else(pc.match_substring(text, "."), trimmed, text))
    return pc.if_else(pc.is_in(text, NOT_FINITE), tagged("!", pc.ascii_ltrim(text, "-")), number)


def _bytes(text: pa.Array) -> pa.Array:
    return tagged("x", pc.utf8_slice_codeunits(text, len("\\x")))


def _dates(text: pa.Array) -> pa.Array:
    # Infinite ones, and those before year 1 or after 9999, are longer or shorter.
    return pc.if_else(pc.equal(pc.utf8_length(text), DATE_LENGTH), tagged("d", text), temporal.OUT_OF_RANGE)


def _times(text: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(text, "24:00:00"), temporal.OUT_OF_RANGE, tagged("h", text))


def _timestamps(zone: str | None) -> Callable[[pa.Array], pa.Array]:
    kind, tag = pa.timestamp("us", zone), "t" if zone else "l"

    def convert(text: pa.Array) -> pa.Array:
        try:
            return temporal.instants(text.cast(kind).cast(pa.int64()), tag)
        except pa.ArrowInvalid:
            # Infinity, a year that is not of four digits, or an offset with seconds: few rows have them.
            return text_of([None if cell is None else postgres_arrays.moment(cell) for cell in text.to_pylist()])

    return convert


def _decoded(array: pa.Array) -> pa.Array:
    return text_of([None if cell is None else decoded(cell) for cell in array.to_pylist()])


PARSED: dict[int, pa.DataType] = {
    BOOL: pa.bool_(),
    INT2: pa.int16(),
    INT4: pa.int32(),
    INT8: pa.int64(),
    OID: pa.int64(),
    # A float4 prints the few digits that it means, and 0.1 should not turn into 0.10000000149011612.
    FLOAT4: pa.float64(),
    FLOAT8: pa.float64(),
}
"""Types that the parser of CSV reads itself."""

WRITTEN: dict[int, Callable[[Any], pa.Array]] = {
    NUMERIC: _numbers,
    BYTEA: _bytes,
    DATE: _dates,
    TIME: _times,
    TIMESTAMP: _timestamps(None),
    TIMESTAMPTZ: _timestamps("UTC"),
}
"""Types that may hold what no Arrow column of theirs could: they become canonical text."""

ELEMENTS: dict[int, Callable[[str], object]] = {
    BOOL: lambda text: text == "t",
    INT2: int,
    INT4: int,
    INT8: int,
    OID: int,
    FLOAT4: float,
    FLOAT8: float,
    NUMERIC: postgres_arrays.decimal,
    DATE: postgres_arrays.day,
    TIME: postgres_arrays.clock,
    TIMESTAMP: postgres_arrays.moment,
    TIMESTAMPTZ: postgres_arrays.moment,
    BYTEA: postgres_arrays.octets,
    JSON: postgres_arrays.document,
    JSONB: postgres_arrays.document,
}
"""How an element of an array is read; the elements of every other type are text."""
