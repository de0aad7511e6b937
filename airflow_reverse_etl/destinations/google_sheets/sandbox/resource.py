"""`spreadsheets.get`: the spreadsheet as a resource, with the cells of a grid where they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from airflow_reverse_etl.destinations.google_sheets.sandbox import mask
from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import Area, Box
from airflow_reverse_etl.destinations.google_sheets.sandbox.book import Book
from airflow_reverse_etl.destinations.google_sheets.sandbox.call import Answer, Call, Json
from airflow_reverse_etl.destinations.google_sheets.sandbox.cells import Cell, CellError, Formula
from airflow_reverse_etl.destinations.google_sheets.sandbox.entered import shown
from airflow_reverse_etl.destinations.google_sheets.sandbox.formats import Format
from airflow_reverse_etl.destinations.google_sheets.sandbox.grid import Tab
from airflow_reverse_etl.destinations.google_sheets.sandbox.mask import Mask
from airflow_reverse_etl.destinations.google_sheets.sandbox.protection import Protection
from airflow_reverse_etl.destinations.google_sheets.sandbox.render import render

DEFAULT_FORMAT: Mapping[str, object] = {
    "backgroundColor": {"red": 1, "green": 1, "blue": 1},
    "padding": {"top": 2, "right": 3, "bottom": 2, "left": 3},
    "verticalAlignment": "BOTTOM",
    "wrapStrategy": "OVERFLOW_CELL",
    "textFormat": {"foregroundColor": {}, "fontFamily": "arial,sans,sans-serif", "fontSize": 10},
    "backgroundColorStyle": {"rgbColor": {"red": 1, "green": 1, "blue": 1}},
}


def get(call: Call) -> Answer:
    """Carry out `spreadsheets.get`."""
    ranges = cast("Sequence[str]", call.query.get("ranges") or ())
    fields = call.query.get("fields")
    wanted = mask.answer_mask(str(fields), "Spreadsheet") if fields else None
    grid = bool(call.query.get("includeGridData")) if wanted is None else mask.wants(wanted, "sheets", "data")
    return Answer(spreadsheet(call.book, ranges, wanted, grid=grid))


def spreadsheet(book: Book, ranges: Sequence[str], wanted: Mask | None, *, grid: bool) -> Json:
    """The Spreadsheet message.

    :param ranges: only tabs with one of these ranges, and of their cells only these.
    :param wanted: the field mask: what it leaves out need not be worked out.
    :param grid: with the cells.
    """
    chosen: dict[int, list[Area]] = {}
    for text in ranges:
        tab, box = book.range(text)
        chosen.setdefault(tab.sheet_id, []).append(tab.area(box))
    tabs = [tab for tab in book if not ranges or tab.sheet_id in chosen]
    message: dict[str, object] = {"spreadsheetId": book.spreadsheet_id, "properties": _properties(book)}
    if mask.wants(wanted, "sheets"):
        message["sheets"] = [_sheet(book, tab, chosen.get(tab.sheet_id, [tab.whole]) if grid else None) for tab in tabs]
    own = [entry.json() for entry in book.metadata.values() if entry.sheet_id is None]
    if own:
        message["developerMetadata"] = own
    message["spreadsheetUrl"] = f"https://docs.google.com/spreadsheets/d/{book.spreadsheet_id}/edit"
    return message


def tab_properties(book: Book, tab: Tab) -> Json:
    """The SheetProperties message; what is false or 0 is left out, but not sheetId and index."""
    grid: dict[str, object] = {"rowCount": tab.row_count, "columnCount": tab.column_count}
    if tab.frozen_rows:
        grid["frozenRowCount"] = tab.frozen_rows
    if tab.frozen_columns:
        grid["frozenColumnCount"] = tab.frozen_columns
    idle = dict(tab.other)
    grid.update({name: idle.pop(name) for name in list(idle) if name.startswith(("hide", "rowGroup", "columnGroup"))})
    message: dict[str, object] = {
        "sheetId": tab.sheet_id,
        "title": tab.title,
        "index": [other.sheet_id for other in book].index(tab.sheet_id),
        "sheetType": "GRID",
        "gridProperties": grid,
    }
    if tab.hidden:
        message["hidden"] = True
    return {**message, **idle}


def protection_json(tab: Tab, guard: Protection, user: str) -> Json:
    """The ProtectedRange message."""
    editable = guard.warning_only or user in guard.editors
    message: dict[str, object] = {"protectedRangeId": guard.number, "range": _grid_range(tab, guard.box)}
    if guard.description:
        message["description"] = guard.description
    if guard.warning_only:
        message["warningOnly"] = True
    if guard.spared:
        message["unprotectedRanges"] = [_grid_range(tab, box) for box in guard.spared]
    if editable:
        message["requestingUserCanEdit"] = True
        message["editors"] = {"users": list(guard.editors)}
    return message


def _properties(book: Book) -> Json:
    settings = book.settings
    start = {"title": settings.title, "locale": settings.locale, "autoRecalc": "ON_CHANGE"}
    return {**start, "timeZone": settings.time_zone, "defaultFormat": DEFAULT_FORMAT, **book.properties}


def _sheet(book: Book, tab: Tab, areas: Sequence[Area] | None) -> Json:
    message: dict[str, object] = {"properties": tab_properties(book, tab)}
    if areas is not None:
        message["data"] = [_grid_data(tab, area) for area in areas]
    if tab.protections:
        message["protectedRanges"] = [protection_json(tab, guard, book.user) for guard in tab.protections.values()]
    entries = [entry.json() for entry in book.metadata.values() if entry.sheet_id == tab.sheet_id]
    if entries:
        message["developerMetadata"] = entries
    return message


def _grid_range(tab: Tab, box: Box) -> Json:
    """A GridRange; the sheetId 0 is left out, the indexes are not."""
    names = ("startRowIndex", "endRowIndex", "startColumnIndex", "endColumnIndex")
    sides = dict(zip(names, (box.top, box.bottom, box.left, box.right), strict=True))
    message = {name: side for name, side in sides.items() if side is not None}
    return {"sheetId": tab.sheet_id, **message} if tab.sheet_id else message


def _grid_data(tab: Tab, area: Area) -> Json:
    """The GridData of an area, down to its last row that has a value or a format."""
    message: dict[str, object] = {}
    if area.top:
        message["startRow"] = area.top
    if area.left:
        message["startColumn"] = area.left
    columns = range(area.left, area.right)
    formatted = max((tab.formats.last_row(column) for column in columns), default=0)
    last = min(area.bottom, max(area.top + len(tab.block(area)), formatted))
    rows = [_row_data(tab, index, columns) for index in range(area.top, last)]
    if rows:
        message["rowData"] = rows
    return message


def _row_data(tab: Tab, index: int, columns: range) -> Json:
    cells = [_cell_data(tab.cell(index, column), tab.formats.at(index, column)) for column in columns]
    while cells and not cells[-1]:
        cells.pop()
    return {"values": cells} if cells else {}


def _cell_data(cell: Cell, look: Format) -> Json:
    message: dict[str, object] = {}
    if cell is not None:
        message["userEnteredValue"] = {"formulaValue": cell.text} if isinstance(cell, Formula) else _extended(cell)
        message["effectiveValue"] = _extended(shown(cell))
        message["formattedValue"] = render(cell, look, "FORMATTED_VALUE", "SERIAL_NUMBER")
    if look:
        message["userEnteredFormat"] = look
        message["effectiveFormat"] = look
    return message


def _extended(value: object) -> Json:
    if isinstance(value, CellError):
        return {"errorValue": {"type": value.name, "message": value.value}}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int | float):
        return {"numberValue": value}
    return {"stringValue": value}
