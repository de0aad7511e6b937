"""The requests of a batchUpdate that write cells: updateCells, appendCells, repeatCell, copyPaste."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from airflow_reverse_etl.destinations.google_sheets.sandbox import mask
from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import Area, grid_box
from airflow_reverse_etl.destinations.google_sheets.sandbox.book import Book
from airflow_reverse_etl.destinations.google_sheets.sandbox.call import Json
from airflow_reverse_etl.destinations.google_sheets.sandbox.cells import Cell, Formula, Patch, number, text
from airflow_reverse_etl.destinations.google_sheets.sandbox.entered import formula, shown
from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import ApiError, invalid, malformed, not_faked
from airflow_reverse_etl.destinations.google_sheets.sandbox.formats import PLAIN, Format
from airflow_reverse_etl.destinations.google_sheets.sandbox.grid import Tab
from airflow_reverse_etl.destinations.google_sheets.sandbox.mask import Mask

# The fields of a cell that the sandbox keeps; masks with others are refused rather than forgotten.
KEPT = ("userEnteredValue", "userEnteredFormat")


class Part(NamedTuple):
    """What an update touches: the value, and which part of the format (None: none of it)."""

    value: bool
    look: Mask | None


def update_cells(book: Book, request: Json) -> Json:
    """Carry out `updateCells`: cells of the range that no row covers are cleared."""
    part = _part(request)
    rows = _rows(request)
    if request.get("range") is not None:
        grid = cast("Json", request["range"])
        tab = book.tab(grid.get("sheetId"))
        box = grid_box(grid)
        area = tab.area(box)
        _stays_within(rows, area)
        _write(book, tab, area, rows, part)
        return {}
    if request.get("start") is None:
        raise malformed("Either start or range must be set.")
    start = cast("Json", request["start"])
    tab = book.tab(start.get("sheetId"))
    top, left = cast("int", start.get("rowIndex") or 0), cast("int", start.get("columnIndex") or 0)
    for name, index, count in (("row", top, tab.row_count), ("column", left, tab.column_count)):
        if index >= count:
            raise invalid(f"GridCoordinate.{name}Index[{index}] is after last {name} in grid[{count - 1}]")
    _stays_within(rows, Area(top, left, tab.row_count, tab.column_count))
    _write_ragged(book, tab, (top, left), rows, part)
    return {}


def append_cells(book: Book, request: Json) -> Json:
    """Carry out `appendCells`: below the last row of the tab that holds anything; rows are added, columns are not."""
    if request.get("tableId") is not None:
        raise not_faked("appendCells into a table")
    part = _part(request)
    rows = _rows(request)
    tab = book.writable(request.get("sheetId"))
    top = len(tab.rows)
    _stays_within(rows, Area(top, 0, top + len(rows), tab.column_count))
    tab.row_count = max(tab.row_count, top + len(rows))
    book.check_size(tab)
    _write_ragged(book, tab, (top, 0), rows, part)
    return {}


def repeat_cell(book: Book, request: Json) -> Json:
    """Carry out `repeatCell`: a range that ends past the grid is cut off, one that starts past it is refused."""
    part = _part(request)
    grid = cast("Json", request.get("range") or {})
    tab = book.tab(grid.get("sheetId"))
    area = tab.area(grid_box(grid))
    if area.height <= 0 or area.width <= 0:
        return {}
    cell = cast("Json", request.get("cell") or {})
    tab.guard(area, book.user)
    tab = book.writable(tab.sheet_id)
    if part.value:
        value = _value(cell, book.settings.max_characters)
        if value is None:
            tab.clear(area)
        else:
            tab.write(area.top, area.left, [[value] * area.width] * area.height)
    if part.look is not None:
        tab.formats.change(area, partial(_merged, part.look, _look(cell)))
    return {}


def copy_paste(book: Book, request: Json) -> Json:
    """Carry out `copyPaste` for values, formulas and formats."""
    kind = request.get("pasteType") or "PASTE_NORMAL"
    if kind not in ("PASTE_NORMAL", "PASTE_VALUES", "PASTE_FORMAT", "PASTE_FORMULA", "PASTE_NO_BORDERS"):
        raise not_faked(f"copyPaste with {kind}")
    if request.get("pasteOrientation") == "TRANSPOSE":
        raise not_faked("copyPaste that transposes")
    grids = [cast("Json", request.get(name) or {}) for name in ("source", "destination")]
    source, target = (book.tab(grid.get("sheetId")) for grid in grids)
    origin, place = source.area(grid_box(grids[0])), target.area(grid_box(grids[1]))
    if not origin.height or not origin.width:
        return {}
    area = _tiled(origin, place)
    if area.bottom > target.row_count or area.right > target.column_count:
        raise target.exceeded(area.box())
    target.guard(area, book.user)
    target = book.writable(target.sheet_id)
    if kind != "PASTE_FORMAT":
        values = [[source.cell(r, c) for c in range(origin.left, origin.right)] for r in _span(origin)]
        if kind == "PASTE_VALUES":
            values = [[_pasted(cell) for cell in row] for row in values]
        times = area.width // origin.width
        target.write(area.top, area.left, [row * times for row in values * (area.height // origin.height)])
    if kind not in ("PASTE_VALUES", "PASTE_FORMULA"):
        _copy_formats(source, origin, target, area)
    return {}


def _span(area: Area) -> range:
    return range(area.top, area.bottom)


def _pasted(cell: Cell) -> Cell:
    value = shown(cell)
    return value if value is None or isinstance(value, str | int | float) else value.value


def _tiled(origin: Area, place: Area) -> Area:
    """Where a paste lands: a destination that is a multiple of the source is filled, else the source lands once."""
    height = place.height if place.height % origin.height == 0 and place.height else origin.height
    width = place.width if place.width % origin.width == 0 and place.width else origin.width
    return Area(place.top, place.left, place.top + height, place.left + width)


def _copy_formats(source: Tab, origin: Area, target: Tab, area: Area) -> None:
    for column in range(area.left, area.right):
        behind = origin.left + (column - area.left) % origin.width
        if not source.formats.last_row(behind) and not target.formats.last_row(column):
            continue  # nothing is formatted on either side
        looks = [source.formats.at(row, behind) for row in _span(origin)]
        for row in _span(area):
            look = looks[(row - area.top) % origin.height]
            target.formats.change(Area(row, column, row + 1, column + 1), partial(_replaced, look))


def _replaced(new: Format, _: Format) -> Format:
    return new


def _part(request: Json) -> Part:
    fields = mask.update_mask(request.get("fields"), "CellData")
    if "*" in fields:
        return Part(value=True, look={})
    strange = [name for name in fields if name not in KEPT]
    if strange:
        raise not_faked(f"the field {strange[0]} of a cell")
    return Part("userEnteredValue" in fields, fields.get("userEnteredFormat"))


def _rows(request: Json) -> list[Sequence[Json]]:
    rows = cast("Sequence[Json]", request.get("rows") or ())
    return [cast("Sequence[Json]", row.get("values") or ()) for row in rows]


def _stays_within(rows: Sequence[Sequence[Json]], area: Area) -> None:
    """Refuse rows that leave the area."""
    if len(rows) > area.height:
        raise _beyond("row", area.bottom)
    if max(map(len, rows), default=0) > area.width:
        raise _beyond("column", area.right)


def _beyond(what: str, end: int) -> ApiError:
    return invalid(f"Attempting to write {what}: {end}, beyond the last requested {what} of: {end - 1}")


def _write(book: Book, tab: Tab, area: Area, rows: Sequence[Sequence[Json]], part: Part) -> None:
    """Write a whole area; what the rows leave out is cleared."""
    tab.guard(area, book.user)
    tab = book.writable(tab.sheet_id)
    limit = book.settings.max_characters
    if part.value:
        tab.clear(Area(area.top + len(rows), area.left, area.bottom, area.right))
        nothing: list[Patch] = [None] * area.width
        values = [[*(_value(cell, limit) for cell in row), *nothing[len(row) :]] for row in rows]
        tab.write(area.top, area.left, values)
    if part.look is not None:
        _dress(tab, (area.top, area.left), rows, part.look)
        for index, row in enumerate(rows, start=area.top):
            rest = Area(index, area.left + len(row), index + 1, area.right)
            tab.formats.change(rest, partial(_merged, part.look, {}))
        below = Area(area.top + len(rows), area.left, area.bottom, area.right)
        tab.formats.change(below, partial(_merged, part.look, {}))


def _write_ragged(book: Book, tab: Tab, corner: tuple[int, int], rows: Sequence[Sequence[Json]], part: Part) -> None:
    """Write the cells that the rows hold, and no others."""
    top, left = corner
    tab.guard(Area(top, left, top + len(rows), left + max(map(len, rows), default=0)), book.user)
    tab = book.writable(tab.sheet_id)
    if part.value:
        limit = book.settings.max_characters
        tab.write(top, left, [[_value(cell, limit) for cell in row] for row in rows])
    if part.look is not None:
        _dress(tab, corner, rows, part.look)


def _dress(tab: Tab, corner: tuple[int, int], rows: Sequence[Sequence[Json]], fields: Mask) -> None:
    """Give each cell its format, column by column: runs of one look stay runs."""
    top, left = corner
    for offset in range(max(map(len, rows), default=0)):
        looks = [_look(row[offset]) if offset < len(row) else None for row in rows]
        start = 0
        while start < len(looks):
            end = start + 1
            while end < len(looks) and looks[end] == looks[start]:
                end += 1
            look = looks[start]
            if look is not None:
                area = Area(top + start, left + offset, top + end, left + offset + 1)
                tab.formats.change(area, partial(_merged, fields, look))
            start = end


def _merged(fields: Mask, new: Format, old: Format) -> Format:
    return mask.apply(fields, old, new)


def _look(cell: Json) -> Format:
    look = cell.get("userEnteredFormat")
    if not isinstance(look, Mapping):
        return PLAIN
    number_format = look.get("numberFormat")
    if isinstance(number_format, Mapping) and not number_format.get("type"):
        raise malformed("userEnteredFormat.numberFormat.type must be set.")
    return look


def _value(cell: Json, limit: int) -> Cell:
    """What a CellData puts into its cell; without a value it empties it."""
    given = cell.get("userEnteredValue")
    if not isinstance(given, dict):
        return None
    for kind, value in given.items():
        if value is not None:
            return KINDS[kind](value, limit)
    return None


def _formula(typed: str, limit: int) -> Formula:
    if not typed.startswith("="):
        raise malformed(f"Invalid formula: {typed}. Formulas must start with '='.")
    text(typed, limit)
    return formula(typed)


def _error(_: object, __: int) -> Cell:
    raise malformed("ExtendedValue.errorValue is read-only.")


# How each kind of ExtendedValue becomes a cell.
KINDS: Mapping[str, Callable[[Any, int], Cell]] = {
    "stringValue": text,
    "numberValue": lambda value, _: number(value),
    "boolValue": lambda value, _: bool(value),
    "formulaValue": _formula,
    "errorValue": _error,
}
