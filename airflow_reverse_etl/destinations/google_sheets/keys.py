"""Which cell holds which key: a cell that is read unformatted, as the canonical text that the engine knows keys by."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

EPOCH = dt.date(1899, 12, 30)
"""Day 0 of serial numbers (Sheets API guide, "Date and time values")."""

A_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def key_of(cell: Any) -> str:
    """Return the canonical text of the key that a cell holds: a number is its plain digits, text is itself."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else format(Decimal(repr(cell)), "f")
    return str(cell)


def spellings(key: str) -> tuple[str, ...]:
    """Return how cells may hold a key: a day stands there as text, or as the serial number of a real date."""
    if len(key) != len("yyyy-mm-dd") or not A_DAY.fullmatch(key):
        return (key,)
    try:
        return key, str((dt.date.fromisoformat(key) - EPOCH).days)
    except ValueError:  # 2026-02-30
        return (key,)
