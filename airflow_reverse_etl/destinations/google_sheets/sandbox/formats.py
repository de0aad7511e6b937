"""Cell formats of one tab, kept apart from the cells: for each column, runs of rows that look alike.

A date column of 100,000 rows is one run, so that formats cost nothing where there are none or all are the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping

import msgspec

from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import Area

Format = Mapping[str, object]
Run = tuple[int, int, int]  # first row, row after the last, number of the format

PLAIN: Format = {}


class Formats:
    """Which CellFormat (`userEnteredFormat`) each cell has."""

    def __init__(self) -> None:
        self._palette: list[Format] = [PLAIN]
        self._numbers: dict[bytes, int] = {msgspec.json.encode(PLAIN): 0}
        self._columns: dict[int, tuple[Run, ...]] = {}  # runs in order; what no run covers is plain

    def copy(self) -> Formats:
        """A copy to change; runs are tuples and the palette only grows, so that little is copied."""
        twin = Formats()
        twin._palette, twin._numbers = self._palette, self._numbers
        twin._columns = dict(self._columns)
        return twin

    def at(self, row: int, column: int) -> Format:
        """The format of one cell."""
        runs = self._columns.get(column)
        if runs is None:
            return PLAIN
        position = bisect_right(runs, row, key=_start) - 1
        if position < 0 or runs[position][1] <= row:
            return PLAIN
        return self._palette[runs[position][2]]

    def last_row(self, column: int) -> int:
        """The row after the last formatted one of a column."""
        runs = self._columns.get(column)
        return runs[-1][1] if runs else 0

    def change(self, area: Area, edit: Callable[[Format], Format]) -> None:
        """Replace the format of every cell of an area by what `edit` makes of it."""
        known: dict[int, int] = {}

        def edited(number: int) -> int:
            if number not in known:
                known[number] = self._number(edit(self._palette[number]))
            return known[number]

        if area.top >= area.bottom:
            return
        for column in range(area.left, area.right):
            self._set(column, _edit(self._columns.get(column, ()), area.top, area.bottom, edited))

    def insert_rows(self, at: int, count: int, like: int | None) -> None:
        """Push rows down; the new ones look like row `like` (None: plain)."""
        for column, runs in list(self._columns.items()):
            source = self._number(self.at(like, column)) if like is not None else 0
            moved = [piece for run in runs for piece in _pushed(run, at, count)]
            self._set(column, sorted([*moved, (at, at + count, source)]))

    def delete_rows(self, at: int, count: int) -> None:
        """Pull the rows below up."""
        for column, runs in list(self._columns.items()):
            kept = ((_pulled(a, at, count), _pulled(b, at, count), number) for a, b, number in runs)
            self._set(column, [run for run in kept if run[0] < run[1]])

    def insert_columns(self, at: int, count: int, like: int | None) -> None:
        """Push columns to the right; the new ones look like column `like` (None: plain)."""
        source = self._columns.get(like, ()) if like is not None else ()
        self._columns = {c + count if c >= at else c: runs for c, runs in self._columns.items()}
        for column in range(at, at + count):
            self._set(column, list(source))

    def delete_columns(self, at: int, count: int) -> None:
        """Pull the columns behind to the left."""
        gone = range(at, at + count)
        self._columns = {c - count if c >= at else c: runs for c, runs in self._columns.items() if c not in gone}

    def _number(self, look: Format) -> int:
        key = msgspec.json.encode(look, order="sorted")
        if key not in self._numbers:
            self._palette.append(look)
            self._numbers[key] = len(self._palette) - 1
        return self._numbers[key]

    def _set(self, column: int, runs: list[Run]) -> None:
        joined: list[Run] = []
        for first, end, number in runs:
            if number == 0:
                continue
            if joined and joined[-1][1] == first and joined[-1][2] == number:
                joined[-1] = (joined[-1][0], end, number)
            else:
                joined.append((first, end, number))
        if joined:
            self._columns[column] = tuple(joined)
        else:
            self._columns.pop(column, None)


def _start(run: Run) -> int:
    return run[0]


def _edit(runs: tuple[Run, ...], top: int, bottom: int, edited: Callable[[int], int]) -> list[Run]:
    """Runs with rows top..bottom edited; what was plain there (number 0) is edited too."""
    pieces: list[Run] = []
    covered = top
    for first, end, number in runs:
        if end <= top or first >= bottom:
            if first >= bottom and covered < bottom:
                pieces.append((covered, bottom, edited(0)))
                covered = bottom
            pieces.append((first, end, number))
            continue
        if first < top:
            pieces.append((first, top, number))
        if covered < first:
            pieces.append((covered, first, edited(0)))
        pieces.append((max(first, top), min(end, bottom), edited(number)))
        covered = min(end, bottom)
        if end > bottom:
            pieces.append((bottom, end, number))
    if covered < bottom:
        pieces.append((covered, bottom, edited(0)))
    return pieces


def _pushed(run: Run, at: int, count: int) -> list[Run]:
    first, end, number = run
    if first >= at:
        return [(first + count, end + count, number)]
    if end <= at:
        return [run]
    return [(first, at, number), (at + count, end + count, number)]


def _pulled(row: int, at: int, count: int) -> int:
    return row if row <= at else max(at, row - count)
