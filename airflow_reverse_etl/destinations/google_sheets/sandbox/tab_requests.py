"""The requests of a batchUpdate that change tabs: their number, size, properties, rows, columns and protection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from airflow_reverse_etl.destinations.google_sheets.sandbox import mask
from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import Area, grid_box
from airflow_reverse_etl.destinations.google_sheets.sandbox.book import Book
from airflow_reverse_etl.destinations.google_sheets.sandbox.call import Json
from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import invalid, malformed, not_faked, protected
from airflow_reverse_etl.destinations.google_sheets.sandbox.grid import Tab
from airflow_reverse_etl.destinations.google_sheets.sandbox.protection import Dimension, Protection
from airflow_reverse_etl.destinations.google_sheets.sandbox.resource import protection_json, tab_properties

# Properties that are kept and shown but have no meaning here.
IDLE = ("tabColor", "tabColorStyle", "rightToLeft")
IDLE_GRID = ("hideGridlines", "rowGroupControlAfter", "columnGroupControlAfter")


def add_sheet(book: Book, request: Json) -> Json:
    """Carry out `addSheet`."""
    given = cast("Json", request.get("properties") or {})
    if given.get("sheetType") not in (None, "GRID", "SHEET_TYPE_UNSPECIFIED"):
        raise not_faked(f"sheets of the type {given['sheetType']}")
    wanted = given.get("sheetId")
    if isinstance(wanted, int) and wanted < 0:
        raise malformed(f"SheetProperties.sheetId[{wanted}] must be non-negative.")
    grid = cast("Json", given.get("gridProperties") or {})
    tab = Tab(
        book.new_id() if wanted is None else cast("int", wanted),
        str(given.get("title") or _free_title(book)),
        cast("int", grid.get("rowCount") or 1000),
        cast("int", grid.get("columnCount") or 26),
    )
    book.add(tab, cast("int | None", given.get("index")))
    _apply_grid(book, tab, {key: value for key, value in grid.items() if key.startswith("frozen")})
    _apply_idle(tab, given, grid)
    tab.hidden = bool(given.get("hidden"))
    return {"addSheet": {"properties": tab_properties(book, tab)}}


def delete_sheet(book: Book, request: Json) -> Json:
    """Carry out `deleteSheet`."""
    tab = book.tab(request.get("sheetId"))
    if not any(other for other in book if other is not tab and not other.hidden):
        which = "sheets" if len(book) == 1 else "visible sheets"
        raise invalid(f"You can't remove all the {which} in a document.")
    if any(guard.forbids(tab.whole, book.user) for guard in tab.protections.values()):
        raise protected()
    book.remove(tab.sheet_id)
    return {}


def update_sheet_properties(book: Book, request: Json) -> Json:
    """Carry out `updateSheetProperties`: rows are resized, and checked, before columns."""
    fields = mask.update_mask(request.get("fields"), "SheetProperties")
    given = cast("Json", request.get("properties") or {})
    tab = book.writable(given.get("sheetId"))
    everything = "*" in fields
    if everything or "title" in fields:
        title = str(given.get("title") or "")
        if not title:
            raise invalid("Sheet name cannot be empty.")
        book.check_title(title, tab.sheet_id)
        tab.title = title
    grid = cast("Json", given.get("gridProperties") or {})
    if everything or "gridProperties" in fields:
        inner = fields.get("gridProperties") or {}
        names = list(grid) if everything or not inner or "*" in inner else list(inner)
        _apply_grid(book, tab, {name: grid.get(name) for name in names})
        _apply_idle(tab, {}, {name: grid.get(name) for name in names if name in IDLE_GRID})
    if everything or "hidden" in fields:
        _hide(book, tab, hidden=bool(given.get("hidden")))
    _apply_idle(tab, {name: given.get(name) for name in IDLE if everything or name in fields}, {})
    if "index" in fields or (everything and given.get("index") is not None):
        book.move(tab.sheet_id, cast("int", given.get("index") or 0))
    return {}


def update_spreadsheet_properties(book: Book, request: Json) -> Json:
    """Carry out `updateSpreadsheetProperties`."""
    fields = mask.update_mask(request.get("fields"), "SpreadsheetProperties")
    given = cast("Json", request.get("properties") or {})
    book.properties = {**book.properties, **mask.apply(fields, {}, given)}
    return {}


def append_dimension(book: Book, request: Json) -> Json:
    """Carry out `appendDimension`."""
    tab = book.writable(request.get("sheetId"))
    dimension, length = _dimension(request), cast("int", request.get("length") or 0)
    if length <= 0:
        raise malformed(f"AppendDimensionRequest.length[{length}] must be positive.")
    if dimension == "ROWS":
        tab.row_count += length
    else:
        tab.column_count += length
    book.check_size(tab)
    return {}


def insert_dimension(book: Book, request: Json) -> Json:
    """Carry out `insertDimension`."""
    tab, dimension, start, end = _span(book, request)
    count = _count(tab, dimension)
    if end is None or end <= start:
        raise malformed(f"DimensionRange.endIndex[{end}] must be after startIndex[{start}]")
    if start > count:
        raise invalid(f"DimensionRange.startIndex[{start}] is after last {_word(dimension)} in grid[{count - 1}]")
    before = bool(request.get("inheritFromBefore"))
    if before and start == 0:
        raise malformed("inheritFromBefore cannot be true if inserting at the beginning of a sheet.")
    tab.guard(_lines(tab, dimension, start, start + 1), book.user)
    like = start - 1 if before else start if start < count else None
    tab.insert(dimension, start, end - start, like)
    _move_metadata(book, tab, dimension, start, end - start)
    book.check_size(tab)
    return {}


def delete_dimension(book: Book, request: Json) -> Json:
    """Carry out `deleteDimension`: one row and one column outside the frozen ones have to stay."""
    tab, dimension, start, stop = _span(book, request)
    count = _count(tab, dimension)
    word = _word(dimension)
    end = count if stop is None else stop
    if end <= start:
        raise malformed(f"DimensionRange.endIndex[{end}] must be after startIndex[{start}]")
    if end > count:
        last = max(start, count)
        message = (
            f"Cannot delete a {word} that doesn't exist. Tried to delete {word} index {last} but there are only "
            f"{count} {word}s."
        )
        raise invalid(message)
    if end - start >= count:
        raise invalid(f"You can't delete all the {word}s on the sheet.")
    frozen = tab.frozen_rows if dimension == "ROWS" else tab.frozen_columns
    if start <= frozen and end == count:
        raise invalid(f"Sorry, it is not possible to delete all non-frozen {word}s.")
    tab.guard(_lines(tab, dimension, start, end), book.user)
    tab.delete(dimension, start, end - start)
    _move_metadata(book, tab, dimension, start, start - end)
    return {}


def add_protected_range(book: Book, request: Json) -> Json:
    """Carry out `addProtectedRange`: whoever adds one may always edit it."""
    given = cast("Json", request.get("protectedRange") or {})
    if given.get("range") is None:
        raise not_faked("protected ranges that are named ranges or tables")
    grid = cast("Json", given["range"])
    tab = book.writable(grid.get("sheetId"))
    box = grid_box(grid)
    tab.area(box)
    editors = cast("Json", given.get("editors") or {})
    if given.get("warningOnly") and editors:
        raise malformed("ProtectedRange is warningOnly. Editors cannot be set on it.")
    wanted = given.get("protectedRangeId")
    if any(wanted in other.protections for other in book):
        raise invalid(f"A protected range with ID {wanted} already exists.")
    users = tuple(cast("Sequence[str]", editors.get("users") or ()))
    guard = Protection(
        book.new_id() if wanted is None else cast("int", wanted),
        box,
        (book.user, *(name for name in users if name != book.user)),
        str(given.get("description") or ""),
        bool(given.get("warningOnly")),
        tuple(grid_box(item) for item in cast("Sequence[Json]", given.get("unprotectedRanges") or ())),
    )
    tab.protections[guard.number] = guard
    return {"addProtectedRange": {"protectedRange": protection_json(tab, guard, book.user)}}


def delete_protected_range(book: Book, request: Json) -> Json:
    """Carry out `deleteProtectedRange`."""
    number = request.get("protectedRangeId")
    tab = next((tab for tab in book if number in tab.protections), None)
    if tab is None:
        raise invalid(f"No protected range with ID: {number}")
    guard = tab.protections[cast("int", number)]
    if book.user not in guard.editors and not guard.warning_only:
        raise protected()
    del book.writable(tab.sheet_id).protections[guard.number]
    return {}


def _apply_grid(book: Book, tab: Tab, changes: Mapping[str, object]) -> None:
    """Resize and freeze. The size is checked after the rows and again after the columns, as Google does."""
    if "rowCount" in changes:
        _resize(book, tab, "ROWS", cast("int", changes["rowCount"] or 0))
    if "columnCount" in changes:
        _resize(book, tab, "COLUMNS", cast("int", changes["columnCount"] or 0))
    if "frozenRowCount" in changes:
        tab.frozen_rows = cast("int", changes["frozenRowCount"] or 0)
    if "frozenColumnCount" in changes:
        tab.frozen_columns = cast("int", changes["frozenColumnCount"] or 0)
    for word, frozen, count in (
        ("rows", tab.frozen_rows, tab.row_count),
        ("columns", tab.frozen_columns, tab.column_count),
    ):
        if frozen >= count:
            raise invalid(f"You can't freeze all visible {word} on the sheet.")


def _resize(book: Book, tab: Tab, dimension: Dimension, wanted: int) -> None:
    count = _count(tab, dimension)
    if wanted <= 0:
        raise invalid(f"You can't delete all the {_word(dimension)}s on the sheet.")
    if wanted < count:
        tab.delete(dimension, wanted, count - wanted)
        _move_metadata(book, tab, dimension, wanted, wanted - count)
    elif dimension == "ROWS":
        tab.row_count = wanted
    else:
        tab.column_count = wanted
    book.check_size(tab)


def _apply_idle(tab: Tab, given: Json, grid: Json) -> None:
    idle = {name: given[name] for name in IDLE if name in given}
    idle_grid = {name: grid[name] for name in IDLE_GRID if name in grid}
    kept = {**tab.other, **idle, **idle_grid}
    tab.other = {name: value for name, value in kept.items() if value}


def _hide(book: Book, tab: Tab, *, hidden: bool) -> None:
    if hidden and not any(other for other in book if other is not tab and not other.hidden):
        raise invalid("You can't hide all the sheets in a document.")
    tab.hidden = hidden


def _free_title(book: Book) -> str:
    number = len(book) + 1
    while book.named(f"Sheet{number}") is not None:
        number += 1
    return f"Sheet{number}"


def _span(book: Book, request: Json) -> tuple[Tab, Dimension, int, int | None]:
    given = cast("Json", request.get("range") or {})
    tab = book.writable(given.get("sheetId"))
    start = cast("int", given.get("startIndex") or 0)
    if start < 0:
        raise malformed(f"DimensionRange.startIndex[{start}] must not be negative.")
    return tab, _dimension(given), start, cast("int | None", given.get("endIndex"))


def _dimension(given: Json) -> Dimension:
    dimension = given.get("dimension")
    if dimension not in ("ROWS", "COLUMNS"):
        raise malformed("No dimension specified.")
    return dimension


def _count(tab: Tab, dimension: Dimension) -> int:
    return tab.row_count if dimension == "ROWS" else tab.column_count


def _word(dimension: Dimension) -> str:
    return "row" if dimension == "ROWS" else "column"


def _lines(tab: Tab, dimension: Dimension, start: int, end: int) -> Area:
    if dimension == "ROWS":
        return Area(start, 0, end, tab.column_count)
    return Area(0, start, tab.row_count, end)


def _move_metadata(book: Book, tab: Tab, dimension: Dimension, at: int, count: int) -> None:
    moved = {key: item.moved(tab.sheet_id, dimension, at, count) for key, item in book.metadata.items()}
    book.metadata = {key: item for key, item in moved.items() if item is not None}
