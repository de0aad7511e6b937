"""One small function per property that takes a value as HubSpot stores it, or says in HubSpot's words why it may not.

They run once per value of every batch, so each property's function is made once, ahead of time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_reverse_etl.destinations.hubspot.sandbox.properties import Property
    from airflow_reverse_etl.destinations.hubspot.sandbox.settings import Settings

    Check = Callable[[str], str]

_NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_EPOCH = re.compile(r"-?\d{1,15}", re.ASCII)
_EMAIL = re.compile(
    r"[^@\s,;<>()\[\]\\\"]+@[^@\s,;<>()\[\]\\\"._-][^@\s,;<>()\[\]\\\"_]*\.[^@\s,;<>()\[\]\\\"._\d-]{2,}"
)
_MIN_EPOCH, _MAX_EPOCH = -62_135_596_800_000, 253_402_300_799_999  # the years 1 to 9999, in milliseconds
_YEARS = 1000  # so far from now a date may lie, in both directions


class Invalid(Exception):  # noqa: N818  not an error of the fake
    """A value that HubSpot refuses.

    :param normalized: what version 2026-09 stores in its place instead of refusing it; "" where it refuses, too.
    """

    def __init__(self, code: str, message: str, normalized: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.normalized = normalized


def check_for(definition: Property, settings: Settings) -> Check:
    """Return the function that checks the values of this property. The empty string, which clears, passes all."""
    if definition.calculated or definition.read_only:
        return _read_only(definition.name)
    return _optional(_by_type(definition, settings))


def _by_type(definition: Property, settings: Settings) -> Check:
    if definition.name in _BY_NAME:
        return _BY_NAME[definition.name]
    match definition.type:
        case "number":
            return number
        case "date":
            return _day(settings.clock())
        case "datetime":
            return _instant(settings.clock())
        case "bool" | "enumeration":
            return _enumeration(definition, settings)
        case _:
            return _text(settings)


def _optional(check: Check) -> Check:
    def optional(value: str) -> str:
        return check(value) if value else value

    return optional


def _read_only(name: str) -> Check:
    def refuse(_value: str) -> str:
        raise Invalid("READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')

    return refuse


def _text(settings: Settings) -> Check:
    def text(value: str) -> str:
        longest = settings.max_text_characters
        if len(value) > longest:
            raise Invalid("INVALID_LENGTH", f"Property value is too long. The maximum length is {longest} characters.")
        return value

    return text


def number(value: str) -> str:
    # HubSpot has been seen to refuse 1.4210854715202004e-14, so an exponent is no number here.
    if _NUMBER.fullmatch(value) is None:
        raise Invalid("INVALID_INTEGER", f"{value} was not a valid number.")
    return value


def _day(now: float) -> Check:
    """A day, or the epoch milliseconds of a midnight UTC; another time of day is refused, or cut off by 2026-09."""
    in_reach = _reach(now)

    def day(value: str) -> str:
        at = moment(value)
        if at is None:
            raise Invalid("INVALID_DATE", f"{value} was not a valid date.")
        in_reach(at, value)
        midnight = at.date().isoformat()
        if at.hour or at.minute or at.second or at.microsecond:
            time = f"{at.hour}:{at.minute}:{at.second}.{at.microsecond // 1000}"
            raise Invalid("INVALID_DATE", f"{value} is at {time} UTC, not midnight!", midnight)
        return midnight

    return day


def _instant(now: float) -> Check:
    """An instant with its zone, a day (its midnight UTC), or epoch milliseconds; kept with milliseconds, in UTC."""
    in_reach = _reach(now)

    def instant(value: str) -> str:
        at = moment(value)
        if at is None:
            raise Invalid("INVALID_LONG", f"{value} was not a valid long.")
        in_reach(at, value)
        return iso(at)

    return instant


def _reach(now: float) -> Callable[[datetime, str], None]:
    this_year = datetime.fromtimestamp(now, UTC).year
    first, last = this_year - _YEARS, this_year + _YEARS

    def in_reach(at: datetime, value: str) -> None:
        if not first <= at.year <= last:
            raise Invalid("INVALID_DATE", f"{value} is more than 1,000 years ago or 1,000 years from now.")

    return in_reach


def iso(at: datetime) -> str:
    """HubSpot's way to write an instant in UTC: 2026-11-20T07:00:00.000Z."""
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def moment(value: str) -> datetime | None:
    """Read epoch milliseconds, a day (its midnight UTC) or an instant with its zone; None if it is none of these."""
    if _EPOCH.fullmatch(value):
        milliseconds = int(value)
        if not _MIN_EPOCH <= milliseconds <= _MAX_EPOCH:
            return None
        return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)
    text = f"{value}T00:00Z" if _DATE.fullmatch(value) else value
    if _INSTANT.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _enumeration(definition: Property, settings: Settings) -> Check:
    if definition.referenced_object == "OWNER":
        return _owner(settings)
    allowed = frozenset(option.value for option in definition.options)
    listed = ", ".join(option.value for option in definition.options)

    def one_of(value: str) -> str:
        if value not in allowed:
            raise Invalid("INVALID_OPTION", f"{value} was not one of the allowed options: [{listed}]")
        return value

    def some_of(values: str) -> str:
        # A leading semicolon appends to what is there; the write puts the two together.
        for value in values.removeprefix(";").split(";"):
            one_of(value)
        return values

    return some_of if definition.field_type == "checkbox" else one_of


def _owner(settings: Settings) -> Check:
    def owner(value: str) -> str:
        if value not in settings.owners:
            raise Invalid("INVALID_OWNER_ID", f"{value} is not a valid owner id.")
        return value

    return owner


def email(value: str) -> str:
    address = value.strip().lower()
    if _EMAIL.fullmatch(address) is None or ".." in address:
        raise Invalid("INVALID_EMAIL", f"Email address {value} is invalid")
    return address


def emails(values: str) -> str:
    return joined(email(value) for value in values.split(";"))


def joined(values: Iterable[str]) -> str:
    """Values of a multiple choice, each once, in the order of their first appearance."""
    return ";".join(dict.fromkeys(value for value in values if value))


_BY_NAME: dict[str, Check] = {"email": email, "hs_additional_emails": emails}
