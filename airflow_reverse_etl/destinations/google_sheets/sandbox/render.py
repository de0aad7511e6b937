"""How a value reads: the three render options, number formats and dates, in the locale en_US."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from airflow_reverse_etl.destinations.google_sheets.sandbox.cells import Cell, CellError, Formula, Scalar
from airflow_reverse_etl.destinations.google_sheets.sandbox.entered import EPOCH, shown
from airflow_reverse_etl.destinations.google_sheets.sandbox.formats import Format

DEFAULT_PATTERNS: Mapping[str, str] = {
    "NUMBER": "#,##0.00",
    "PERCENT": "0.00%",
    "CURRENCY": '"$"#,##0.00',
    "DATE": "m/d/yyyy",
    "TIME": "h:mm:ss am/pm",
    "DATE_TIME": "m/d/yyyy h:mm:ss",
    "SCIENTIFIC": "0.00E+00",
}
MOMENTS = ("DATE", "TIME", "DATE_TIME")
LAST_DAY = 2_958_465  # 9999-12-31

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MOMENT_TOKEN = re.compile(r"y+|m+|d+|h+|s+|\.0+|am/pm|AM/PM|\"[^\"]*\"|\\.|.", re.DOTALL)
_NUMBER_PATTERN = re.compile(
    r"(?P<before>(?:\"[^\"]*\"|[^#0.,E%\"])*)(?P<digits>[#0,]*(?:\.[#0]*)?)(?P<after>.*)", re.DOTALL
)


def render(cell: Cell, look: Format, value_option: str, moment_option: str) -> Scalar:
    """A cell as a read returns it; an empty one is "".

    :param value_option: FORMATTED_VALUE, UNFORMATTED_VALUE or FORMULA.
    :param moment_option: SERIAL_NUMBER or FORMATTED_STRING: dates where they are not formatted anyway.
    """
    if cell is None:
        return ""
    if value_option == "FORMULA" and isinstance(cell, Formula):
        return cell.text
    value = shown(cell)
    if isinstance(value, CellError):
        return value.value
    if value is None or isinstance(value, str):
        return value or ""
    if value_option == "FORMATTED_VALUE" or (moment_option == "FORMATTED_STRING" and _kind(look) in MOMENTS):
        return formatted(value, look)
    return value


def formatted(value: Scalar, look: Format) -> str:
    """A value as the browser shows it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    kind = _kind(look)
    pattern = _pattern(look, kind)
    if kind in MOMENTS:
        return moment(value, pattern) if 0 <= value <= LAST_DAY else general(value)
    if not pattern or kind == "TEXT":
        return general(value)
    return _patterned(value, pattern)


def general(value: float) -> str:
    """A number in the automatic format."""
    if isinstance(value, int) and abs(value) < 10**15:
        return str(value)
    if 1e-5 <= abs(value) < 1e15:
        whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
        return f"{value:.{15 - whole if whole > 9 else 10 - whole}f}".rstrip("0").rstrip(".")
    mantissa, _, power = f"{value:.5E}".partition("E")
    return f"{mantissa.rstrip('0').rstrip('.')}E{power}" if value else "0"


def moment(serial: float, pattern: str) -> str:
    """A serial number as date, time or both; an m after an hour or before a second is a minute."""
    when = EPOCH + timedelta(seconds=round(serial * 86400, 3))
    tokens = _MOMENT_TOKEN.findall(pattern)
    half = any(token.lower() == "am/pm" for token in tokens)
    text = ""
    for position, token in enumerate(tokens):
        letter = token[0]
        if letter == "m" and token.islower() and len(token) <= 2 and _is_minute(tokens, position):
            text += f"{when.minute:0{len(token)}d}"
        elif letter == "y":
            text += f"{when.year:04d}" if len(token) > 2 else f"{when.year % 100:02d}"
        elif letter == "m":
            text += _named(when.month, _MONTHS[when.month - 1], token)
        elif letter == "d":
            text += _named(when.day, _DAYS[when.weekday()], token)
        elif letter == "h":
            text += f"{((when.hour - 1) % 12 + 1) if half else when.hour:0{len(token)}d}"
        elif letter == "s":
            text += f"{when.second:0{len(token)}d}"
        elif token.startswith(".0"):
            text += f".{when.microsecond:06d}"[: len(token)]
        elif token.lower() == "am/pm":
            text += "AM" if when.hour < 12 else "PM"
        else:
            text += token.strip('"') if len(token) > 1 and letter == '"' else token[-1]
    return text


def _named(number: int, name: str, token: str) -> str:
    if len(token) <= 2:
        return f"{number:0{len(token)}d}"
    return name[:3] if len(token) == 3 else name


def _is_minute(tokens: list[str], position: int) -> bool:
    before = next((token[0] for token in reversed(tokens[:position]) if token[0] in "ymdhs"), "")
    after = next((token[0] for token in tokens[position + 1 :] if token[0] in "ymdhs"), "")
    return before == "h" or after == "s"


def _patterned(value: float, pattern: str) -> str:
    match = _NUMBER_PATTERN.fullmatch(pattern.partition(";")[0])
    if match is None:
        return general(value)
    before, digits, after = match["before"].replace('"', ""), match["digits"], match["after"]
    decimals = len(digits.partition(".")[2])
    if after.startswith("E+"):
        mantissa, _, power = f"{value:.{decimals}E}".partition("E")
        return f"{before}{mantissa}E{power[0]}{power[1:].zfill(after.count('0'))}"
    if "%" in after:
        value *= 100
    separator = "," if "," in digits else ""
    text = f"{abs(value):{separator}.{decimals}f}"
    return f"{'-' if value < 0 else ''}{before}{text}{after.replace(chr(34), '')}"


def _kind(look: Format) -> str:
    number_format = look.get("numberFormat")
    return str(number_format.get("type") or "") if isinstance(number_format, Mapping) else ""


def _pattern(look: Format, kind: str) -> str:
    number_format = look.get("numberFormat")
    given = number_format.get("pattern") if isinstance(number_format, Mapping) else None
    return str(given or DEFAULT_PATTERNS.get(kind, ""))
