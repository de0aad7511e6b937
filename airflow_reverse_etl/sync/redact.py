"""Applications quote values in their messages; logs, errors and XCom show `…` in their place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LONG_ENOUGH = 4
"""A shorter value is hidden only where it stands alone: an `a` must not be cut out of every word."""

SMALL_NUMBER = re.compile(r"-?\d{1,5}(\.\d*)?")

CUT = 24
"""An application that shortens a long value still shows at least so many characters of it."""


def redact(message: str, values: Iterable[Any], *, short: bool = True) -> str:
    """Return a message with every value of a record replaced by `…`.

    :param short: short values and small numbers too; not in messages about a whole call, which are mostly our own
        words and would lose their status and their seconds to the numbers of a thousand records.
    """
    if not message:
        return message
    low = message.lower()
    spelled = {text for value in values for text in _spellings(value) if text and text[:CUT].lower() in low}
    if not short:
        spelled = {text for text in spelled if len(text) >= LONG_ENOUGH and not SMALL_NUMBER.fullmatch(text)}
    for text in sorted(spelled, key=len, reverse=True):
        message = _hide(message, text)
    return message


def _hide(message: str, text: str) -> str:
    if len(text) > CUT:
        message = _hide_prefix(message, text)
    pattern = re.escape(text)
    if len(text) < LONG_ENOUGH:
        pattern = rf"(?<![^\W_]){pattern}(?![^\W_])"
    return re.sub(pattern, "…", message, flags=re.IGNORECASE)


def _hide_prefix(message: str, text: str) -> str:
    """Hide a value that was cut short: from where it begins for as long as it agrees."""
    start = message.find(text[:CUT])
    while start >= 0:
        end = start + CUT
        while end < len(message) and end - start < len(text) and message[end] == text[end - start]:
            end += 1
        message = message[:start] + "…" + message[end:]
        start = message.find(text[:CUT], start + 1)
    return message


def _spellings(value: Any) -> Iterable[str]:
    """Return the ways in which an application may quote a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _spellings(item)
    elif value is not None and not isinstance(value, bool):
        yield from _spellings_of_one(value)


def _spellings_of_one(value: Any) -> Iterable[str]:
    yield str(value)
    match value:
        case str():
            yield value.strip()
            yield json.dumps(value)[1:-1]
            yield json.dumps(value, ensure_ascii=False)[1:-1]
            yield from (part.strip() for part in value.split(";"))
            yield from (part.strip(' "') for part in value.strip("[]{} ").split(","))
        case Decimal() if value.is_finite():
            yield format(value.normalize(), "f")
        case datetime():
            yield value.isoformat()
            yield value.strftime("%Y-%m-%d")
            yield str((value.replace(tzinfo=value.tzinfo or UTC) - EPOCH) // timedelta(milliseconds=1))
