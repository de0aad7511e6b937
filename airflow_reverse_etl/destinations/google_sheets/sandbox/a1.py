"""A1 notation: which cells a range names, and how Google writes a range back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import malformed

_END = re.compile(r"(?P<column>[A-Za-z]{1,3})?(?P<row>[1-9]\d*)?")
_CELL = re.compile(r"[A-Za-z]{1,3}[1-9]\d*")
_PLAIN_TITLE = re.compile(r"[^\W\d]\w*")


class Box(NamedTuple):
    """A range as it was asked for: zero-based, half-open; None leaves a side open."""

    top: int | None = None
    left: int | None = None
    bottom: int | None = None
    right: int | None = None

    @property
    def is_cell(self) -> bool:
        """Whether this is one cell: a place to start at rather than a frame to stay in."""
        if self.top is None or self.left is None:
            return False
        return self.bottom == self.top + 1 and self.right == self.left + 1


class Area(NamedTuple):
    """A range within a grid, all four sides known."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def box(self) -> Box:
        return Box(*self)


@cache
def column_name(index: int) -> str:
    """Letters of a zero-based column: 0 is A, 26 is AA."""
    name = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


@cache
def column_index(name: str) -> int:
    """The zero-based column of its letters."""
    number = 0
    for letter in name.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def split(text: str) -> tuple[str | None, str | None]:
    """The title of the tab and the cells of a range, either of which may be missing: `'My tab'!A1:B2`, `A1`, `Tab`.

    A name without cells that reads like a cell is that cell of the first tab, as Google has it.
    A quoted name is a title and nothing else. (None, None) is what cannot be read.
    """
    if text.startswith("'"):
        match = re.fullmatch(r"'((?:[^']|'')+)'(?:!(.+))?", text, re.DOTALL)
        return (match[1].replace("''", "'"), match[2]) if match else (None, None)
    title, mark, cells = text.rpartition("!")
    if mark:
        return (title, cells) if title and cells else (None, None)
    if _CELL.fullmatch(text) or ":" in text:
        return None, text
    return (text, None) if text else (None, None)


def parse_cells(text: str) -> Box | None:
    """The cells of `A1`, `A1:B2`, `A:B`, `A2:B`, `2:5`; None if it is none of these."""
    first, colon, last = text.partition(":")
    start, end = _END.fullmatch(first), _END.fullmatch(last if colon else first)
    if start is None or end is None or not first or (colon and not last):
        return None
    left, top = _corner(start)
    right, bottom = _corner(end)
    if not colon:
        if left is None or top is None:
            return None
        return Box(top, left, top + 1, left + 1)
    if left is not None and right is not None and right < left:
        left, right = right, left
    if top is not None and bottom is not None and bottom < top:
        top, bottom = bottom, top
    return Box(top, left, None if bottom is None else bottom + 1, None if right is None else right + 1)


def _corner(match: re.Match[str]) -> tuple[int | None, int | None]:
    column, row = match["column"], match["row"]
    return (column_index(column) if column else None), (int(row) - 1 if row else None)


def grid_box(grid: Mapping[str, object]) -> Box:
    """The cells of a GridRange.

    :raises ApiError: 400 if an index is below zero or an end lies before its start.
    """
    top, left = _index(grid, "startRowIndex"), _index(grid, "startColumnIndex")
    bottom, right = _index(grid, "endRowIndex"), _index(grid, "endColumnIndex")
    for name, start, end in (("Row", top, bottom), ("Column", left, right)):
        if end is not None and end < (start or 0):
            raise malformed(f"GridRange.end{name}Index[{end}] must be after startIndex[{start or 0}]")
    return Box(top, left, bottom, right)


def _index(grid: Mapping[str, object], name: str) -> int | None:
    value = grid.get(name)
    if isinstance(value, int) and value < 0:
        raise malformed(f"GridRange.{name}[{value}] must not be negative")
    return value if isinstance(value, int) else None


def quote(title: str) -> str:
    """A title as Google writes it in a range: in quotes only where it needs them."""
    if _PLAIN_TITLE.fullmatch(title) and not _CELL.fullmatch(title):
        return title
    return "'" + title.replace("'", "''") + "'"


def write(title: str, box: Box | Area) -> str:
    """A range as Google writes it: `Sheet1!A1:C2`, one cell without a colon, open sides left out."""
    top, left, bottom, right = box
    start = ("" if left is None else column_name(left)) + ("" if top is None else str(top + 1))
    end = ("" if right is None else column_name(right - 1)) + ("" if bottom is None else str(bottom))
    return f"{quote(title)}!{start}" if start == end else f"{quote(title)}!{start}:{end}"
