"""Cells to write, as few rectangles: a range of its own for each row would make a request half as large again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from airflow_reverse_etl.destinations.google_sheets import a1

T = TypeVar("T")
Span = tuple[int, int]

Row = tuple[str | int | float | bool | None, ...]
"""Cells in the order of their columns; None leaves one alone."""


@dataclass(frozen=True)
class Block:
    """Cells to write: `values` has a row for each row from `top`; None leaves a cell alone."""

    top: int
    left: int
    right: int
    values: Sequence[Row]

    @property
    def bottom(self) -> int:
        """The last row."""
        return self.top + len(self.values) - 1


def runs(numbers: Iterable[int]) -> list[Span]:
    """Return numbers as runs of neighbours: (first, last), ascending."""
    ordered = sorted(set(numbers))
    if not ordered:
        return []
    breaks = [(a, b) for a, b in pairwise(ordered) if b != a + 1]
    return list(zip([ordered[0], *(b for _, b in breaks)], [*(a for a, _ in breaks), ordered[-1]], strict=True))


def blocks(columns: Sequence[int], rows: Mapping[int, Row], gap: int) -> list[Block]:
    """Return few rectangles that hold all cells.

    :param columns: where the cells of every row go, ascending.
    :param gap: columns between two written ones that a rectangle may bridge with "leave alone".
    """
    at = {column: index for index, column in enumerate(columns)}
    spans = [
        (left, right, _picker([at.get(c) for c in range(left, right + 1)], len(at)))
        for left, right in _spans(columns, gap)
    ]
    return [
        Block(top, left, right, [pick(rows[row]) for row in range(top, bottom + 1)])
        for top, bottom in runs(rows)
        for left, right, pick in spans
    ]


def _picker(places: Sequence[int | None], width: int) -> Callable[[Row], Row]:
    """Return a function that takes the cells at these places out of a row; where there is none, it leaves one alone."""
    if places == list(range(width)):
        return lambda row: row
    return lambda row: tuple([None if place is None else row[place] for place in places])


def _spans(columns: Iterable[int], gap: int) -> list[Span]:
    """Return runs of columns, bridging small gaps."""
    joined: list[Span] = []
    for left, right in runs(columns):
        if joined and left - joined[-1][1] <= gap + 1:
            joined[-1] = (joined[-1][0], right)
        else:
            joined.append((left, right))
    return joined


def without(row: tuple[T, ...], place: int) -> tuple[T, ...]:
    """Return a row without one of its cells."""
    return row[:place] + row[place + 1 :]


def body(title: str, written: Sequence[Block], option: str) -> bytes:
    """Return the body of a `values:batchUpdate`, as it goes over the wire.

    :param option: `RAW` or `USER_ENTERED`.
    """
    data = [
        {"range": a1.block(title, block.top, block.left, block.bottom, block.right), "values": block.values}
        for block in written
    ]
    content = {"valueInputOption": option, "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
