"""What a JSON value must be to enter a field, and what is stored then: one function per field, made once.

A wrong JSON type raises `WrongTypeError` (the call fails), a value that the field refuses raises `RowError` (the record
fails). Rules: "Field Types" in the vendor's Object Reference, "Primitive Data Types" in its SOAP API Developer Guide.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.salesforce.sandbox.errors import RowError, WrongTypeError

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.sandbox.fields import Field

Check = Callable[[Any], Any]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?Z?")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_DATE_LENGTH = len("2026-01-31")
_SECONDS_LENGTH = len("2026-01-31T23:59:59")
_PICKLIST_LENGTH = 255
_REMEMBERED = 8192  # The rows of one run often carry the same few dates.


def check_for(field: Field) -> Check:
    """Make the function that turns a JSON value into what the field stores; references are left to the store."""
    return _MAKERS[field.type](field)


def _text(field: Field) -> Check:
    limit = field.length
    kind = field.type

    def check(value: Any) -> str | None:
        if isinstance(value, str):
            # Salesforce trims text, and knows no difference between empty and null.
            value = value.strip()
            if len(value) > limit:
                message = f"{field.label}: data value too large: {value} (max length={limit})"
                raise RowError("STRING_TOO_LONG", message, [field.name])
            return value or None
        if value is None:
            return None
        raise WrongTypeError(kind, value)

    return check


def _email(field: Field) -> Check:
    text = _text(field)

    def check(value: Any) -> str | None:
        found: str | None = text(value)
        if found is not None and not _EMAIL.fullmatch(found):
            raise RowError("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {found}", [field.name])
        return found

    return check


def _picklist(field: Field) -> Check:
    text = _text(field)
    allowed = frozenset(field.values)
    several = field.type == "multipicklist"

    def check(value: Any) -> str | None:
        found: str | None = text(value)
        if found is None:
            return None
        for part in found.split(";") if several else (found,):
            if field.restricted and part not in allowed:
                message = f"{field.label}: bad value for restricted picklist field: {part}"
                raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, [field.name])
            if len(part) > _PICKLIST_LENGTH:
                message = f"{field.label}: data value too large: {part} (max length={_PICKLIST_LENGTH})"
                raise RowError("STRING_TOO_LONG", message, [field.name])
        return found

    return check


def _boolean(field: Field) -> Check:
    def check(value: Any) -> bool:
        if value is True or value is False:
            return bool(value)
        if value is None:
            raise RowError(
                "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: ", [field.name]
            )
        raise WrongTypeError("boolean", value)

    return check


def _double(field: Field) -> Check:
    limit = 10.0 ** (field.precision - field.scale)
    kind = field.type

    def check(value: Any) -> float | None:
        if value.__class__ is not float:
            if value is None:
                return None
            value = _as_number(kind, value)
        if not -limit < value < limit:
            message = f"{field.label}: value outside of valid range on numeric field: {value}"
            raise RowError("NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
        return float(value)  # more decimals than the scale are kept; only pages show fewer (Salesforce Help 000387302)

    return check


def _as_number(kind: str, value: Any) -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongTypeError(kind, value)
    return value


def _int(field: Field) -> Check:
    limit = 10**field.digits

    def check(value: Any) -> int | None:
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            if value is None:
                return None
            raise WrongTypeError("int", value)
        if not -limit < value < limit:
            message = f"{field.label}: value outside of valid range on numeric field: {value}"
            raise RowError("NUMBER_OUTSIDE_VALID_RANGE", message, [field.name])
        return value

    return check


def _date(_: Field) -> Check:
    def check(value: Any) -> str | None:
        if value is None:
            return None
        found = date_text(value) if isinstance(value, str) else None
        if found is None:
            raise WrongTypeError("date", value)
        return found

    return check


def _datetime(_: Field) -> Check:
    def check(value: Any) -> str | None:
        if value is None:
            return None
        found = datetime_text(value) if isinstance(value, str) else None
        if found is None:
            raise WrongTypeError("datetime", value)
        return found

    return check


def _time(_: Field) -> Check:
    def check(value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            raise WrongTypeError("time", value)
        seconds, _, fraction = value.removesuffix("Z").partition(".")
        return f"{seconds}.{fraction:0<3}Z"

    return check


def _never(field: Field) -> Check:
    def check(value: Any) -> Any:
        raise WrongTypeError(field.type, value)

    return check


@lru_cache(maxsize=_REMEMBERED)
def date_text(text: str) -> str | None:
    """Give a date as Salesforce returns it, or None if the text is none."""
    try:
        return dt.date.fromisoformat(text).isoformat() if len(text) == _DATE_LENGTH else None
    except ValueError:
        return None


@lru_cache(maxsize=_REMEMBERED)
def datetime_text(text: str) -> str | None:
    """Give an instant as Salesforce returns it, in UTC and whole seconds, or None if the text is none.

    Without an offset it is taken as UTC, which is the zone of the sandbox's user.
    """
    if not _DATETIME.fullmatch(text):
        return None
    try:
        instant = dt.datetime.fromisoformat(text)
        if instant.tzinfo is not None and instant.tzinfo is not dt.UTC:
            instant = instant.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return instant.isoformat()[:_SECONDS_LENGTH] + ".000+0000"


_MAKERS: Mapping[str, Callable[[Field], Check]] = {
    "string": _text,
    "textarea": _text,
    "phone": _text,
    "url": _text,
    "email": _email,
    "picklist": _picklist,
    "multipicklist": _picklist,
    "boolean": _boolean,
    "double": _double,
    "currency": _double,
    "percent": _double,
    "int": _int,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "address": _never,
    "id": _never,
    "reference": _never,
}
