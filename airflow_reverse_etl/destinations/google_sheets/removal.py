"""Which rows a delete takes away, and in which order: from the bottom up, so that row numbers do not shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_reverse_etl.destinations.google_sheets.blocks import runs
from airflow_reverse_etl.destinations.google_sheets.tab import Tab

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Removal:
    """The removal of some rows of a tab.

    Rows are deleted by number, and a number means another row once they are gone. A call whose answer was lost may
    still be at work while it is repeated, and then rows of others would go. So a blank row is added at the end first,
    and the call that deletes begins with that row: what arrives a second time finds no such row, and all of it is
    refused.

    :param rows: ascending, counting from 1.
    """

    tab: Tab
    rows: Sequence[int]

    @property
    def added(self) -> int:
        """Blank rows to add first: one is the guard; Sheets refuses to delete all rows that are not frozen."""
        going = sum(1 for row in self.rows if row > self.tab.frozen)
        return 1 if going < self.tab.rows - self.tab.frozen else 2

    def guard(self) -> list[Json]:
        """Return the requests that make the guard."""
        return [{"appendDimension": {"sheetId": self.tab.sheet_id, "dimension": "ROWS", "length": self.added}}]

    def requests(self) -> list[Json]:
        """Return the requests of the call that deletes, in the order in which they must be applied."""
        end = self.tab.rows + self.added
        return [self._delete(end, end), *(self._delete(first, last) for first, last in reversed(runs(self.rows)))]

    def _delete(self, first: int, last: int) -> Json:
        rows = {"sheetId": self.tab.sheet_id, "dimension": "ROWS", "startIndex": first - 1, "endIndex": last}
        return {"deleteDimension": {"range": rows}}
