"""A spreadsheet: its tabs in order, its properties, its developer metadata, and the limits they share."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping

from airflow_reverse_etl.destinations.google_sheets.sandbox import a1
from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import ApiError, invalid
from airflow_reverse_etl.destinations.google_sheets.sandbox.grid import Tab
from airflow_reverse_etl.destinations.google_sheets.sandbox.metadata import Metadata
from airflow_reverse_etl.destinations.google_sheets.sandbox.settings import Settings


class Book:
    """A spreadsheet, as one user sees it.

    A write works on a draft of it, and the draft takes its place only if all went well.
    """

    def __init__(self, spreadsheet_id: str, settings: Settings, user: str) -> None:
        self.spreadsheet_id = spreadsheet_id
        self.settings = settings
        self.user = user
        self.properties: Mapping[str, object] = {}  # what was changed; the rest comes from the settings
        self.metadata: dict[int, Metadata] = {}
        self._tabs: dict[int, Tab] = {}  # by sheetId, in the order of the tabs
        self._mine: set[int] = set()  # tabs that this draft has copied already

    def draft(self) -> Book:
        """A copy to change: a tab is copied when it is first written to."""
        twin = Book(self.spreadsheet_id, self.settings, self.user)
        twin.properties = self.properties
        twin.metadata = dict(self.metadata)
        twin._tabs = dict(self._tabs)
        return twin

    def __iter__(self) -> Iterator[Tab]:
        return iter(self._tabs.values())

    def __len__(self) -> int:
        return len(self._tabs)

    def tab(self, sheet_id: object) -> Tab:
        """The tab of a sheetId (absent is 0, as in any protobuf message).

        :raises ApiError: 400 if there is none.
        """
        tab = self._tabs.get(sheet_id or 0)  # type: ignore[call-overload]
        if tab is None:
            raise invalid(f"No grid with id: {sheet_id or 0}")
        return tab  # type: ignore[no-any-return]

    def writable(self, sheet_id: object) -> Tab:
        """The tab of a sheetId, to be changed.

        :raises ApiError: 400 if there is none.
        """
        tab = self.tab(sheet_id)
        if tab.sheet_id not in self._mine:
            tab = self._tabs[tab.sheet_id] = tab.copy()
            self._mine.add(tab.sheet_id)
        return tab

    def named(self, title: str) -> Tab | None:
        """The tab of a title."""
        return next((tab for tab in self._tabs.values() if tab.title == title), None)

    def range(self, text: str) -> tuple[Tab, a1.Box]:
        """The tab and the cells of a range in A1 notation.

        :raises ApiError: 400 if it cannot be read or names no tab of this spreadsheet.
        """
        title, cells = a1.split(text)
        box = a1.Box() if cells is None else a1.parse_cells(cells)
        tab = self.named(title) if title is not None else next(iter(self)) if cells else None
        if tab is None or box is None:
            raise invalid(f"Unable to parse range: {text}")
        return tab, box

    def add(self, tab: Tab, index: int | None = None) -> None:
        """Add a tab at a place (None: at the end).

        :raises ApiError: 400 if its id or title is taken, or there are too many cells.
        """
        if tab.sheet_id in self._tabs:
            raise invalid(f"Sheet with id {tab.sheet_id} already exists.")
        self.check_title(tab.title, tab.sheet_id)
        self._tabs[tab.sheet_id] = tab
        self._mine.add(tab.sheet_id)
        if index is not None:
            self.move(tab.sheet_id, index)
        self.check_size(tab)

    def remove(self, sheet_id: int) -> None:
        """Delete a tab and the metadata on it."""
        del self._tabs[sheet_id]
        self.metadata = {key: item for key, item in self.metadata.items() if item.sheet_id != sheet_id}

    def move(self, sheet_id: int, index: int) -> None:
        """Put a tab in front of the one that is at the index now."""
        others = [(key, tab) for key, tab in self._tabs.items() if key != sheet_id]
        place = index - 1 if list(self._tabs).index(sheet_id) < index else index
        others.insert(place, (sheet_id, self._tabs[sheet_id]))
        self._tabs = dict(others)

    def check_title(self, title: str, sheet_id: int) -> None:
        """Refuse the title of another tab; case makes no difference.

        :raises ApiError: 400.
        """
        if any(tab.title.casefold() == title.casefold() and tab.sheet_id != sheet_id for tab in self):
            raise invalid(f'A sheet with the name "{title}" already exists. Please enter another name.')

    def check_size(self, tab: Tab) -> None:
        """Refuse a grid that has grown beyond what a spreadsheet may hold; empty cells count.

        :raises ApiError: 400.
        """
        if tab.column_count > self.settings.max_columns:
            limit = f"the limit of {self.settings.max_columns} columns."
            raise invalid(f"This action would increase the number of columns in the sheet above {limit}")
        if self.cell_count > self.settings.max_cells:
            raise self.too_large()

    def too_large(self) -> ApiError:
        """The refusal of more cells than a spreadsheet may hold."""
        limit = f"the limit of {self.settings.max_cells} cells."
        return invalid(f"This action would increase the number of cells in the workbook above {limit}")

    @property
    def cell_count(self) -> int:
        """Cells of all grids, empty ones included."""
        return sum(tab.row_count * tab.column_count for tab in self)

    def new_id(self) -> int:
        """A number that no tab, protected range or metadata of this spreadsheet has."""
        taken = {0, *self._tabs, *self.metadata}
        taken.update(number for tab in self for number in tab.protections)
        while True:
            number = secrets.randbelow(2**31)
            if number not in taken:
                return number
