"""`spreadsheets.values.update`, `batchUpdate`, `append`, `clear` and `batchClear`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, cast

from airflow_reverse_etl.destinations.google_sheets.sandbox import a1
from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import Area, Box
from airflow_reverse_etl.destinations.google_sheets.sandbox.call import Answer, Call, Json
from airflow_reverse_etl.destinations.google_sheets.sandbox.cells import SKIP, BadValueError, Patch, raw
from airflow_reverse_etl.destinations.google_sheets.sandbox.entered import NumberFormat, entered
from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import ApiError, invalid, malformed
from airflow_reverse_etl.destinations.google_sheets.sandbox.formats import Format
from airflow_reverse_etl.destinations.google_sheets.sandbox.grid import Tab
from airflow_reverse_etl.destinations.google_sheets.sandbox.reading import major_dimension, value_range


class Written(NamedTuple):
    """What one ValueRange did to a tab."""

    tab: Tab
    area: Area
    rows: int
    columns: int
    cells: int


class Grid(NamedTuple):
    """The values of a request as rows of cells, and the number formats that come with them by row and column."""

    rows: list[list[Patch]]
    formats: Mapping[tuple[int, int], NumberFormat]

    @property
    def width(self) -> int:
        return max(map(len, self.rows), default=0)


def update(call: Call) -> Answer:
    """Carry out `values.update`."""
    option = _input_option(call.query)
    _same_range(call)
    tab, box = call.book.range(call.target)
    done = _write(call, tab, box, call.body, option)
    return Answer(_report(call, done, call.query, tab.area(box)), done.rows)


def batch_update(call: Call) -> Answer:
    """Carry out `values.batchUpdate`: all ranges or none."""
    option = _input_option(call.body)
    data = cast("Sequence[Json]", call.body.get("data") or ())
    reports, done = [], []
    for position, item in enumerate(data):
        try:
            tab, box = call.book.range(str(item.get("range") or ""))
            done.append(_write(call, tab, box, item, option))
            reports.append(_report(call, done[-1], call.body, tab.area(box)))
        except ApiError as error:
            raise error.within(f"data[{position}]") from error
    totals = {
        "totalUpdatedRows": len({(w.tab.sheet_id, row) for w in done for row in range(w.area.top, w.area.bottom)}),
        "totalUpdatedColumns": len({(w.tab.sheet_id, c) for w in done for c in range(w.area.left, w.area.right)}),
        "totalUpdatedCells": sum(item.cells for item in done),
        "totalUpdatedSheets": len({item.tab.sheet_id for item in done if item.cells}),
    }
    body = {"spreadsheetId": call.book.spreadsheet_id, **_set(totals), "responses": reports}
    return Answer(body, sum(item.rows for item in done))


def append(call: Call) -> Answer:
    """Carry out `values.append`: below the last table that touches the range, starting at the table's first column."""
    option = _input_option(call.query)
    _same_range(call)
    tab, box = call.book.range(call.target)
    search = tab.area(box)
    table = tab.table(search)
    top, left = (search.top, search.left) if table is None else (table.bottom, table.left)
    tab = call.book.writable(tab.sheet_id)
    grid = _grid(call, tab, call.body, option, (top, left))
    if call.query.get("insertDataOption") == "INSERT_ROWS" and top < tab.row_count:
        tab.insert("ROWS", top, len(grid.rows), top - 1 if top else None)
    _grow(call, tab, top + len(grid.rows), left + grid.width)
    done = _put(call, tab, (top, left), grid)
    answer: dict[str, object] = {"spreadsheetId": call.book.spreadsheet_id}
    if table is not None:
        answer["tableRange"] = a1.write(tab.title, table)
    answer["updates"] = _report(call, done, call.query, done.area)
    return Answer(answer, done.rows)


def clear(call: Call) -> Answer:
    """Carry out `values.clear`: values go, formats stay."""
    body = {"spreadsheetId": call.book.spreadsheet_id, "clearedRange": _clear(call, call.target)}
    return Answer(body)


def batch_clear(call: Call) -> Answer:
    """Carry out `values.batchClear`."""
    ranges = cast("Sequence[str]", call.body.get("ranges") or ())
    if not ranges:
        raise malformed("Must specify at least one range.")
    cleared = []
    for position, text in enumerate(ranges):
        try:
            cleared.append(_clear(call, text))
        except ApiError as error:
            raise error.within(f"range[{position}]") from error
    return Answer({"spreadsheetId": call.book.spreadsheet_id, "clearedRanges": cleared})


def _clear(call: Call, text: str) -> str:
    tab, box = call.book.range(text)
    area = tab.area(box)
    tab.guard(area, call.book.user)
    tab = call.book.writable(tab.sheet_id)
    tab.clear(area)
    return a1.write(tab.title, area)


def _input_option(source: Json) -> str:
    option = source.get("valueInputOption")
    if option not in ("RAW", "USER_ENTERED"):
        raise malformed("'valueInputOption' is required but not specified")
    return str(option)


def _same_range(call: Call) -> None:
    given = call.body.get("range")
    if given is not None and given != call.target:
        raise malformed(f"Request range[{call.target}] does not match value's range[{given}]")


def _write(call: Call, tab: Tab, box: Box, source: Json, option: str) -> Written:
    """Write a ValueRange into the range it names; the grid does not grow for it."""
    start = tab.area(box)
    if (box.bottom or 0) > tab.row_count or (box.right or 0) > tab.column_count:
        raise tab.exceeded(box)
    tab = call.book.writable(tab.sheet_id)
    corner = (start.top, start.left)
    grid = _grid(call, tab, source, option, corner)
    frame = tab.whole if box.is_cell else start
    _fits(tab, box, frame, Area(*corner, start.top + len(grid.rows), start.left + grid.width))
    if not grid.rows:
        return Written(tab, start, 0, 0, 0)
    return _put(call, tab, corner, grid)


def _fits(tab: Tab, box: Box, frame: Area, data: Area) -> None:
    """Refuse data that would leave the range; a single cell is a range to the end of the grid."""
    if data.bottom > frame.bottom:
        beyond = f"row [{frame.bottom + 1}]"
    elif data.right > frame.right:
        beyond = f"column [{a1.column_name(frame.right)}]"
    else:
        return
    raise invalid(f"Requested writing within range [{a1.write(tab.title, box)}], but tried writing to {beyond}")


def _grid(call: Call, tab: Tab, source: Json, option: str, corner: tuple[int, int]) -> Grid:
    """The values of a ValueRange as rows, parsed as the input option says."""
    lists = cast("Sequence[Sequence[object]]", source.get("values") or ())
    limit = call.book.settings.max_characters
    columns = major_dimension(source.get("majorDimension")) == "COLUMNS"
    lines: list[list[Patch]] = []
    formats: dict[tuple[int, int], NumberFormat] = {}
    for index, values in enumerate(lists):
        try:
            if option == "RAW":
                lines.append(raw(values, limit))
                continue
            line, found = entered(values, limit, _text_cells(tab, corner, index, columns=columns))
        except BadValueError as error:
            raise malformed(f"Invalid values[{index}][{error.position}]: {error.dump()}") from error
        lines.append(line)
        formats.update({(p, index) if columns else (index, p): look for p, look in found.items()})
    return Grid(_turned(lines) if columns else lines, formats)


def _text_cells(tab: Tab, corner: tuple[int, int], line: int, *, columns: bool) -> Callable[[int], bool]:
    """Tells which cells of a line are formatted as plain text."""

    def is_text(position: int) -> bool:
        down, right = (position, line) if columns else (line, position)
        look = tab.formats.at(corner[0] + down, corner[1] + right).get("numberFormat")
        return isinstance(look, Mapping) and look.get("type") == "TEXT"

    return is_text


def _turned(columns: list[list[Patch]]) -> list[list[Patch]]:
    height = max(map(len, columns), default=0)
    return [[column[row] if row < len(column) else SKIP for column in columns] for row in range(height)]


def _put(call: Call, tab: Tab, corner: tuple[int, int], grid: Grid) -> Written:
    top, left = corner
    area = Area(top, left, top + len(grid.rows), left + grid.width)
    tab.guard(area, call.book.user)
    tab.write(top, left, grid.rows)
    for (row, column), look in grid.formats.items():
        cell = Area(top + row, left + column, top + row + 1, left + column + 1)
        tab.formats.change(cell, partial(_dressed, look))
    if not any(SKIP in row for row in grid.rows):
        full = [len(row) for row in grid.rows if row]
        return Written(tab, area, len(full), max(full, default=0), sum(full))
    written = [[column for column, patch in enumerate(row) if patch is not SKIP] for row in grid.rows]
    columns = {column for row in written for column in row}
    return Written(tab, area, sum(1 for row in written if row), len(columns), sum(map(len, written)))


def _dressed(number_format: NumberFormat, old: Format) -> Format:
    """What was typed brings its format along, unless somebody chose one for the cell."""
    return old if "numberFormat" in old else {**old, "numberFormat": dict(number_format)}


def _grow(call: Call, tab: Tab, rows: int, columns: int) -> None:
    if rows > tab.row_count or columns > tab.column_count:
        tab.row_count, tab.column_count = max(rows, tab.row_count), max(columns, tab.column_count)
    call.book.check_size(tab)


def _report(call: Call, done: Written, options: Json, asked: Area) -> Json:
    """The UpdateValuesResponse; numbers that are 0 are left out, as in any protobuf message."""
    numbers = {"updatedRows": done.rows, "updatedColumns": done.columns, "updatedCells": done.cells}
    place = {"spreadsheetId": call.book.spreadsheet_id, "updatedRange": a1.write(done.tab.title, done.area)}
    report: dict[str, object] = {**place, **_set(numbers)}
    if options.get("includeValuesInResponse"):
        value_option = str(options.get("responseValueRenderOption") or "FORMATTED_VALUE")
        moment_option = str(options.get("responseDateTimeRenderOption") or "SERIAL_NUMBER")
        bottom, right = max(asked.bottom, done.area.bottom), max(asked.right, done.area.right)
        whole = Area(done.area.top, done.area.left, bottom, right)
        report["updatedData"] = value_range(done.tab, whole, ("ROWS", value_option, moment_option))
    return report


def _set(numbers: Mapping[str, int]) -> Mapping[str, int]:
    return {name: value for name, value in numbers.items() if value}
