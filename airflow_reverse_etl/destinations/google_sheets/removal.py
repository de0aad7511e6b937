"""Which rows a delete takes away, and in which order: from the bottom up, so that row numbers do not shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_reverse_etl.destinations.google_sheets.tab import Tab, runs


@dataclass(frozen=True)
class Removal:
    """The removal of some rows of a tab.

    Sheets refuses to delete all rows that are not frozen: then one of them is emptied instead.

    :param rows: ascending, counting from 1.
    """

    tab: Tab
    rows: Sequence[int]

    @property
    def emptied(self) -> int | None:
        """The row that stays, empty, or None."""
        return self.rows[0] if len(self.rows) >= self.tab.rows - self.tab.frozen else None

    @property
    def deleted(self) -> list[int]:
        """The rows that go."""
        return [row for row in self.rows if row != self.emptied]

    def requests(self) -> list[Mapping[str, Any]]:
        """Return the requests of one batchUpdate, in the order in which they must be applied."""
        return [*self._emptying(), *self._deleting()]

    def _emptying(self) -> list[Mapping[str, Any]]:
        if self.emptied is None:
            return []
        area = {"sheetId": self.tab.sheet_id, "startRowIndex": self.emptied - 1, "endRowIndex": self.emptied}
        return [{"updateCells": {"range": area, "fields": "userEnteredValue"}}]

    def _deleting(self) -> list[Mapping[str, Any]]:
        return [
            {
                "deleteDimension": {
                    "range": {
                        "sheetId": self.tab.sheet_id,
                        "dimension": "ROWS",
                        "startIndex": first - 1,
                        "endIndex": last,
                    }
                }
            }
            for first, last in reversed(runs(self.deleted))
        ]
