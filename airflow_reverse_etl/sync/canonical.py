"""Canonical text, version 1, as SQL: what makes `1`, `1.0` and `1.00` one value, on every version of DuckDB.

`docs/architecture.md` writes the format down; changing it sends every row of every sync once more, so it has a number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.types as t

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import KIND, KeyForm, plain_number

if TYPE_CHECKING:
    import duckdb

VERSION = 1


class Kind(Enum):
    """How a column's values are spelled."""

    TEXT = "text"
    UUID = "UUID"
    JSON = "JSON"
    MIXED = "mixed"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    NAIVE = "timestamp"
    INSTANT = "timestamp with time zone"
    BYTES = "bytes"
    NESTED = "array or struct"
    NULL = "null"


TYPES: Sequence[tuple[Any, Kind]] = (
    (t.is_null, Kind.NULL),
    (t.is_boolean, Kind.BOOLEAN),
    (t.is_integer, Kind.INTEGER),
    (t.is_decimal, Kind.DECIMAL),
    (t.is_floating, Kind.FLOAT),
    (t.is_string, Kind.TEXT),
    (t.is_large_string, Kind.TEXT),
    (t.is_string_view, Kind.TEXT),
    (t.is_binary, Kind.BYTES),
    (t.is_large_binary, Kind.BYTES),
    (t.is_fixed_size_binary, Kind.BYTES),
    (t.is_binary_view, Kind.BYTES),
    (t.is_date, Kind.DATE),
    (t.is_time, Kind.TIME),
    (t.is_nested, Kind.NESTED),
)


def kind_of(field: pa.Field) -> Kind:
    """Return the kind of an Arrow column.

    :raises ConfigurationError: no rule for this type; the message says to cast it in the query.
    """
    tag = (field.metadata or {}).get(KIND)
    if tag:
        return {b"json": Kind.JSON, b"uuid": Kind.UUID, b"mixed": Kind.MIXED}[tag]
    if t.is_timestamp(field.type):
        return Kind.INSTANT if field.type.tz else Kind.NAIVE
    for is_type, kind in TYPES:
        if is_type(field.type):
            return kind
    message = f"the column {field.name} has the type {field.type}, which has no rule; cast it to text in the query"
    raise ConfigurationError(message)


def value_sql(column: str, kind: Kind, zone: str) -> str:
    """Return SQL for the canonical text of a column: a tag and the text, NULL for NULL.

    :param zone: the zone of timestamps without one; UTC makes them equal to instants.
    """
    naive = "t" if zone == "UTC" else "l"
    if kind is Kind.DECIMAL:
        return f"'n' || {_decimal(column)}"
    if kind is Kind.FLOAT:
        return f"'n' || {_float(column)}"
    return SPELLINGS[kind].format(c=column, naive=naive)


SPELLINGS: Mapping[Kind, str] = {
    Kind.TEXT: "'s' || {c}",
    Kind.UUID: "'s' || lower({c})",
    Kind.INTEGER: "'n' || CAST({c} AS VARCHAR)",
    Kind.BOOLEAN: "CASE WHEN {c} THEN 'btrue' WHEN NOT {c} THEN 'bfalse' END",
    Kind.DATE: "'d' || strftime({c}, '%Y-%m-%d')",
    Kind.TIME: "'h' || CAST(epoch_us(CAST({c} AS TIME)) AS VARCHAR)",
    Kind.INSTANT: "'t' || CAST(epoch_us({c}) AS VARCHAR)",
    Kind.NAIVE: "'{naive}' || CAST(epoch_us({c}) AS VARCHAR)",
    Kind.BYTES: "'x' || lower(hex({c}))",
    Kind.JSON: "canonical_json({c})",
    Kind.NESTED: "canonical_json(CAST(to_json({c}) AS VARCHAR))",
    Kind.MIXED: "CASE left({c}, 1) WHEN 'u' THEN 's' || substr({c}, 2) WHEN 'l' THEN '{naive}' || substr({c}, 2) "
    "WHEN 'h' THEN 'h' || CAST(epoch_us(CAST(substr({c}, 2) AS TIME)) AS VARCHAR) ELSE {c} END",
    Kind.NULL: "CAST(NULL AS VARCHAR)",
}


def _decimal(column: str) -> str:
    """Spell a decimal without trailing zeros; DuckDB writes 0.5 of a decimal(1, 1) as `.5`."""
    text = f"CAST({column} AS VARCHAR)"
    short = f"rtrim(rtrim({text}, '0'), '.')"
    return (
        f"CASE WHEN NOT contains({text}, '.') THEN {text} WHEN {column} = 0 THEN '0' "
        f"WHEN {text}[1] = '.' THEN '0' || {short} WHEN {text}[:2] = '-.' THEN '-0' || substr({short}, 2) "
        f"ELSE {short} END"
    )


def _float(column: str) -> str:
    """Spell a float in plain digits: DuckDB's own spelling where it has no exponent."""
    text = f"CAST({column} AS VARCHAR)"
    return (
        f"CASE WHEN {column} = trunc({column}) AND abs({column}) < 1e38 "
        f"THEN CAST(CAST({column} AS HUGEINT) AS VARCHAR) "
        f"WHEN contains({text}, 'e') THEN plain_float({text}) ELSE {text} END"
    )


def unreadable_sql(column: str, kind: Kind) -> str | None:
    """Return SQL that is true where no application could read the value; None where that cannot be."""
    match kind:
        case Kind.FLOAT:
            return f"(isnan({column}) OR isinf({column}))"
        case Kind.MIXED:
            return f"starts_with({column}, '!')"
        case Kind.DATE | Kind.NAIVE | Kind.INSTANT:
            return f"NOT isfinite({column})"
    return None


KEY_KINDS = (Kind.TEXT, Kind.UUID, Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.MIXED, Kind.NULL)


def key_sql(column: str, kind: Kind, name: str) -> str:
    """Return SQL for the canonical text of a key: NULL where the value is none or cannot be a key.

    :param name: the column's name, for the message.
    :raises ConfigurationError: the column's type cannot hold keys.
    """
    if kind not in KEY_KINDS:
        message = (
            f"the key's column {name} is a {kind.value}: keys are text, whole numbers, UUIDs or dates, because others "
            f"have no single spelling; cast it in the query, for example cast({name} as varchar)"
        )
        raise ConfigurationError(message)
    match kind:
        case Kind.TEXT:
            return column
        case Kind.UUID:
            return f"lower({column})"
        case Kind.DECIMAL:
            return f"CASE WHEN {column} = trunc({column}) THEN {_decimal(column)} END"
        case Kind.MIXED:
            whole = f"NOT contains({column}, '.') AND NOT contains({column}, 'e')"
            return (
                f"CASE WHEN left({column}, 1) IN ('s', 'u', 'd') OR (left({column}, 1) = 'n' AND {whole}) "
                f"THEN substr({column}, 2) END"
            )
    return f"substr({value_sql(column, kind, 'UTC')}, 2)"


def normal_sql(key: str, form: KeyForm) -> str:
    """Return SQL that says what `KeyForm.normal` says in Python."""
    if form.trim:
        spaces = " || ".join(["''", *(f"chr({ord(space)})" for space in KeyForm.WHITE_SPACE)])
        key = f"trim({key}, {spaces})"
    if form.fold:
        key = f"lower({key})"
    if form.number:
        key = f"plain_number({key})"
    return f"left({key}, {form.prefix})" if form.prefix else key


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Give DuckDB the spellings that SQL cannot say; each distinct value is spelled once."""
    for name, spell in (
        ("canonical_json", canonical_json),
        ("plain_number", plain_number),
        ("plain_float", plain_float),
    ):
        connection.create_function(  # type: ignore[call-overload]  # its stubs want enums that not every version has
            name, _per_distinct(spell), ["VARCHAR"], "VARCHAR", type="arrow", null_handling="special"
        )


def _per_distinct(spell: Any) -> Any:
    def function(values: pa.ChunkedArray) -> pa.Array:
        encoded = (values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values).dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        spelled = [None if text is None else spell(text) for text in encoded.dictionary.to_pylist()]
        return pa.array(spelled, pa.string()).take(encoded.indices)

    return function


def canonical_json(text: str) -> str:
    """Spell JSON in one way: keys sorted, no spaces, numbers as numbers are spelled; what is no JSON is text."""
    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError):
        return "s" + text
    return "j" + _spell(value)


def plain_float(text: str) -> str:
    """Spell a float that has an exponent in plain digits."""
    return plain_number(format(Decimal(text), "f"))


def _spell(value: Any) -> str:
    match value:
        case dict():
            pairs = sorted((json.dumps(key, ensure_ascii=False), _spell(item)) for key, item in value.items())
            return "{" + ",".join(f"{key}:{item}" for key, item in pairs) + "}"
        case list():
            return "[" + ",".join(map(_spell, value)) + "]"
        case Decimal():
            return _spell_decimal(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _spell_decimal(value: Decimal) -> str:
    far = abs(value.adjusted()) > 400
    return str(value.normalize()) if far else plain_number(format(value, "f"))


@dataclass(frozen=True)
class Fingerprint:
    """The fingerprint of a row: 128 bits of MD5 over its mapped fields in the order of their names.

    :param parts: destination field, SQL of its canonical text, and whether its NULL means "leave alone".
    :param zone: zone of timestamps without one.
    """

    parts: Sequence[tuple[str, str, bool]]
    zone: str = "UTC"

    def sql(self) -> str:
        """Return SQL for the fingerprint, a UUID.

        Values are length-prefixed, so that no separator can be forged; NULL is `~`, "leave alone" is `-`. The names
        of the fields are part of it: the same value in another field is another row.
        """
        ordered = sorted(self.parts)
        names = "".join(f"{len(name.encode())}:{name}" for name, _, _ in ordered)
        prefix = quoted(f"{VERSION}|{self.zone}|{names}|")
        values = [f"coalesce(strlen({sql}) || ':' || {sql}, '{'-' if skip else '~'}')" for _, sql, skip in ordered]
        return f"CAST(md5(concat({', '.join([prefix, *values])})) AS UUID)"


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
