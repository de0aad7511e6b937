"""One tab: its cells, its size, and the rules by which both change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import Area, Box, write
from airflow_reverse_etl.destinations.google_sheets.sandbox.cells import SKIP, Cell, Patch, Row
from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import ApiError, invalid, protected
from airflow_reverse_etl.destinations.google_sheets.sandbox.formats import Formats
from airflow_reverse_etl.destinations.google_sheets.sandbox.protection import Dimension, Protection

EMPTY: Row = ()


class Tab:
    """A sheet of a spreadsheet.

    Cells are tuples, a row each, without empty cells at the end and without empty rows below the last one: a tab of
    100,000 rows costs little more than its values. Rows are replaced, never changed, so that `copy` is shallow.
    """

    def __init__(self, sheet_id: int, title: str, row_count: int = 1000, column_count: int = 26) -> None:
        self.sheet_id = sheet_id
        self.title = title
        self.row_count = row_count
        self.column_count = column_count
        self.frozen_rows = 0
        self.frozen_columns = 0
        self.hidden = False
        self.other: Mapping[str, object] = {}  # properties that are kept and shown and mean nothing here
        self.rows: list[Row] = []
        self.formats = Formats()
        self.protections: dict[int, Protection] = {}

    def copy(self) -> Tab:
        """A copy to change without touching this one."""
        twin = Tab(self.sheet_id, self.title, self.row_count, self.column_count)
        twin.frozen_rows, twin.frozen_columns = self.frozen_rows, self.frozen_columns
        twin.hidden, twin.other = self.hidden, self.other
        twin.rows = list(self.rows)
        twin.formats = self.formats.copy()
        twin.protections = dict(self.protections)
        return twin

    @property
    def whole(self) -> Area:
        """All cells of the grid."""
        return Area(0, 0, self.row_count, self.column_count)

    def area(self, box: Box) -> Area:
        """The cells of a range: it must start inside the grid and is cut off where the grid ends.

        :raises ApiError: 400 if it starts past the grid.
        """
        top, left = box.top or 0, box.left or 0
        if top >= self.row_count or left >= self.column_count:
            raise self.exceeded(box)
        bottom = self.row_count if box.bottom is None else min(box.bottom, self.row_count)
        right = self.column_count if box.right is None else min(box.right, self.column_count)
        return Area(top, left, bottom, right)

    def exceeded(self, box: Box) -> ApiError:
        """The refusal of a range that the grid does not hold."""
        size = f"Max rows: {self.row_count}, max columns: {self.column_count}"
        return invalid(f"Range ({write(self.title, box)}) exceeds grid limits. {size}")

    def guard(self, area: Area, user: str) -> None:
        """Refuse an edit of cells that are protected against the user.

        :raises ApiError: 400.
        """
        if any(protection.forbids(area, user) for protection in self.protections.values()):
            raise protected()

    def cell(self, row: int, column: int) -> Cell:
        """What one cell holds."""
        cells = self.rows[row] if row < len(self.rows) else EMPTY
        return cells[column] if column < len(cells) else None

    def block(self, area: Area) -> list[Row]:
        """The rows of an area, each without its empty end, and without the empty rows at the end."""
        rows = self.rows[area.top : area.bottom]
        if area.left > 0 or area.right < self.column_count:
            rows = [_stripped(row[area.left : area.right]) for row in rows]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def write(self, top: int, left: int, rows: Sequence[Sequence[Patch]]) -> None:
        """Write rows of cells from a corner on; the caller saw to it that the grid holds them."""
        missing = top + len(rows) - len(self.rows)
        if missing > 0:
            self.rows.extend([EMPTY] * missing)
        for index, patches in enumerate(rows, start=top):
            self.rows[index] = _patched(self.rows[index], left, patches)
        self._trim()

    def clear(self, area: Area) -> None:
        """Empty the cells of an area; formats stay."""
        nothing: tuple[None, ...] = (None,) * area.width
        for index in range(area.top, min(area.bottom, len(self.rows))):
            row = self.rows[index]
            if len(row) > area.left:
                self.rows[index] = _stripped(row[: area.left] + nothing + row[area.right :])
        self._trim()

    def insert(self, dimension: Dimension, at: int, count: int, like: int | None) -> None:
        """Insert empty rows or columns that look like a neighbour (None: plain)."""
        if dimension == "ROWS":
            if at < len(self.rows):
                self.rows[at:at] = [EMPTY] * count
            self.row_count += count
            self.formats.insert_rows(at, count, like)
        else:
            nothing: tuple[None, ...] = (None,) * count
            self.rows = [row[:at] + nothing + row[at:] if len(row) > at else row for row in self.rows]
            self.column_count += count
            self.formats.insert_columns(at, count, like)
        self._move_protections(dimension, at, count)

    def delete(self, dimension: Dimension, at: int, count: int) -> None:
        """Delete rows or columns; what is behind them moves up."""
        if dimension == "ROWS":
            del self.rows[at : at + count]
            self.row_count -= count
            self.formats.delete_rows(at, count)
            self.frozen_rows -= max(0, min(self.frozen_rows, at + count) - at)
        else:
            self.rows = [_stripped(row[:at] + row[at + count :]) if len(row) > at else row for row in self.rows]
            self.column_count -= count
            self.formats.delete_columns(at, count)
            self.frozen_columns -= max(0, min(self.frozen_columns, at + count) - at)
        self._move_protections(dimension, at, -count)
        self._trim()

    def table(self, area: Area) -> Area | None:
        """The last table that has a cell in the area: cells that touch one another, corners included."""
        end = self.block(area)
        if not end:
            return None
        row, column = area.top + len(end) - 1, area.left + len(end[-1]) - 1
        top, left, bottom, right = row, column, row + 1, column + 1
        while True:
            before = (top, left, bottom, right)
            while top > 0 and self._filled(top - 1, left - 1, right + 1):
                top -= 1
            while bottom < len(self.rows) and self._filled(bottom, left - 1, right + 1):
                bottom += 1
            rows = range(max(0, top - 1), min(len(self.rows), bottom + 1))
            while left > 0 and any(self.cell(index, left - 1) is not None for index in rows):
                left -= 1
            while right < self.column_count and any(self.cell(index, right) is not None for index in rows):
                right += 1
            if before == (top, left, bottom, right):
                return Area(*before)

    def _filled(self, row: int, left: int, right: int) -> bool:
        return any(cell is not None for cell in self.rows[row][max(0, left) : right])

    def _move_protections(self, dimension: Dimension, at: int, count: int) -> None:
        moved = {number: guard.moved(dimension, at, count) for number, guard in self.protections.items()}
        self.protections = {number: guard for number, guard in moved.items() if guard is not None}

    def _trim(self) -> None:
        while self.rows and not self.rows[-1]:
            self.rows.pop()


def _stripped(row: Row) -> Row:
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return row if end == len(row) else row[:end]


def _patched(row: Row, left: int, patches: Sequence[Patch]) -> Row:
    if SKIP in patches:
        end = left + len(patches)
        cells = list(row) + [None] * (end - len(row))
        for column, patch in enumerate(patches, start=left):
            if patch is not SKIP:
                cells[column] = patch
        return _stripped(tuple(cells))
    if left == 0 and len(patches) >= len(row):
        return _stripped(tuple(patches))  # type: ignore[arg-type]  # no SKIP is left in it
    gap: tuple[None, ...] = (None,) * (left - len(row))
    return _stripped(row[:left] + gap + tuple(patches) + row[left + len(patches) :])  # type: ignore[arg-type]
