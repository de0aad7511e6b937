"""The bodies that HubSpot takes, and its answers to those that it does not.

A body is read once against its exact shape, in C; only one that does not fit is looked at in detail.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from airflow_reverse_etl.destinations.hubspot.sandbox.answers import malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_reverse_etl.destinations.hubspot.sandbox.call import Call


class CreateRow(msgspec.Struct, forbid_unknown_fields=True):
    """One input of batch/create, and the body of a single create. Associations are taken, and not kept."""

    properties: dict[str, str]
    associations: list[Any] | None = None
    objectWriteTraceId: str | None = None  # noqa: N815  HubSpot's spelling


class KeyedRow(msgspec.Struct, forbid_unknown_fields=True):
    """One input of batch/update and batch/upsert."""

    id: str
    properties: dict[str, str]
    idProperty: str | None = None  # noqa: N815
    objectWriteTraceId: str | None = None  # noqa: N815


class IdRow(msgspec.Struct, forbid_unknown_fields=True):
    """One input of batch/read and batch/archive."""

    id: str


class CreateBatch(msgspec.Struct, forbid_unknown_fields=True):
    """The body of batch/create."""

    inputs: list[CreateRow]


class KeyedBatch(msgspec.Struct, forbid_unknown_fields=True):
    """The body of batch/update and batch/upsert."""

    inputs: list[KeyedRow]


class ArchiveBatch(msgspec.Struct, forbid_unknown_fields=True):
    """The body of batch/archive."""

    inputs: list[IdRow]


class ReadBatch(msgspec.Struct, forbid_unknown_fields=True):
    """The body of batch/read."""

    inputs: list[IdRow]
    properties: list[str] = []
    propertiesWithHistory: list[str] = []  # noqa: N815
    idProperty: str | None = None  # noqa: N815


class UpdateBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a single update."""

    properties: dict[str, str]
    objectWriteTraceId: str | None = None  # noqa: N815


class OptionBody(msgspec.Struct):
    """One choice of an enumeration; HubSpot knows more members than the fake keeps."""

    value: str
    label: str = ""
    hidden: bool = False


class NewProperty(msgspec.Struct, rename="camel"):
    """The body that creates a property; HubSpot knows more members than the fake keeps."""

    name: str
    label: str
    type: str
    field_type: str
    group_name: str
    description: str = ""
    options: list[OptionBody] = []
    has_unique_value: bool = False
    hidden: bool = False


class ChangedProperty(msgspec.Struct, rename="camel"):
    """The body that changes a property; what is not there stays."""

    label: str | None = None
    type: str | None = None
    field_type: str | None = None
    group_name: str | None = None
    description: str | None = None
    options: list[OptionBody] | None = None
    has_unique_value: bool | None = None
    hidden: bool | None = None


class PropertyNames(msgspec.Struct, forbid_unknown_fields=True):
    """The body of properties/batch/read."""

    inputs: list[dict[str, str]]
    archived: bool = False
    dataSensitivity: str | None = None  # noqa: N815


class GdprDelete(msgspec.Struct, forbid_unknown_fields=True):
    """The body of gdpr-delete."""

    objectId: str  # noqa: N815
    idProperty: str | None = None  # noqa: N815


class Merge(msgspec.Struct, forbid_unknown_fields=True):
    """The body of merge."""

    primaryObjectId: str  # noqa: N815
    objectIdToMerge: str  # noqa: N815


class Filter(msgspec.Struct, forbid_unknown_fields=True):
    """One condition of a search."""

    propertyName: str  # noqa: N815
    operator: Literal[
        "EQ",
        "NEQ",
        "LT",
        "LTE",
        "GT",
        "GTE",
        "BETWEEN",
        "IN",
        "NOT_IN",
        "HAS_PROPERTY",
        "NOT_HAS_PROPERTY",
        "CONTAINS_TOKEN",
        "NOT_CONTAINS_TOKEN",
    ]
    value: str | None = None
    highValue: str | None = None  # noqa: N815
    values: list[str] | None = None


class FilterGroup(msgspec.Struct, forbid_unknown_fields=True):
    """Conditions that must all hold; one group of several must."""

    filters: list[Filter]


class Sort(msgspec.Struct, forbid_unknown_fields=True):
    """One sorting of a search."""

    propertyName: str  # noqa: N815
    direction: Literal["ASCENDING", "DESCENDING"] = "ASCENDING"


class Search(msgspec.Struct, forbid_unknown_fields=True):
    """The body of search."""

    filterGroups: list[FilterGroup] = []  # noqa: N815
    sorts: list[Sort | str] = []
    query: str | None = None
    properties: list[str] = []
    limit: int = 10
    after: str | int | None = None


Shape = TypeVar("Shape", bound=msgspec.Struct)

_ROWS: dict[type[msgspec.Struct], type[msgspec.Struct]] = {
    CreateBatch: CreateRow,
    KeyedBatch: KeyedRow,
    ArchiveBatch: IdRow,
    ReadBatch: IdRow,
}
_SHAPES: tuple[type[msgspec.Struct], ...] = (
    *_ROWS,
    CreateRow,
    UpdateBody,
    NewProperty,
    ChangedProperty,
    PropertyNames,
    GdprDelete,
    Merge,
    Search,
)
_DECODE: dict[type[msgspec.Struct], Callable[[bytes], Any]] = {
    shape: msgspec.json.Decoder(shape).decode for shape in _SHAPES
}
_MISSING = re.compile(r"missing required field `(\w+)`")
_BYTE = re.compile(r"byte (\d+)")


def read(call: Call, shape: type[Shape]) -> Shape:
    """Read the body of a call.

    :raises Refusal: it is no JSON, or not of this shape.
    """
    try:
        return _DECODE[shape](call.body)  # type: ignore[no-any-return]  # the table holds a decoder of that very shape
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_carefully(call, _parsed(call), shape)


def read_batch(call: Call, shape: type[Shape]) -> Shape | None:
    """Read the body of a batch; None if it has no `inputs`, which HubSpot answers with success and nothing done.

    :raises Refusal: it is no JSON, or not of this shape.
    """
    try:
        return _DECODE[shape](call.body)  # type: ignore[no-any-return]
    except (msgspec.DecodeError, UnicodeDecodeError):
        parsed = _parsed(call)
    if isinstance(parsed, dict) and "inputs" not in parsed and not call.portal.settings.refuse_missing_inputs:
        return None
    return _read_carefully(call, parsed, shape)


def _parsed(call: Call) -> Any:
    try:
        return msgspec.json.decode(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        found = _BYTE.search(str(error))
        before = call.body[: int(found[1])] if found else call.body
        line = before.count(b"\n") + 1
        raise _unreadable(line, len(before) - before.rfind(b"\n"), str(error)) from None


def _unreadable(line: int, column: int, reason: str) -> Exception:
    return malformed(f"Invalid input JSON on line {line}, column {column}: {reason}", category=None)


def _read_carefully(call: Call, parsed: Any, shape: type[Shape]) -> Shape:
    if isinstance(parsed, dict):
        unknown = {f"{name!r} in the body" for name in _drop_unknown(parsed, shape)}
        rows = parsed.get("inputs")
        if shape in _ROWS and isinstance(rows, list):
            for row in rows:
                unknown |= {f"{name!r} in an input" for name in _drop_unknown(row, _ROWS[shape])}
                _loosen(call, row)
        _loosen(call, parsed)
        for key in sorted(unknown):
            call.violate(f"HubSpot ignores the unknown key {key}", 200)
    try:
        return msgspec.convert(parsed, shape)
    except msgspec.ValidationError as error:
        missing = _MISSING.search(str(error))
        if missing is None:
            raise _unreadable(1, 2, f"Cannot deserialize value: {error}") from None
        message = f"Invalid input JSON on line 1, column 2. Some required fields were not set: [{missing[1]}]"
        raise malformed(message) from None


def _drop_unknown(given: Any, shape: type[msgspec.Struct]) -> set[str]:
    if not isinstance(given, dict) or not shape.__struct_config__.forbid_unknown_fields:
        return set()
    unknown = given.keys() - set(shape.__struct_fields__)
    for name in unknown:
        del given[name]
    return unknown


def _loosen(call: Call, row: Any) -> None:
    if call.portal.settings.strict_values or not isinstance(row, dict):
        return
    if isinstance(row.get("properties"), dict):
        row["properties"] = {name: _as_text(value) for name, value in row["properties"].items()}
    if "id" in row:
        row["id"] = _as_text(row["id"])


def _as_text(value: object) -> object:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            return value
