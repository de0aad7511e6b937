"""The tab's own shape: made, widened, lengthened and given date formats before cells are written, in one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_reverse_etl.destinations.google_sheets import a1
from airflow_reverse_etl.destinations.google_sheets.api import Spreadsheet
from airflow_reverse_etl.destinations.google_sheets.formats import DateColumns
from airflow_reverse_etl.destinations.google_sheets.protection import Protection
from airflow_reverse_etl.destinations.google_sheets.refusals import outdated, protected
from airflow_reverse_etl.destinations.google_sheets.tab import Tab, used
from airflow_reverse_etl.errors import BatchRejectedError

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Need:
    """What the next write needs of a tab.

    :param places: field -> column, as `Shape.places` returned it.
    :param dated: column -> the type of its values, for those that get dates.
    :param last_row: the last row that must be there.
    :param spare: further rows to make if the grid must grow anyway.
    :param makes_rows: the job adds rows.
    """

    places: Mapping[str, int]
    dated: Mapping[int, type]
    last_row: int
    spare: int
    makes_rows: bool


class Shape:
    """Brings a tab into the shape that the next write needs."""

    def __init__(self, sheet: Spreadsheet, tab: Tab) -> None:
        self._sheet = sheet
        self._tab = tab
        self._dates = DateColumns(sheet, tab)
        self._free: int | None = None

    def places(self, fields: Iterable[str]) -> dict[str, int]:
        """Return the column of each field: the one with its header, else a free one at the right, which `fit` makes.

        :raises FatalError, RetryableError: from a look at what stands right of the header.
        """
        found = {field: self._tab.header.column(field) for field in fields}
        places = {}
        new = 0
        for field, column in found.items():
            places[field] = self._first_free() + new if column is None else column
            new += column is None
        return places

    def fit(self, need: Need, protection: Protection) -> None:
        """Make the tab hold what is needed; make columns of dates show dates.

        :param protection: what must be left alone, where that is known.
        :raises FatalError, RetryableError, UnknownOutcomeError, BatchRejectedError:
        """
        self._dates.consider(need.dated, new_rows=need.makes_rows)
        spare = need.spare if need.last_row > self._tab.rows else 0
        try:
            self._change(need.places, need.last_row + spare, protection)
        except BatchRejectedError as error:
            if not spare or outdated(error) or protected(error):
                raise
            self._change(need.places, need.last_row, protection)  # the spreadsheet is nearly full

    def _change(self, places: Mapping[str, int], last_row: int, protection: Protection) -> None:
        """Send one batchUpdate if anything must be changed, and note what is true afterwards."""
        tab = self._tab
        new = {column: field for field, column in places.items() if tab.header.column(field) is None}
        rows, columns = max(tab.rows, last_row), max([tab.columns, *places.values()])
        if not tab.exists:
            rows = max(rows, 2)  # one row that is not frozen must be there
        requests = [
            *self._grid(rows, columns),
            *self._header(new),
            *self._dates.requests(rows, protection),
        ]
        if not requests:
            return
        self._sheet.change(requests)
        self._dates.done()
        tab.header, self._free = tab.header.extended(new), None
        tab.frozen = tab.frozen if tab.exists else 1
        tab.exists, tab.rows, tab.columns = True, rows, columns

    def _grid(self, rows: int, columns: int) -> Iterable[Json]:
        """Make the tab, under a number of our choice, so that the same call can use it; or let its grid grow."""
        tab = self._tab
        if not tab.exists:
            grid = {"rowCount": rows, "columnCount": columns, "frozenRowCount": 1}
            yield {"addSheet": {"properties": {"sheetId": tab.sheet_id, "title": tab.title, "gridProperties": grid}}}
            return
        for dimension, length in (("COLUMNS", columns - tab.columns), ("ROWS", rows - tab.rows)):
            if length > 0:
                yield {"appendDimension": {"sheetId": tab.sheet_id, "dimension": dimension, "length": length}}

    def _header(self, new: Mapping[int, str]) -> Iterable[Json]:
        """Write the headers of new columns, which are neighbours; text that looks like a formula stays text."""
        if new:
            start = {"sheetId": self._tab.sheet_id, "rowIndex": 0, "columnIndex": min(new) - 1}
            cells = [{"userEnteredValue": {"stringValue": new[column]}} for column in sorted(new)]
            yield {"updateCells": {"start": start, "rows": [{"values": cells}], "fields": "userEnteredValue"}}

    def _first_free(self) -> int:
        """Return the first column that nobody uses: people also keep columns without a header."""
        if self._free is None:
            tab = self._tab
            self._free = len(tab.header) + 1
            if tab.exists and self._free <= tab.columns:
                right_of_header = a1.block(tab.title, 1, self._free, None, tab.columns)
                self._free += used(self._sheet.formulas(right_of_header, majorDimension="COLUMNS"))
        return self._free
