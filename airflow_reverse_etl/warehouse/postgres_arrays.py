"""An array of PostgreSQL travels as JSON: this reads the braces that COPY writes for it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.warehouse.canonical import Unreadable
from airflow_reverse_etl.warehouse.columns import text_of

if TYPE_CHECKING:
    import pyarrow as pa

Read = Callable[[str], object]


def reader(read: Read, delimiter: str) -> Callable[[pa.Array], pa.Array]:
    """Return what turns a column of array literals into canonical text; `read` makes a value of an element's text."""
    token = _token(delimiter)

    def convert(text: pa.Array) -> pa.Array:
        encoded = text.dictionary_encode()
        values = [_parsed(literal, read, token) for literal in encoded.dictionary.to_pylist()]
        return text_of(values).take(encoded.indices)

    return convert


def _token(delimiter: str) -> re.Pattern[str]:
    bare = rf'[^{{}}"{re.escape(delimiter)}]+'
    return re.compile(rf'(?P<brace>[{{}}])|"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>{bare})|.', re.DOTALL)


def _parsed(literal: str, read: Read, token: re.Pattern[str]) -> object:
    """Return the (nested) list that an array literal stands for, without the bounds that may precede it."""
    top: list[Any] = []
    open_lists = [top]
    for match in token.finditer(literal, literal.index("{")):
        kind, text = match.lastgroup, match[match.lastgroup or 0]
        if text == "{" and kind == "brace":
            open_lists[-1].append([])
            open_lists.append(open_lists[-1][-1])
        elif kind == "brace":
            open_lists.pop()
        elif kind == "quoted":
            open_lists[-1].append(read(re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)))
        elif kind == "bare":
            open_lists[-1].append(None if text == "NULL" else read(text))
    return top[0]


def decimal(text: str) -> Decimal:
    """Read a numeric."""
    return Decimal(text)


def day(text: str) -> object:
    """Read a date; infinite ones and years that Python does not know are `Unreadable`."""
    return _or_unreadable(dt.date.fromisoformat, text)


def clock(text: str) -> object:
    """Read a time of day; the hour 24 is `Unreadable`."""
    return _or_unreadable(dt.time.fromisoformat, text)


def moment(text: str) -> object:
    """Read a timestamp with or without zone; infinite ones and years that Python does not know are `Unreadable`."""
    return _or_unreadable(dt.datetime.fromisoformat, text)


def octets(text: str) -> bytes:
    """Read a bytea."""
    return bytes.fromhex(text.removeprefix("\\x"))


def document(text: str) -> object:
    """Read JSON with exact numbers."""
    return json.loads(text, parse_float=Decimal)


def _or_unreadable(read: Callable[[str], object], text: str) -> object:
    try:
        return read(text)
    except ValueError:
        return Unreadable("range")
