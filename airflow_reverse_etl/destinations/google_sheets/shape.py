"""The tab's own shape: made, widened, lengthened and given date formats before cells are written, in one call at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_reverse_etl.destinations.google_sheets import a1
from airflow_reverse_etl.destinations.google_sheets.api import Spreadsheet
from airflow_reverse_etl.destinations.google_sheets.tab import Tab
from airflow_reverse_etl.errors import BatchRejectedError, FatalError

DATES = ("DATE", "DATE_TIME", "TIME")
SPARE = 16_000
"""Rows made ahead when a full batch grows the tab: more will follow, and each growth costs a call."""


class Shape:
    """Brings a tab into the shape that the next write needs."""

    def __init__(self, sheet: Spreadsheet, tab: Tab) -> None:
        self._sheet = sheet
        self._tab = tab
        self._formats: dict[int, Mapping[str, str]] = {}

    def fit(self, fields: Sequence[str], dated: Mapping[str, Mapping[str, str]], last_row: int, *, more: bool) -> None:
        """Make room for fields as columns and for rows up to `last_row`; columns of dates get a date format.

        :param dated: field -> number format, for fields that get dates.
        :param more: further rows will follow.
        :raises FatalError: Google refuses it (the cell limit, a protected header): no record is to blame.
        """
        tab = self._tab
        new = [field for field in fields if tab.column(field) is None]
        header = [*tab.header, *new]
        wanted = {header.index(field) + 1: number_format for field, number_format in dated.items()}
        unsettled = {column: found for column, found in wanted.items() if column not in self._formats}
        shown = self._shown_as_dates([column for column in unsettled if column <= len(tab.header)])
        fresh = {column: found for column, found in unsettled.items() if column not in shown}
        rows = max(tab.rows, last_row + SPARE if more and last_row > tab.rows else last_row)
        requests = [
            *self._make_tab(rows, len(header)),
            *self._append("COLUMNS", len(header) - tab.columns),
            *self._append("ROWS", rows - tab.rows),
            *self._write_header(new),
            *self._format(fresh, 2),
            *(self._format(self._formats | shown, tab.rows + 1) if rows > tab.rows and tab.exists else []),
        ]
        if requests:
            self._change(requests)
        self._formats |= shown | fresh
        tab.exists, tab.header, tab.rows, tab.columns = True, header, rows, max(tab.columns, len(header))

    def _shown_as_dates(self, columns: Sequence[int]) -> dict[int, Mapping[str, str]]:
        """Return the formats of columns whose first cell is shown as a date already: they stay as people made them."""
        if not columns or self._tab.rows < 2:
            return {}
        title = self._tab.title
        found = self._sheet.formats([a1.block(title, 2, column, 2, column) for column in columns])
        return {
            column: dict(number_format)
            for column, number_format in zip(columns, found, strict=True)
            if number_format.get("type") in DATES
        }

    def _change(self, requests: Sequence[Mapping[str, Any]]) -> None:
        try:
            self._sheet.change(requests)
        except BatchRejectedError as error:
            message = f"the tab {self._tab.title!r} cannot be made to fit what is to be written: {error}"
            raise FatalError(message, code=error.code) from error

    def _make_tab(self, rows: int, columns: int) -> Iterable[Mapping[str, Any]]:
        """Make the tab in the size that is needed now; its number is ours to choose, so that the same call can use it."""
        if not self._tab.exists:
            self._tab.rows, self._tab.columns, self._tab.frozen = max(rows, 2), max(columns, 1), 1
            grid = {"rowCount": self._tab.rows, "columnCount": self._tab.columns, "frozenRowCount": 1}
            properties = {"sheetId": self._tab.sheet_id, "title": self._tab.title, "gridProperties": grid}
            yield {"addSheet": {"properties": properties}}

    def _append(self, dimension: str, length: int) -> Iterable[Mapping[str, Any]]:
        if length > 0 and self._tab.exists:
            yield {"appendDimension": {"sheetId": self._tab.sheet_id, "dimension": dimension, "length": length}}

    def _write_header(self, new: Sequence[str]) -> Iterable[Mapping[str, Any]]:
        if new:
            cells = [{"userEnteredValue": {"stringValue": text}} for text in new]
            start = {"sheetId": self._tab.sheet_id, "rowIndex": 0, "columnIndex": len(self._tab.header)}
            yield {"updateCells": {"start": start, "rows": [{"values": cells}], "fields": "userEnteredValue"}}

    def _format(self, columns: Mapping[int, Mapping[str, str]], from_row: int) -> Iterable[Mapping[str, Any]]:
        for column, wanted in columns.items():
            area = {
                "sheetId": self._tab.sheet_id,
                "startRowIndex": from_row - 1,
                "startColumnIndex": column - 1,
                "endColumnIndex": column,
            }
            given = {"userEnteredFormat": {"numberFormat": dict(wanted)}}
            yield {"repeatCell": {"range": area, "cell": given, "fields": "userEnteredFormat.numberFormat"}}
