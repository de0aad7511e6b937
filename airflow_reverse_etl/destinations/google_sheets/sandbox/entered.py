"""What Sheets makes of text that is entered as if typed (`USER_ENTERED`), in the locale en_US."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from airflow_reverse_etl.destinations.google_sheets.sandbox import cells
from airflow_reverse_etl.destinations.google_sheets.sandbox.cells import (
    SKIP,
    BadValueError,
    Cell,
    CellError,
    Formula,
    Patch,
    Scalar,
)

NumberFormat = Mapping[str, str]
EPOCH = datetime(1899, 12, 30, tzinfo=UTC)

_NUMBER = re.compile(r"([+-]?)([$€]?)(\d{1,3}(?:,\d{3})+|\d*)(\.\d*)?(?:[eE]([+-]?\d+))?(%?)")
_DATE = re.compile(
    r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})|(?P<m2>\d{1,2})[/-](?P<d2>\d{1,2})(?:[/-](?P<y2>\d{4}))?"
)
_TIME = re.compile(r"(?P<h>\d{1,2}):(?P<min>\d{2})(?::(?P<s>\d{2})(?:\.\d+)?)?(?: ?(?P<half>[AaPp][Mm]))?")
_OPERATORS: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def entered(
    values: Sequence[object], limit: int, is_text: Callable[[int], bool]
) -> tuple[list[Patch], dict[int, NumberFormat]]:
    """One row or column of a request with `valueInputOption=USER_ENTERED`.

    :param is_text: whether the cell at a position is formatted as plain text, where nothing is parsed.
    :returns: what to write, and the number formats that the parsing brings, by position.
    """
    patches: list[Patch] = []
    formats: dict[int, NumberFormat] = {}
    for position, value in enumerate(values):
        if not isinstance(value, str):
            patches.append(_scalar(position, value))
            continue
        text = cells.text(value, limit)
        if text is None or is_text(position):
            patches.append(text)
            continue
        cell, number_format = parse(text)
        patches.append(cell)
        if number_format is not None:
            formats[position] = number_format
    return patches, formats


def _scalar(position: int, value: object) -> Patch:
    if value is None:
        return SKIP
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return cells.number(value)
    raise BadValueError(position, value)


def parse(text: str) -> tuple[Cell, NumberFormat | None]:
    """What a typed text becomes, and the number format that comes with it (None: the cell keeps its own)."""
    if text.startswith("'"):
        return text[1:] or None, None
    if text.startswith("="):
        return formula(text), None
    stripped = text.strip()
    if stripped.upper() in ("TRUE", "FALSE"):
        return stripped.upper() == "TRUE", None
    found = _number(stripped) or _moment(stripped)
    if found is not None:
        return found
    if text[0] in "+-":  # not a number: Sheets takes it for a formula
        return formula("=" + text), None
    return text, None


def _number(text: str) -> tuple[Cell, NumberFormat | None] | None:
    match = _NUMBER.fullmatch(text)
    if match is None or not (match[3] or (match[4] and match[4] != ".")):
        return None
    sign, currency, whole, fraction, power, percent = match.groups(default="")
    value = float(f"{sign}{whole.replace(',', '') or '0'}{fraction}e{power or 0}")
    if not math.isfinite(value):
        return None
    decimals = ".00" if len(fraction) > 1 else ""
    if percent:
        return cells.number(value / 100), {"type": "PERCENT", "pattern": f"0{decimals}%"}
    if currency:
        return cells.number(value), {"type": "CURRENCY", "pattern": f'"{currency}"#,##0{decimals}'}
    if power:
        return cells.number(value), {"type": "SCIENTIFIC", "pattern": "0.00E+00"}
    if "," in whole:
        return cells.number(value), {"type": "NUMBER", "pattern": f"#,##0{decimals}"}
    return cells.number(value), None


def _moment(text: str) -> tuple[Cell, NumberFormat | None] | None:
    day, _, clock = text.partition(" ")
    date = _DATE.fullmatch(day)
    time = _TIME.fullmatch(clock if date else text)
    if (date is None and time is None) or (date and clock and time is None):
        return None
    serial = 0.0
    pattern = ""
    if date is not None:
        whole = _days(date)
        if whole is None:
            return None
        serial, pattern = float(whole), "yyyy-mm-dd" if date["y"] else "m/d/yyyy"
    if time is not None:
        part = _part_of_day(time)
        if part is None:
            return None
        serial += part
        hours = "h:mm:ss am/pm" if time["half"] else "h:mm:ss"
        pattern = f"{pattern} {hours}".strip()
    kind = "DATE_TIME" if date and time else "DATE" if date else "TIME"
    return cells.number(serial), {"type": kind, "pattern": pattern}


def _days(match: re.Match[str]) -> int | None:
    year = match["y"] or match["y2"] or datetime.now(UTC).year
    try:
        day = datetime(int(year), int(match["m"] or match["m2"]), int(match["d"] or match["d2"]), tzinfo=UTC)
    except ValueError:
        return None
    return (day - EPOCH).days


def _part_of_day(match: re.Match[str]) -> float | None:
    hour, minute, second = int(match["h"]), int(match["min"]), int(match["s"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return (hour * 3600 + minute * 60 + second) / 86400


def formula(text: str) -> Formula:
    """A formula. Arithmetic on constants is computed; whatever needs other cells shows `Loading...` for ever."""
    source = text[1:].strip()
    quoted = re.fullmatch(r'"((?:[^"]|"")*)"', source)
    if quoted:
        return Formula(text, quoted[1].replace('""', '"'))
    if source.upper() in ("TRUE", "FALSE"):
        return Formula(text, source.upper() == "TRUE")
    if not re.fullmatch(r"[\d\s.+\-*/()eE]+", source):
        return Formula(text, CellError.LOADING)
    try:
        value = _compute(ast.parse(source, mode="eval").body)
        return Formula(text, cells.number(value) if math.isfinite(value) else CellError.ERROR)
    except ZeroDivisionError:
        return Formula(text, CellError.DIVIDE_BY_ZERO)
    except (SyntaxError, ValueError, OverflowError, RecursionError):
        return Formula(text, CellError.ERROR)


def _compute(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _compute(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_compute(node.left), _compute(node.right))
    raise ValueError("not arithmetic")


def shown(cell: Cell) -> Scalar | CellError | None:
    """The effective value of a cell: a formula's result, any other cell's content."""
    return cell.shows if isinstance(cell, Formula) else cell
