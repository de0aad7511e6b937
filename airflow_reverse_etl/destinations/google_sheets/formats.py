"""Number formats of columns that get dates: without one, a serial number is shown as a number.

What people chose stays: a column that shows dates already keeps its own format, and rows made later get the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_reverse_etl.destinations.google_sheets import a1
from airflow_reverse_etl.destinations.google_sheets.api import Spreadsheet
from airflow_reverse_etl.destinations.google_sheets.protection import END, Protection, Stretch
from airflow_reverse_etl.destinations.google_sheets.tab import Tab

Json = Mapping[str, Any]

OURS: Mapping[type, Json] = {
    dt.datetime: {"type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm:ss"},
    dt.date: {"type": "DATE", "pattern": "yyyy-mm-dd"},
    dt.time: {"type": "TIME", "pattern": "hh:mm:ss"},
}
"""The formats that we give: plain in every locale (Sheets API guide, "Date and number formats")."""

SHOW_DATES = ("DATE", "DATE_TIME", "TIME")


class DateColumns:
    """Which columns of a tab show dates, and what must still be formatted so that they do."""

    def __init__(self, sheet: Spreadsheet, tab: Tab) -> None:
        self._sheet = sheet
        self._tab = tab
        self._formats: dict[int, Json] = {}
        self._stretches: dict[int, Stretch] = {}

    def consider(self, dated: Mapping[int, type], *, new_rows: bool) -> None:
        """Look whether these columns show dates, once for each.

        :param dated: column -> the type of its values.
        :param new_rows: rows may be added, so that what is below the last row matters.
        :raises FatalError, RetryableError: from the look.
        """
        unknown = {column: kind for column, kind in dated.items() if column not in self._formats}
        if not unknown:
            return
        tab = self._tab
        above, below = self._look(unknown)
        for column, kind in unknown.items():
            self._formats[column] = above.get(column) or below.get(column) or OURS[kind]
            if column not in above:
                self._stretches[column] = (tab.first_row, END if new_rows and column not in below else tab.last_row)
            elif new_rows and column not in below:
                self._stretches[column] = (tab.next_row, END)

    def requests(self, rows: int, protection: Protection) -> list[Json]:
        """Return the requests that make the columns show dates, to be sent after the grid has grown to so many rows."""
        stretches = dict(self._stretches)
        if rows > self._tab.rows:
            for column in self._formats:
                first, _ = stretches.get(column, (self._tab.rows + 1, END))
                stretches[column] = (first, END)
        return [
            self._format(column, free)
            for column, (first, last) in stretches.items()
            for free in protection.free(column, first, last)
            if free[0] <= rows
        ]

    def done(self) -> None:
        """Note that the requests have been carried out."""
        self._stretches = {}

    def _look(self, columns: Iterable[int]) -> tuple[dict[int, Json], dict[int, Json]]:
        """Return the date formats that columns have in the first row with data, and in the row that is written next."""
        tab = self._tab
        inside = [column for column in columns if column <= tab.columns]
        rows = [row for row in (tab.first_row, tab.next_row) if row <= tab.rows]
        if not tab.exists or not inside or not rows:
            return {}, {}
        left = min(inside)
        ranges = [a1.block(tab.title, row, left, row, max(inside)) for row in dict.fromkeys(rows)]
        looks = [_dates(dict(enumerate(cells, left)), inside) for cells in self._sheet.formats(ranges)]
        return looks[0], looks[-1] if tab.next_row <= tab.rows else {}

    def _format(self, column: int, rows: Stretch) -> Json:
        first, last = rows
        area = {"sheetId": self._tab.sheet_id, "startColumnIndex": column - 1, "endColumnIndex": column}
        area |= {"startRowIndex": first - 1} | ({"endRowIndex": last} if last < END else {})
        given = {"userEnteredFormat": {"numberFormat": dict(self._formats[column])}}
        return {"repeatCell": {"range": area, "cell": given, "fields": "userEnteredFormat.numberFormat"}}


def _dates(formats: Mapping[int, Json], columns: Iterable[int]) -> dict[int, Json]:
    return {column: formats[column] for column in columns if formats.get(column, {}).get("type") in SHOW_DATES}
