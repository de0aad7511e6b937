"""Turns values into the texts that HubSpot takes, by the property's type (its page "Properties", section on values)."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow_reverse_etl.destinations.hubspot.describe import RECORD_ID, Property
from airflow_reverse_etl.model import KIND, plain_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_reverse_etl.model import Batch

    Encoder = Callable[[Any], str]

SEVERAL = "checkbox"
"""The `fieldType` of an enumeration that takes several options (`booleancheckbox` takes one)."""

SEPARATOR = ";"
"""Between the values of a property that takes several. At the beginning it means "add to what is there"."""


class CannotEncodeError(ValueError):
    """A value cannot be written as its property's type. The message names property and types, never the value."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def compile_encoders(batch: Batch, properties: Mapping[str, Property]) -> dict[str, Encoder]:
    """Return for each field of a batch the function that turns a value into HubSpot's text."""
    zone = ZoneInfo(batch.target.timezone)
    encoders: dict[str, Encoder] = {}
    for index, name in enumerate(batch.fields, 1):
        is_json = (batch.table.schema.field(index).metadata or {}).get(KIND) == b"json"
        encoders[name] = encoder(properties.get(name, Property(name)), zone, is_json=is_json)
    return encoders


def encoder(field: Property, zone: ZoneInfo, *, is_json: bool = False) -> Encoder:
    """Return the function for one property.

    :param zone: of timestamps that have none.
    :param is_json: the column holds JSON text, so that a list of options comes as text.
    """
    if field.type == "enumeration" and field.field_type == SEVERAL:
        return json_options if is_json else options
    by_type: dict[str, Encoder] = {
        "number": number,
        "bool": boolean,
        "date": partial(day, zone=zone),
        "datetime": partial(moment, zone=zone),
        "enumeration": option,
    }
    return by_type.get(field.type, text)


def encode(
    record: Mapping[str, Any], encoders: Mapping[str, Encoder], properties: Mapping[str, Property]
) -> dict[str, str]:
    """Return a record's properties as HubSpot takes them: None and '' both empty the property.

    :raises CannotEncodeError: the first value that its property's type cannot hold.
    """
    written: dict[str, str] = {}
    for name, value in record.items():
        if name == RECORD_ID:
            continue
        if value is None or (isinstance(value, str) and not value):
            written[name] = ""
            continue
        try:
            written[name] = encoders[name](value)
        except CannotEncodeError as error:
            kind = properties[name].type if name in properties else "text"
            message = f"the property {name!r} of type {kind} cannot take {error}"
            raise CannotEncodeError(message, name) from None
    return written


def number(value: Any) -> str:
    """Return plain digits, exact. A text is HubSpot's to judge."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _wrong(value)
    return digits(value)


def digits(value: float | Decimal) -> str:
    """Return a number without exponent, thousands separator or trailing zeros."""
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        message = "a number that is not finite"
        raise CannotEncodeError(message)
    return plain_number(format(exact, "f"))


def boolean(value: Any) -> str:
    """Return `true` or `false`; 1 and 0 stand for them where the warehouse has no booleans."""
    if isinstance(value, bool | int | float | Decimal) and value in (0, 1):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.lower() if value.lower() in ("true", "false") else value
    raise _wrong(value)


def day(value: Any, zone: ZoneInfo) -> str:
    """Return an ISO date. An instant stands for a day at midnight UTC only: else the day depends on where you are."""
    if isinstance(value, dt.datetime):
        instant = in_utc(value, zone)
        if instant.time() != dt.time():
            message = "an instant that is not midnight UTC: cast it to a date in the query"
            raise CannotEncodeError(message)
        return instant.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    raise _wrong(value)


def moment(value: Any, zone: ZoneInfo) -> str:
    """Return an ISO instant in UTC to the millisecond, as exact as HubSpot keeps it. A date is midnight UTC."""
    if isinstance(value, dt.datetime):
        return in_utc(value, zone).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return f"{value.isoformat()}T00:00:00.000Z"
    if isinstance(value, str):
        return value
    raise _wrong(value)


def in_utc(value: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return an instant in UTC. Where the clocks of `zone` went back, a time without zone is the earlier of the two."""
    try:
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(dt.UTC)
    except OverflowError:
        message = "an instant outside the years 1 to 9999"
        raise CannotEncodeError(message) from None


def option(value: Any) -> str:
    """Return the internal value of one option. Whether there is such an option is HubSpot's to judge."""
    if isinstance(value, list | tuple | dict | bytes):
        raise _wrong(value)
    return text(value)


def options(value: Any) -> str:
    """Return the internal values of several options, separated as HubSpot wants them."""
    if isinstance(value, list | tuple):
        chosen = [_one_of_several(item) for item in value]
        return SEPARATOR.join(chosen)
    joined = option(value)
    if joined.startswith(SEPARATOR):
        message = f"a text that begins with {SEPARATOR!r}: HubSpot would add to what is there in place of setting it"
        raise CannotEncodeError(message)
    return joined


def _one_of_several(value: Any) -> str:
    one = "" if value is None else option(value)
    if not one or SEPARATOR in one:
        message = f"a list with an empty value or one that holds {SEPARATOR!r}"
        raise CannotEncodeError(message)
    return one


def json_options(value: Any) -> str:
    """Return several options that a JSON column holds as a list."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", '"'):
        with suppress(ValueError):  # not JSON after all: a text like any other
            value = json.loads(value, parse_float=Decimal)
    return options(value)


def text(value: Any) -> str:
    """Return any value as text: numbers as plain digits, instants in UTC, lists and objects as JSON."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return digits(value)
        case dt.datetime() if value.tzinfo:
            return in_utc(value, ZoneInfo("UTC")).isoformat().replace("+00:00", "Z")
        case dt.date() | dt.time():  # a datetime is a date, too
            return value.isoformat()
        case list() | tuple() | dict():
            return json_text(value)
    raise _wrong(value)


def json_text(value: Any) -> str:
    """Return JSON with exact decimals, which the standard library's writer does not know."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return digits(value)
        case list() | tuple():
            return "[" + ",".join(json_text(item) for item in value) + "]"
        case dict():
            return "{" + ",".join(f"{json_text(str(name))}:{json_text(item)}" for name, item in value.items()) + "}"
    return json.dumps(text(value), ensure_ascii=False)


def _wrong(value: object) -> CannotEncodeError:
    return CannotEncodeError(f"a value of type {type(value).__name__}")
