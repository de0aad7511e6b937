"""Ranges in A1 notation (Sheets API guide, "Cells"): tab titles are always quoted, rows and columns count from 1."""

from __future__ import annotations

from urllib.parse import quote


def letters(column: int) -> str:
    """Return the letters of a column: 1 is A, 27 is AA."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def quoted(title: str) -> str:
    """Return a tab's title as a range begins with it."""
    return "'" + title.replace("'", "''") + "'"


def block(title: str, top: int, left: int, bottom: int | None, right: int) -> str:
    """Return a rectangle of cells; `bottom` None reaches to the end of the tab."""
    return f"{quoted(title)}!{letters(left)}{top}:{letters(right)}{bottom or ''}"


def row(title: str, number: int) -> str:
    """Return one whole row."""
    return f"{quoted(title)}!{number}:{number}"


def in_path(a1: str) -> str:
    """Return a range as a part of a URL's path."""
    return quote(a1, safe="")
