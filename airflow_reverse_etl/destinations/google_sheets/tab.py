"""What we know of a tab: its grid, its header, and which row holds which key. Row arithmetic without a network."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_reverse_etl.destinations.google_sheets.header import Header
from airflow_reverse_etl.destinations.google_sheets.keys import key_of, spellings


@dataclass
class Tab:
    """One tab. Rows and columns count from 1, as people see them; row 1 is the header.

    :param sheet_id: Google's number of the tab, or the one that it will get.
    :param exists: the tab is there.
    :param rows: height of the grid, blank rows included.
    :param frozen: rows at the top that do not scroll; new rows go below them.
    :param keys: key -> the rows that hold it.
    :param last_row: the last row that holds anything.
    """

    title: str
    sheet_id: int
    exists: bool = True
    rows: int = 0
    columns: int = 0
    frozen: int = 0
    header: Header = field(default_factory=Header)
    keys: dict[str, list[int]] = field(default_factory=dict)
    last_row: int = 1

    @property
    def first_row(self) -> int:
        """The first row that may hold data."""
        return max(self.frozen, 1) + 1

    @property
    def next_row(self) -> int:
        """The first row that new data may go to."""
        return max(self.last_row + 1, self.first_row)

    def learn_keys(self, cells: Sequence[Sequence[Any]]) -> None:
        """Take the key column, from row 2 on, read unformatted."""
        self.keys = {}
        self.last_row = 1
        for row, found in enumerate(cells, 2):
            if found and found[0] not in ("", None):
                self.keys.setdefault(key_of(found[0]), []).append(row)
                self.last_row = row

    def learn_tail(self, cells: Sequence[Sequence[Any]]) -> None:
        """Take all that stands below the last key, read as formulas."""
        self.last_row += used(cells)

    def rows_of(self, key: str) -> list[int]:
        """Return the rows that hold a key."""
        return [row for spelled in spellings(key) for row in self.keys.get(spelled, ())]

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
        self.frozen -= bisect.bisect_right(gone, self.frozen)
        self.last_row -= bisect.bisect_right(gone, self.last_row)


def used(cells: Sequence[Sequence[Any]]) -> int:
    """Return how many rows there are down to the last one that holds anything."""
    return max((n for n, row in enumerate(cells, 1) if any(cell not in ("", None) for cell in row)), default=0)
