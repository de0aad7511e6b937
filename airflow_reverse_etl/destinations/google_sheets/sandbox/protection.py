"""Ranges that somebody protected: who may still edit them, and how they move when rows come and go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import Area, Box

Dimension = Literal["ROWS", "COLUMNS"]


@dataclass(frozen=True, slots=True)
class Protection:
    """A ProtectedRange.

    :param editors: e-mail addresses that may edit it besides the owner of the spreadsheet.
    :param warning_only: the browser asks before an edit; the API edits.
    """

    number: int
    box: Box
    editors: tuple[str, ...] = ()
    description: str = ""
    warning_only: bool = False
    spared: tuple[Box, ...] = ()  # unprotectedRanges

    def forbids(self, area: Area, user: str) -> bool:
        """Whether this keeps the user from editing the area."""
        if self.warning_only or user in self.editors or not touches(self.box, area):
            return False
        return not any(holds(box, area) for box in self.spared)

    def moved(self, dimension: Dimension, at: int, count: int) -> Protection | None:
        """The protection after `count` rows or columns were inserted (or, below zero, deleted); None if it is gone."""
        box = move(self.box, dimension, at, count)
        return None if box is None else replace(self, box=box)


def touches(box: Box, area: Area) -> bool:
    """Whether a range that may be open shares a cell with an area."""
    top, left, bottom, right = box
    rows = (bottom is None or area.top < bottom) and (top or 0) < area.bottom
    return rows and (right is None or area.left < right) and (left or 0) < area.right


def holds(box: Box, area: Area) -> bool:
    """Whether all of the area lies in the range."""
    top, left, bottom, right = box
    rows = (top or 0) <= area.top and (bottom is None or area.bottom <= bottom)
    return rows and (left or 0) <= area.left and (right is None or area.right <= right)


def move(box: Box, dimension: Dimension, at: int, count: int) -> Box | None:
    """A range after rows or columns were inserted or deleted at a place; None if nothing of it is left."""
    top, left, bottom, right = box
    if dimension == "ROWS":
        top, bottom = shift(top, at, count), shift(bottom, at, count, end=True)
        gone = top is not None and bottom is not None and top >= bottom
    else:
        left, right = shift(left, at, count), shift(right, at, count, end=True)
        gone = left is not None and right is not None and left >= right
    return None if gone else Box(top, left, bottom, right)


def shift(index: int | None, at: int, count: int, *, end: bool = False) -> int | None:
    """Where an index is after `count` rows or columns were inserted (or deleted) at a place.

    :param end: the index is the end of a range: what is inserted right at it is outside.
    """
    if index is None or index < at or (end and index == at):
        return index
    return index + count if count > 0 else max(at, index + count)
