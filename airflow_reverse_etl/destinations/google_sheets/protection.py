"""Ranges of a tab that somebody protected against us: asked for only once Google has refused a write for their sake.

Without them, a batch that touches a protected tab would be halved down to every single row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

END = 2**31
"""Larger than any row or column: the end of a range that is open."""

Stretch = tuple[int, int]


@dataclass(frozen=True)
class Area:
    """A rectangle of cells, counting from 1, both ends included."""

    top: int
    bottom: int
    left: int
    right: int

    def holds(self, row: int, column: int) -> bool:
        """Whether a cell lies in it."""
        return self.top <= row <= self.bottom and self.left <= column <= self.right


@dataclass(frozen=True)
class Guarded:
    """A protected area and the parts of it that are not protected."""

    area: Area
    spared: tuple[Area, ...] = ()


@dataclass(frozen=True)
class Protection:
    """What we may not edit.

    :param code: Google's own, of the refusal that told of it.
    :param words: Google's refusal.
    """

    code: str = ""
    words: str = ""
    guarded: tuple[Guarded, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.guarded)

    def forbids(self, row: int, columns: Iterable[int]) -> bool:
        """Whether a cell of a row may not be written."""
        return any(
            guard.area.holds(row, column) and not any(spared.holds(row, column) for spared in guard.spared)
            for guard in self.guarded
            for column in columns
        )

    def forbids_removal(self, row: int) -> bool:
        """Whether a row may not be deleted."""
        return any(guard.area.top <= row <= guard.area.bottom for guard in self.guarded)

    def free(self, column: int, first: int, last: int = END) -> list[Stretch]:
        """Return the parts of a column, from one row to another, that may be formatted."""
        taken = [(g.area.top, g.area.bottom) for g in self.guarded if g.area.left <= column <= g.area.right]
        free = []
        for top, bottom in sorted(taken):
            free.append((first, min(top - 1, last)))
            first = max(first, bottom + 1)
        return [(start, end) for start, end in (*free, (first, last)) if start <= end]


def against_us(ranges: Sequence[Mapping[str, Any]]) -> tuple[Guarded, ...]:
    """Return what we may not edit, of the protected ranges of a tab (Sheets API reference, "ProtectedRange")."""
    return tuple(
        Guarded(_area(part.get("range", {})), tuple(_area(spared) for spared in part.get("unprotectedRanges", ())))
        for part in ranges
        if not part.get("requestingUserCanEdit", False) and not part.get("warningOnly", False)
    )


def _area(grid_range: Mapping[str, Any]) -> Area:
    """Turn a GridRange (from 0, ends excluded, an absent end is open) into an area."""
    return Area(
        top=grid_range.get("startRowIndex", 0) + 1,
        bottom=grid_range.get("endRowIndex", END),
        left=grid_range.get("startColumnIndex", 0) + 1,
        right=grid_range.get("endColumnIndex", END),
    )
