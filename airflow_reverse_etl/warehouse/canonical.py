"""Values whose types may differ from row to row travel as text: this writes it, `model.from_canonical` reads it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  naive on purpose: compared with naive values only
EPOCH_UTC = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
FIRST_MICROSECOND = (dt.datetime(1, 1, 1, tzinfo=dt.UTC) - EPOCH_UTC) // MICROSECOND
LAST_MICROSECOND = (dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC) - EPOCH_UTC) // MICROSECOND

MOST_DIGITS = 4000
"""Python refuses to read integers of more than 4300 digits, and `1E+999999999` must not fill the memory."""


@dataclass(frozen=True)
class Unreadable:
    """Stands in a row for a value that the driver could not decode; `reason` is one word."""

    reason: str


def decoded(value: bytes) -> str | Unreadable:
    """Read a text from a database that keeps whatever bytes it was given."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return Unreadable("utf8")


class UnreadableError(ValueError):
    """The value has no canonical text; the message is the one word that says why, never the value."""


def canonical(value: object) -> str | None:
    """Return the canonical text, version 1, of a Python value; None stays None.

    One tag character and the text: `n` number, `s` text, `b` boolean, `d` date, `h` time of day, `t` instant and
    `l` timestamp without zone (both integer microseconds since 1970), `x` bytes in hexadecimal, `u` UUID, `j` JSON,
    `!` unreadable, followed by one word for the reason.
    """
    if _is_missing(value):
        return None
    try:
        return _tagged(value)
    except UnreadableError as reason:
        return f"!{reason}"
    except RecursionError:
        return "!depth"


def number(value: float | Decimal) -> str:
    """Return a number in plain digits: no exponent, no trailing zeros after the point, no `-0`.

    An integral float is the integer that it stands for; any other float is what Python's `repr` shows.

    :raises UnreadableError: NaN, an infinity, or more digits than anything could read.
    """
    if isinstance(value, float):
        if value.is_integer():
            return _integer(int(value))
        shown = float.__repr__(value)
        if shown.strip("-").replace(".", "", 1).isdigit():
            return shown
        value = Decimal(shown)
    if not value.is_finite():
        raise UnreadableError("NaN" if value.is_nan() else "Infinity")
    if abs(value.adjusted()) > MOST_DIGITS:
        raise UnreadableError("range")
    digits = format(value, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def text(value: str) -> str:
    """Return the text itself.

    :raises UnreadableError: it holds half of a surrogate pair, which no UTF-8 can carry.
    """
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise UnreadableError("surrogate") from None
    return value


def microseconds(value: dt.datetime) -> int:
    """Return the microseconds since 1970, of an aware timestamp in UTC, of a naive one as if it were in UTC.

    :raises UnreadableError: the instant lies in no year from 1 to 9999.
    """
    count = (value - (EPOCH if value.tzinfo is None else EPOCH_UTC)) // MICROSECOND
    if not FIRST_MICROSECOND <= count <= LAST_MICROSECOND:
        raise UnreadableError("range")
    return count


def time_of_day(value: dt.time) -> str:
    """Return ISO 8601 with as few decimals as the value needs."""
    return value.isoformat().rstrip("0") if value.microsecond else value.isoformat()


def json_text(value: object) -> str:
    """Return canonical JSON: keys sorted, no spaces, no escapes that are not needed, numbers as in `number`.

    What JSON has no type for becomes a string: dates and times in ISO 8601 (instants in UTC), UUIDs, bytes in
    hexadecimal.

    :raises UnreadableError: something inside cannot be written.
    """
    if _is_missing(value):
        return "null"
    if isinstance(value, dict):
        return _json_object(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(json_text, value))}]"
    written = _tagged(value)
    tag, body = written[0], written[1:]
    if tag in "nbj":
        return body
    if tag in "tl":
        body = _iso(value)
    return encode_basestring(body)


def _is_missing(value: object) -> bool:
    """Whether a value is NULL: None, or what pandas puts in its place (known by name: pandas is not imported)."""
    return value is None or type(value).__name__ in {"NaTType", "NAType"}


def _tagged(value: object) -> str:
    return (WRITERS.get(type(value)) or _inherited(value))(value)


def _json_object(value: dict[Any, Any]) -> str:
    if not all(isinstance(key, str) for key in value):
        raise UnreadableError("key")
    pairs = (f"{encode_basestring(text(key))}:{json_text(value[key])}" for key in sorted(value))
    return f"{{{','.join(pairs)}}}"


def _iso(value: Any) -> str:
    return str((value if value.tzinfo is None else value.astimezone(dt.UTC)).isoformat())


def _integer(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:
        raise UnreadableError("range") from None


def _raise(value: Unreadable) -> str:
    raise UnreadableError(value.reason)


def _timestamp(value: dt.datetime) -> str:
    return f"{'l' if value.tzinfo is None else 't'}{microseconds(value)}"


def _json(value: object) -> str:
    return f"j{json_text(value)}"


WRITERS: dict[type, Callable[[Any], str]] = {
    str: lambda value: f"s{text(value)}",
    bool: lambda value: "btrue" if value else "bfalse",
    int: lambda value: f"n{_integer(value)}",
    float: lambda value: f"n{number(value)}",
    Decimal: lambda value: f"n{number(value)}",
    dt.datetime: _timestamp,
    dt.date: lambda value: f"d{value.isoformat()}",
    # With a zone, which no application knows, it is text.
    dt.time: lambda value: f"h{time_of_day(value)}" if value.tzinfo is None else f"s{value.isoformat()}",
    bytes: lambda value: f"x{value.hex()}",
    bytearray: lambda value: f"x{value.hex()}",
    memoryview: lambda value: f"x{value.hex()}",
    UUID: lambda value: f"u{value}",
    dict: _json,
    list: _json,
    tuple: _json,
    Unreadable: _raise,
}
"""From the narrower type to the wider where one inherits from the other: `_inherited` takes the first that fits."""


def _inherited(value: object) -> Callable[[Any], str]:
    """Return the writer of a type that is not listed itself: a subclass, or a scalar of numpy."""
    kind = type(value)
    if kind.__module__.partition(".")[0] == "numpy" and hasattr(value, "item"):
        return _numpy
    for listed, write in WRITERS.items():
        if isinstance(value, listed):
            return write
    raise UnreadableError(kind.__name__)


def _numpy(value: Any) -> str:
    # The item of a datetime64 in nanoseconds would be an integer.
    plain = (value.astype("datetime64[us]") if type(value).__name__ == "datetime64" else value).item()
    if type(plain) not in WRITERS:
        raise UnreadableError(type(value).__name__)
    return _tagged(plain)
