"""Values as cells take them (Sheets API reference, "ValueRange"): texts, numbers, booleans; dates are numbers, too."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from airflow_reverse_etl.destinations.google_sheets.keys import EPOCH
from airflow_reverse_etl.model import plain_number

Cell = str | int | float | bool

LONGEST = 50_000
"""Characters that a cell holds."""

DIGITS = 15
"""Digits that a cell's number keeps for certain; longer ones are written as text, so that none is lost."""

SMALLEST = -300
"""Powers of ten below which a cell's number loses digits."""

MOMENTS = (dt.datetime, dt.date, dt.time)
"""A datetime is a date, too, and comes first."""

MIDNIGHT = dt.time()
DAY = dt.timedelta(days=1)

LIKE_A_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters that make typed text a formula, the full-width ones of East Asian keyboards too (OWASP, "CSV
Injection")."""


class CannotEncodeError(ValueError):
    """A value that no cell can hold; the text says why, without the value."""


class TooLongError(CannotEncodeError):
    """A text that is longer than a cell."""


@dataclass(frozen=True)
class Encoded:
    """A column of values, encoded.

    :param cells: one for each value; None leaves a cell alone, and stands for what could not be encoded.
    :param problems: position -> why.
    :param dated: the type of its dates, if there are any: their cells are numbers that must be shown as dates.
    """

    cells: list[Cell | None]
    problems: Mapping[int, CannotEncodeError]
    dated: type | None


class Encoder:
    """Turns values into what stands for them in a request's JSON.

    :param zone: in which instants are shown.
    :param typed: the values go in as if typed by a person (`user_entered`), so that text which must stay text needs an
        apostrophe in front.
    """

    def __init__(self, zone: ZoneInfo, *, typed: bool) -> None:
        self._zone = zone
        self._typed = typed
        self._by_type: Mapping[type, Callable[[Any], Cell]] = {
            str: self._text,
            type(None): lambda _: "",
            bool: lambda value: value,
            int: self._whole,
            float: lambda value: value,
            Decimal: self._decimal,
            dt.datetime: self._moment,
            dt.date: self._day,
            dt.time: _part_of_day,
            list: self._json,
            dict: self._json,
        }

    def column(self, values: Sequence[Any], *, skip: bool = False) -> Encoded:
        """Encode the values of a field.

        :param skip: NULL leaves a cell alone, in place of emptying it.
        """
        cells: list[Cell | None] = []
        problems: dict[int, CannotEncodeError] = {}
        for position, value in enumerate(values):
            try:
                cells.append(None if skip and value is None else self.cell(value))
            except CannotEncodeError as problem:
                cells.append(None)
                problems[position] = problem
        return Encoded(cells, problems, _moment_type(values))

    def keys(self, keys: Sequence[str], values: Sequence[Any]) -> Encoded:
        """Encode the keys of new rows.

        :param values: what the warehouse has for them, None where it is not known.
        """
        cells: list[Cell | None] = []
        problems: dict[int, CannotEncodeError] = {}
        for position, (key, value) in enumerate(zip(keys, values, strict=True)):
            try:
                cells.append(self.key(key, value))
            except CannotEncodeError as problem:
                cells.append(None)
                problems[position] = problem
        return Encoded(cells, problems, _moment_type(values))

    def cell(self, value: Any) -> Cell:
        """Return a value as JSON for a cell; None and '' empty it.

        :raises CannotEncodeError: no cell can hold it.
        """
        encode = self._by_type.get(type(value)) or self._of_subclass(value)
        return encode(value)

    def key(self, key: str, value: Any) -> Cell:
        """Return the key of a new row: a number or a real date where the warehouse has one, else the canonical text.

        Its text stays text in any case: a `007` that was typed would be found no more, and doubled by the next run.

        :raises TooLongError: it is longer than a cell.
        """
        number = None if value is None or isinstance(value, str) else self.cell(value)
        return self._exact(key) if number is None or isinstance(number, str) else number

    def _of_subclass(self, value: Any) -> Callable[[Any], Cell]:
        for known, encode in self._by_type.items():
            if isinstance(value, known):
                return encode
        message = f"a value of type {type(value).__name__}, which no cell holds"
        raise CannotEncodeError(message)

    def _text(self, text: str) -> str:
        if self._typed and (text[:1].isspace() or text.startswith("'") or text.lstrip().startswith(LIKE_A_FORMULA)):
            return self._exact(text)
        return _fitting(text)

    def _exact(self, text: str) -> str:
        return f"'{_fitting(text)}" if self._typed and text else _fitting(text)

    def _whole(self, value: int) -> Cell:
        return value if abs(value) < 10**DIGITS else self._exact(str(value))

    def _decimal(self, value: Decimal) -> Cell:
        if not value:
            return 0
        if SMALLEST < value.adjusted() < DIGITS and _digits(value) <= DIGITS:
            number = float(value)
            return int(number) if number.is_integer() else number
        return self._exact(plain_number(format(value, "f")))

    def _moment(self, value: dt.datetime) -> Cell:
        """Return a serial number; what lies before day 0 is shown by no date format, and is ISO text."""
        try:
            local = value.astimezone(self._zone).replace(tzinfo=None) if value.tzinfo else value
        except OverflowError:
            message = "an instant that lies outside the years 1 to 9999 in the zone of the spreadsheet"
            raise CannotEncodeError(message) from None
        days = (local.date() - EPOCH).days
        return _sum(days, local.time()) if days >= 0 else self._exact(local.isoformat(sep=" "))

    def _day(self, value: dt.date) -> Cell:
        days = (value - EPOCH).days
        return days if days >= 0 else self._exact(value.isoformat())

    def _json(self, value: Any) -> str:
        return self._exact(json_text(value))


def _moment_type(values: Iterable[Any]) -> type | None:
    found = next((value for value in values if isinstance(value, dt.date | dt.time)), None)
    return next((kind for kind in MOMENTS if isinstance(found, kind)), None)


def _digits(value: Decimal) -> int:
    """Return how many digits a number has, zeros at its end left out."""
    digits = value.as_tuple().digits
    return len(digits) if len(digits) <= DIGITS else len("".join(map(str, digits)).rstrip("0"))


def _fitting(text: str) -> str:
    if len(text) > LONGEST:
        message = f"text of {len(text):,} characters: a cell holds {LONGEST:,}"
        raise TooLongError(message)
    return text


def _sum(days: int, time: dt.time) -> int | float:
    """Return a moment as days; it has no fraction at midnight, so that dates stay whole."""
    since_midnight = dt.datetime.combine(dt.date.min, time) - dt.datetime.combine(dt.date.min, MIDNIGHT)
    return (days * DAY + since_midnight) / DAY if since_midnight else days


def _part_of_day(value: dt.time) -> int | float:
    return _sum(0, value.replace(tzinfo=None))


def json_text(value: Any) -> str:
    """Return JSON with exact decimals, which the standard library's writer does not know.

    :raises CannotEncodeError: something in it has no spelling in JSON.
    """
    match value:
        case dict():
            return "{" + ",".join(f"{_quoted(str(name))}:{json_text(item)}" for name, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(map(json_text, value)) + "]"
        case Decimal():
            return plain_number(format(value, "f"))
        case float() if not math.isfinite(value):
            message = "a list or object with a number that is not finite"
            raise CannotEncodeError(message)
        case None | bool() | int() | float() | str():
            return _quoted(value)
        case dt.date() | dt.time():  # a datetime is a date, too
            return _quoted(value.isoformat())
    message = f"a list or object that holds a value of type {type(value).__name__}"
    raise CannotEncodeError(message)


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
