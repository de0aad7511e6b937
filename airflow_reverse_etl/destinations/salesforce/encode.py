"""Warehouse values as Salesforce's JSON, by the type of the field; every digit arrives, or the record is refused."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from airflow_reverse_etl.model import plain_number

PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
LARGEST_INT = 2**31 - 1
LARGEST_EXPONENT = 308
"""Salesforce keeps numbers as IEEE doubles: beyond 10^308 there are none."""

Writer = Callable[[Any], str]
"""Turns a value, neither None nor empty, into JSON text."""

_json_encoder = json.JSONEncoder(ensure_ascii=False)


def quoted(value: Any) -> str:
    """Return a string, a boolean or None as JSON."""
    return _json_encoder.encode(value)


class CannotEncodeError(Exception):
    """A value is none of the field's type; the message says why and never quotes the value."""


def writer(field_type: str, zone: dt.tzinfo) -> Writer:
    """Return what writes values of a type, by its name in `describe`; what is unknown takes text.

    :param zone: of timestamps that have none.
    """
    write = WRITERS.get(field_type, _plain_text)
    return lambda value: write(value, zone)


def number(value: Any) -> str:
    """Write a number with all its digits; JSON numbers have no limit of their own, unlike floats."""
    if isinstance(value, bool):
        raise CannotEncodeError("a boolean is no number")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        value = Decimal(repr(value))
    elif isinstance(value, str) and PLAIN_NUMBER.fullmatch(value):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise CannotEncodeError("the value is no plain number")
    if value and abs(value.adjusted()) > LARGEST_EXPONENT:
        raise CannotEncodeError("the number is out of range")
    return format(value, "f")


def _number(value: Any, _zone: dt.tzinfo) -> str:
    return number(value)


def _integer(value: Any, _zone: dt.tzinfo, *, largest: int = LARGEST_INT) -> str:
    exact = Decimal(number(value))
    if exact != exact.to_integral_value() or abs(exact) > largest:
        raise CannotEncodeError("the value is no whole number of that size")
    return str(int(exact))


def _boolean(value: Any, _zone: dt.tzinfo) -> str:
    if isinstance(value, bool) or (isinstance(value, int | float | Decimal) and value in (0, 1)):
        return "true" if value else "false"
    raise CannotEncodeError("a checkbox takes true or false (or the numbers 1 and 0)")


def _date(value: Any, zone: dt.tzinfo) -> str:
    if isinstance(value, str):
        value = _parsed(value, "a date such as 2026-01-31")
    if isinstance(value, dt.datetime):
        instant = _instant(value, zone)
        if instant.time() != dt.time(0):
            raise CannotEncodeError("an instant that is not midnight UTC is no date; cast it in the query")
        value = instant.date()
    if not isinstance(value, dt.date):
        raise CannotEncodeError("the value is no date")
    return quoted(value.isoformat())


def _datetime(value: Any, zone: dt.tzinfo) -> str:
    return quoted(_instant(value, zone).isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def _instant(value: Any, zone: dt.tzinfo) -> dt.datetime:
    """Return a timestamp in UTC: a date is midnight UTC, a timestamp without a zone is in `zone`."""
    if isinstance(value, str):
        value = _parsed(value, "a timestamp such as 2026-01-31T12:00:00Z")
    if not isinstance(value, dt.datetime):
        if not isinstance(value, dt.date):
            raise CannotEncodeError("the value is no timestamp")
        value = dt.datetime.combine(value, dt.time(0), dt.UTC)
    moment: dt.datetime = value if value.tzinfo else value.replace(tzinfo=zone)
    try:
        return moment.astimezone(dt.UTC)
    except (OverflowError, ValueError):
        raise CannotEncodeError("the timestamp is out of range in UTC") from None


def _parsed(written: str, example: str) -> dt.date:
    try:
        return (
            dt.date.fromisoformat(written) if len(written) == len("2026-01-31") else dt.datetime.fromisoformat(written)
        )
    except ValueError:
        raise CannotEncodeError(f"the text is not {example}") from None


def _time(value: Any, _zone: dt.tzinfo) -> str:
    if isinstance(value, str):
        try:
            value = dt.time.fromisoformat(value.removesuffix("Z"))
        except ValueError:
            raise CannotEncodeError("the text is no time of day such as 12:30:00") from None
    if not isinstance(value, dt.time) or value.tzinfo:
        raise CannotEncodeError("the value is no time of day without a zone")
    return quoted(value.isoformat(timespec="milliseconds") + "Z")


def _record_id(value: Any, zone: dt.tzinfo) -> str:
    if not isinstance(value, str):
        raise CannotEncodeError("a record Id is text")
    return quoted(text(value, zone))


def _choices(value: Any, zone: dt.tzinfo) -> str:
    """Write a multi-select picklist: `a;b`, or null where nothing is chosen."""
    if not isinstance(value, list | tuple):
        return quoted(text(value, zone))
    chosen = [text(item, zone) for item in value if item is not None]
    if any(";" in item for item in chosen):
        raise CannotEncodeError("a choice holds ';', which separates choices")
    return quoted(";".join(chosen)) if chosen else "null"


def _base64(value: Any, _zone: dt.tzinfo) -> str:
    if isinstance(value, bytes):
        return quoted(base64.b64encode(value).decode())
    if isinstance(value, str):
        return quoted(value)
    raise CannotEncodeError("the value is neither bytes nor base64 text")


def _plain_text(value: Any, zone: dt.tzinfo) -> str:
    return quoted(text(value, zone))


def _long_text(value: Any, zone: dt.tzinfo) -> str:
    return quoted(text(_json(value, zone) if isinstance(value, dict | list | tuple) else value, zone))


def text(value: Any, zone: dt.tzinfo) -> str:
    """Return a scalar as text: numbers as plain digits, dates and timestamps as ISO 8601 (timestamps in UTC)."""
    if isinstance(value, str):
        if "\0" in value:
            raise CannotEncodeError("the text holds a NUL character")
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return plain_number(number(value))
    if isinstance(value, dt.datetime):
        return _instant(value, zone).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    raise CannotEncodeError(f"a value of the kind {type(value).__name__!r} is no text")


def _json(value: Any, zone: dt.tzinfo) -> str:
    """Return JSON text of a nested value, with exact numbers."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{quoted(str(name))}:{_json(item, zone)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_json(item, zone) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return quoted(value)
    if isinstance(value, int | float | Decimal):
        return number(value)
    return quoted(text(value, zone))


WRITERS: Mapping[str, Callable[[Any, dt.tzinfo], str]] = {
    "base64": _base64,
    "boolean": _boolean,
    "currency": _number,
    "date": _date,
    "datetime": _datetime,
    "double": _number,
    "id": _record_id,
    "int": _integer,
    "long": partial(_integer, largest=2**63 - 1),
    "multipicklist": _choices,
    "percent": _number,
    "reference": _record_id,
    "string": _long_text,
    "textarea": _long_text,
    "time": _time,
}
"""Field type -> function(value, zone)."""
