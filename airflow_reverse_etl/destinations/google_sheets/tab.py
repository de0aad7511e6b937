"""What we know of a tab: its grid, its header, and which row holds which key. Row arithmetic without a network."""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from airflow_reverse_etl.destinations.google_sheets.encode import key_of, serial_key


@dataclass
class Tab:
    """One tab. Rows and columns count from 1, as people see them; row 1 is the header.

    :param sheet_id: Google's number of the tab, or the one that it will get.
    :param exists: the tab is there.
    :param header: the header's texts, in order.
    :param keys: key -> the rows that hold it.
    :param last_row: the last row that holds anything.
    :param read_at: when keys were read (monotonic seconds).
    """

    title: str
    sheet_id: int
    exists: bool = True
    rows: int = 0
    columns: int = 0
    frozen: int = 0
    header: list[str] = field(default_factory=list)
    keys: dict[str, list[int]] = field(default_factory=dict)
    last_row: int = 1
    read_at: float | None = None

    def column(self, name: str) -> int | None:
        """Return the column with this header, or None."""
        return next((i for i, text in enumerate(self.header, 1) if text == name), None)

    def learn_keys(self, cells: Sequence[Sequence[Any]]) -> None:
        """Take the key column, from row 2 on."""
        self.keys = {}
        for row, found in enumerate(cells, 2):
            if found and found[0] != "":
                self.keys.setdefault(key_of(found[0]), []).append(row)
        self.last_row = max(1 + len(cells), 1)
        self.read_at = time.monotonic()

    def rows_of(self, key: str) -> list[int]:
        """Return the rows that hold a key; a date may stand as text or as a real date."""
        found = self.keys.get(key)
        if found is None and (serial := serial_key(key)):
            found = self.keys.get(serial)
        return found or []

    def add(self, key: str, row: int) -> None:
        """Note that a key stands in a row now."""
        self.keys[key] = [row]
        self.last_row = max(self.last_row, row)

    def remove(self, rows: Iterable[int]) -> None:
        """Note that rows were deleted: those below have moved up."""
        gone = sorted(rows)
        dropped = set(gone)
        self.keys = {
            key: kept
            for key, found in self.keys.items()
            if (kept := [row - bisect.bisect_left(gone, row) for row in found if row not in dropped])
        }
        self.rows -= len(gone)
        self.last_row -= bisect.bisect_right(gone, self.last_row)


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return numbers as runs of neighbours: (first, last), ascending."""
    ordered = sorted(set(numbers))
    starts = [ordered[0], *(b for a, b in pairwise(ordered) if b != a + 1)] if ordered else []
    ends = [*(a for a, b in pairwise(ordered) if b != a + 1), ordered[-1]] if ordered else []
    return list(zip(starts, ends, strict=True))


GAP = 3
"""Columns between two written ones that are bridged with "leave alone"; a wider gap begins a range of its own."""


@dataclass(frozen=True)
class Block:
    """Cells to write: `values` has a row for each row from `top`; None leaves a cell alone."""

    top: int
    left: int
    values: list[list[Any]]

    @property
    def bottom(self) -> int:
        return self.top + len(self.values) - 1

    @property
    def right(self) -> int:
        return self.left + len(self.values[0]) - 1


def blocks(rows: Mapping[int, Mapping[int, Any]]) -> list[Block]:
    """Return few rectangles that hold all cells: neighbouring rows with the same columns are one.

    :param rows: row -> column -> value.
    """
    made: list[Block] = []
    open_at: dict[tuple[int, int], Block] = {}
    for row in sorted(rows):
        cells = rows[row]
        still_open = {}
        for left, right in _spans(cells):
            values = [cells.get(column) for column in range(left, right + 1)]
            block = open_at.get((left, right))
            if block is None or block.bottom != row - 1:
                block = Block(row, left, [])
                made.append(block)
            block.values.append(values)
            still_open[(left, right)] = block
        open_at = still_open
    return made


def _spans(columns: Iterable[int]) -> list[tuple[int, int]]:
    """Return runs of columns, bridging small gaps."""
    joined: list[tuple[int, int]] = []
    for left, right in runs(columns):
        if joined and left - joined[-1][1] <= GAP + 1:
            joined[-1] = (joined[-1][0], right)
        else:
            joined.append((left, right))
    return joined
