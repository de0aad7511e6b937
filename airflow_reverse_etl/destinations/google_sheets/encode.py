"""Values as cells take them (Sheets API reference, "ValueRange"): texts, numbers, booleans; dates are serial numbers."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001  serial numbers have no zone
LONGEST = 50_000
"""Characters that a cell holds."""

DIGITS = 15
"""Significant digits that a cell's number keeps; longer ones are written as text, so that none is lost."""

FORMATS: Mapping[type, Mapping[str, str]] = {
    dt.date: {"type": "DATE", "pattern": "yyyy-mm-dd"},
    dt.datetime: {"type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm:ss"},
    dt.time: {"type": "TIME", "pattern": "hh:mm:ss"},
}
"""Number formats that make a serial number a date to the reader."""

LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""First characters that `user_entered` would not keep as text (OWASP, "CSV Injection")."""


class CannotEncode(Exception):  # noqa: N818  it never leaves this folder
    """A value that no cell can hold; the text says why, without the value."""


class TooLong(CannotEncode):
    """A text that is longer than a cell."""


def cell(value: Any, zone: ZoneInfo, *, typed: bool) -> Any:
    """Return a value as JSON for a cell; None and '' empty it.

    :param zone: in which instants are shown.
    :param typed: the values go in as if typed by a person (`user_entered`).
    :raises CannotEncode: no cell can hold it.
    """
    match value:
        case None:
            return ""
        case bool() | float():
            return value
        case int():
            return value if abs(value) < 10**DIGITS else _text(str(value), typed=False)
        case Decimal():
            return _number(value)
        case str():
            return _text(value, typed=typed)
        case dt.datetime() | dt.date() | dt.time():
            return _serial(value, zone)
        case list() | dict():
            return _text(json.dumps(value, ensure_ascii=False, default=str), typed=typed)
    message = f"a cell cannot hold {type(value).__name__}"
    raise CannotEncode(message)


def _text(text: str, *, typed: bool) -> str:
    if len(text) > LONGEST:
        message = f"the text is longer than the {LONGEST:,} characters of a cell"
        raise TooLong(message)
    return f"'{text}" if typed and text.startswith(LIKE_A_FORMULA) else text


def _number(value: Decimal) -> int | float | str:
    whole = value == value.to_integral_value()
    if len(value.normalize().as_tuple().digits) > DIGITS or abs(value) >= 10**DIGITS:
        return format(value, "f")
    return int(value) if whole else float(value)


def _serial(value: dt.date | dt.time, zone: ZoneInfo) -> int | float | str:
    """Return days since 1899-12-30; what lies before has no serial number that Sheets shows, and is ISO text."""
    if isinstance(value, dt.time):
        return _days(
            dt.timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
        )
    if isinstance(value, dt.datetime):
        moment = value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value
        return _days(moment - EPOCH) if moment >= EPOCH else moment.isoformat(sep=" ")
    days = (value - EPOCH.date()).days
    return days if days >= 0 else value.isoformat()


def _days(span: dt.timedelta) -> int | float:
    return span.days if span == dt.timedelta(days=span.days) else span / dt.timedelta(days=1)


def format_of(value: Any) -> Mapping[str, str] | None:
    """Return the number format that a value needs to be read, or None."""
    return FORMATS.get(type(value))


def key_of(found: Any) -> str:
    """Return the canonical text of a key that a cell holds (read unformatted)."""
    if isinstance(found, bool):
        return str(found).upper()
    if isinstance(found, float) and found.is_integer():
        return str(int(found))
    return str(found)


def serial_key(key: str) -> str | None:
    """Return how a cell with a real date holds this key, if the key is a date."""
    try:
        return str((dt.date.fromisoformat(key) - EPOCH.date()).days)
    except ValueError:
        return None
