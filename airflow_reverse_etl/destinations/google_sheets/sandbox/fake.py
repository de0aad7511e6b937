"""A Google Sheets to test against: the Sheets API v4 with its limits, quotas and error bodies, in memory."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from airflow_reverse_etl.destinations.google_sheets.sandbox import a1, cells
from airflow_reverse_etl.destinations.google_sheets.sandbox.auth import EMAIL
from airflow_reverse_etl.destinations.google_sheets.sandbox.book import Book
from airflow_reverse_etl.destinations.google_sheets.sandbox.cells import CellError, Formula, Patch, Scalar
from airflow_reverse_etl.destinations.google_sheets.sandbox.coverage import COVERAGE
from airflow_reverse_etl.destinations.google_sheets.sandbox.entered import formula, shown
from airflow_reverse_etl.destinations.google_sheets.sandbox.faults import FAULTS
from airflow_reverse_etl.destinations.google_sheets.sandbox.formats import Format
from airflow_reverse_etl.destinations.google_sheets.sandbox.grid import Tab
from airflow_reverse_etl.destinations.google_sheets.sandbox.protection import Protection
from airflow_reverse_etl.destinations.google_sheets.sandbox.quota import Quota
from airflow_reverse_etl.destinations.google_sheets.sandbox.service import Recorded, Service
from airflow_reverse_etl.destinations.google_sheets.sandbox.settings import Settings

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

Value = Scalar | None


class Fake:
    """Google Sheets, with one spreadsheet to begin with: a tab "Sheet1" of 1000 rows and 26 columns.

    `settings` holds every limit and switch. `violations` lists the requests that no spreadsheet would take. `requests`
    holds the last calls with their bodies. `quota`, `largest_body` (bytes) and `large_bodies` (more than the 2 MB that
    Google advises) count.
    """

    FAULTS: ClassVar[Mapping[str, str]] = FAULTS
    COVERAGE: ClassVar[Sequence[tuple[str, str, str]]] = COVERAGE

    def __init__(self) -> None:
        self._service = Service()
        self.routes: list[BaseRoute] = self._service.routes()

    @property
    def settings(self) -> Settings:
        """Limits and switches; change them in place."""
        return self._service.settings

    @property
    def violations(self) -> list[dict[str, object]]:
        """Requests that broke the contract: method, path, status, reason."""
        return self._service.violations

    @property
    def requests(self) -> deque[Recorded]:
        """The last calls, oldest first."""
        return self._service.requests

    @property
    def quota(self) -> Quota:
        """How many reads and writes were let in, and how many calls refused."""
        return self._service.quota

    @property
    def logins(self) -> int:
        """Access tokens given out."""
        return self._service.accounts.logins

    @property
    def largest_body(self) -> int:
        """Bytes of the largest request."""
        return self._service.largest_body

    @property
    def large_bodies(self) -> int:
        """Requests with more than the advised 2,000,000 bytes."""
        return self._service.large_bodies

    def connection(self, base_url: str) -> dict[str, object]:
        """The Airflow connection that reaches this fake.

        :param base_url: where the routes are mounted, for example ``http://127.0.0.1:8765/google_sheets``.
        """
        base_url = base_url.rstrip("/")
        keyfile = json.dumps(self._service.accounts.keyfile(f"{base_url}/token"))
        extra = {"keyfile_dict": keyfile}
        return {"conn_type": "google_sheets", "host": base_url, "login": None, "password": None, "extra": extra}

    def reset(self) -> None:
        """Back to the start: one empty tab, default settings, nothing counted, no access token valid."""
        self._service.reset()

    def objects(self) -> dict[str, int]:
        """The tabs of the default spreadsheet and how many rows with data they have below their header."""
        return {tab.title: sum(1 for row in tab.rows[1:] if row) for tab in self._book(None)}

    def records(self, object: str, *, spreadsheet_id: str | None = None) -> list[dict[str, Value]]:
        """The rows of a tab by the names in its first row, unformatted; empty rows are left out, empty cells are None.

        :raises KeyError: if there is no such tab.
        """
        tab = self._tab(object, spreadsheet_id)
        header = _header(tab)
        return [
            {name: _value(row[column]) if column < len(row) else None for name, column in header.items()}
            for row in tab.rows[1:]
            if row
        ]

    def seed(
        self, object: str, records: Iterable[Mapping[str, Value]], *, spreadsheet_id: str | None = None
    ) -> list[str]:
        """Write records below the last row of a tab, as a person would; the grid grows.

        :returns: the numbers of the rows that they went to.
        :raises KeyError: if there is no such tab, or a record has a field that is not in the first row.
        """
        book = self._book(spreadsheet_id).draft()
        tab = book.writable(self._tab(object, spreadsheet_id).sheet_id)
        header = _header(tab)
        rows = [_row(header, record) for record in records]
        start = max(1, len(tab.rows))
        self._put(book, tab, start, 0, rows)
        return [str(number) for number in range(start + 1, start + 1 + len(rows))]

    def define(
        self,
        object: str,
        header: Sequence[str] = (),
        *,
        spreadsheet_id: str | None = None,
        rows: int = 1000,
        columns: int = 26,
    ) -> None:
        """Make an empty tab with this first row, or empty the one of that title; the spreadsheet is made if need be."""
        service = self._service
        if spreadsheet_id is not None and service.book(spreadsheet_id) is None:
            service.books[spreadsheet_id] = Book(spreadsheet_id, service.settings, EMAIL)
        book = self._book(spreadsheet_id).draft()
        old = book.named(object)
        sheet_id = old.sheet_id if old is not None else book.new_id() if len(book) else 0
        tab = Tab(sheet_id, object, rows, max(columns, len(header)))
        index = list(book).index(old) if old is not None else None
        if old is not None:
            book.remove(old.sheet_id)
        book.add(tab, index)
        self._put(book, tab, 0, 0, [list(header)] if header else [])

    def cells(self, object: str, *, spreadsheet_id: str | None = None) -> list[list[Value]]:
        """The cells of a tab as they are, unformatted, without the empty ends of rows."""
        return [[_value(cell) for cell in row] for row in self._tab(object, spreadsheet_id).rows]

    def seed_cells(
        self, object: str, rows: Sequence[Sequence[Value]], *, at: str = "A1", spreadsheet_id: str | None = None
    ) -> None:
        """Write raw cells from a corner on; text with "=" in front becomes a formula, None empties a cell."""
        corner = a1.parse_cells(at)
        if corner is None or not corner.is_cell:
            raise ValueError(f"{at!r} is no cell: write for example 'B2'.")
        book = self._book(spreadsheet_id).draft()
        tab = book.writable(self._tab(object, spreadsheet_id).sheet_id)
        typed = [[formula(v) if isinstance(v, str) and v.startswith("=") else v for v in row] for row in rows]
        self._put(book, tab, corner.top or 0, corner.left or 0, typed)

    def look(self, object: str, cell: str, *, spreadsheet_id: str | None = None) -> Format:
        """The format a cell was given (``userEnteredFormat``), for example ``{"numberFormat": {...}}``; {} is none."""
        box = a1.parse_cells(cell)
        if box is None or not box.is_cell:
            raise ValueError(f"{cell!r} is no cell: write for example 'B2'.")
        return self._tab(object, spreadsheet_id).formats.at(box.top or 0, box.left or 0)

    def protect(
        self, object: str, cells: str | None = None, *, editors: Sequence[str] = (), spreadsheet_id: str | None = None
    ) -> None:
        """Protect a range (None: the whole tab) as its owner would, against everybody but these e-mail addresses."""
        book = self._book(spreadsheet_id).draft()
        tab = book.writable(self._tab(object, spreadsheet_id).sheet_id)
        box = a1.Box() if cells is None else a1.parse_cells(cells)
        if box is None:
            raise ValueError(f"{cells!r} is no range: write for example 'A1:C3'.")
        number = book.new_id()
        tab.protections[number] = Protection(number, box, tuple(editors))
        self._service.books[book.spreadsheet_id] = book

    def _book(self, spreadsheet_id: str | None) -> Book:
        book = self._service.book(spreadsheet_id or self.settings.spreadsheet_id)
        if book is None:
            raise KeyError(spreadsheet_id)
        return book

    def _tab(self, title: str, spreadsheet_id: str | None) -> Tab:
        tab = self._book(spreadsheet_id).named(title)
        if tab is None:
            raise KeyError(title)
        return tab

    def _put(self, book: Book, tab: Tab, top: int, left: int, rows: Sequence[Sequence[object]]) -> None:
        patches: list[list[Patch]] = [[_patch(value) for value in row] for row in rows]
        tab.row_count = max(tab.row_count, top + len(rows))
        tab.column_count = max(tab.column_count, left + max(map(len, rows), default=0))
        tab.write(top, left, patches)
        self._service.books[book.spreadsheet_id] = book


def _header(tab: Tab) -> dict[str, int]:
    names: dict[str, int] = {}
    for column, cell in enumerate(tab.rows[0] if tab.rows else ()):
        name = str(_value(cell)).strip() if cell is not None else ""
        if name:
            names.setdefault(name, column)
    return names


def _row(header: Mapping[str, int], record: Mapping[str, Value]) -> list[Value]:
    row: list[Value] = [None] * (max(header.values(), default=-1) + 1)
    for name, value in record.items():
        if name not in header:
            raise KeyError(f"{name!r} is no column of this tab: {', '.join(header)}")
        row[header[name]] = value
    return row


def _patch(value: object) -> Patch:
    if value is None or value == "":
        return None
    if isinstance(value, bool | str | Formula):
        return value
    if isinstance(value, int | float):
        return cells.number(value)
    raise TypeError(f"A cell holds text, numbers and booleans, not {type(value).__name__}.")


def _value(cell: cells.Cell) -> Value:
    value = shown(cell)
    return value.value if isinstance(value, CellError) else value
