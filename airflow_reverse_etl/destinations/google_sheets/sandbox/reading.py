"""`spreadsheets.values.get` and `batchGet`: values of ranges, trimmed the way Google trims them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import cast

from airflow_reverse_etl.destinations.google_sheets.sandbox import a1
from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import Area
from airflow_reverse_etl.destinations.google_sheets.sandbox.call import Answer, Call, Json
from airflow_reverse_etl.destinations.google_sheets.sandbox.cells import Cell, Formula, Row, Scalar
from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import malformed
from airflow_reverse_etl.destinations.google_sheets.sandbox.formats import PLAIN
from airflow_reverse_etl.destinations.google_sheets.sandbox.grid import Tab
from airflow_reverse_etl.destinations.google_sheets.sandbox.render import render

Options = tuple[str, str, str]  # major dimension, value render option, date and time render option


def get(call: Call) -> Answer:
    """Carry out `values.get`."""
    tab, box = call.book.range(call.target)
    found = value_range(tab, tab.area(box), _options(call.query))
    return Answer(found, _count(found))


def batch_get(call: Call) -> Answer:
    """Carry out `values.batchGet`."""
    ranges = cast("Sequence[str]", call.query.get("ranges") or ())
    if not ranges:
        raise malformed("Must specify at least one range.")
    options = _options(call.query)
    found = []
    for text in ranges:
        tab, box = call.book.range(text)
        found.append(value_range(tab, tab.area(box), options))
    body = {"spreadsheetId": call.book.spreadsheet_id, "valueRanges": found}
    return Answer(body, sum(_count(item) for item in found))


def value_range(tab: Tab, area: Area, options: Options) -> Json:
    """The ValueRange of an area: the range as asked for (cut off at the grid), the values without their empty ends."""
    major, *_ = options
    rows = _rendered(tab, area, options)
    if major == "COLUMNS":
        rows = [_trimmed(list(column)) for column in zip_longest(*rows, fillvalue="")]
    answer: dict[str, object] = {"range": a1.write(tab.title, area), "majorDimension": major}
    if rows:
        answer["values"] = rows
    return answer


def major_dimension(value: object) -> str:
    """ROWS unless COLUMNS is asked for."""
    return "COLUMNS" if value == "COLUMNS" else "ROWS"


def _options(query: Json) -> Options:
    value_option = str(query.get("valueRenderOption") or "FORMATTED_VALUE")
    moment_option = str(query.get("dateTimeRenderOption") or "SERIAL_NUMBER")
    return major_dimension(query.get("majorDimension")), value_option, moment_option


def _rendered(tab: Tab, area: Area, options: Options) -> list[list[Scalar]]:
    _, value_option, moment_option = options
    block = tab.block(area)
    if value_option != "FORMATTED_VALUE" and moment_option == "SERIAL_NUMBER":
        return [_unformatted(row, value_option) for row in block]
    looks = tab.formats
    return [
        [
            cell
            if type(cell) is str
            else render(cell, PLAIN if cell is None else looks.at(index, column), value_option, moment_option)
            for column, cell in enumerate(row, start=area.left)
        ]
        for index, row in enumerate(block, start=area.top)
    ]


def _unformatted(row: Row, value_option: str) -> list[Scalar]:
    return [_plain(cell, value_option) if cell is None or type(cell) is Formula else cell for cell in row]  # type: ignore[misc]


def _plain(cell: Cell, value_option: str) -> Scalar:
    return render(cell, PLAIN, value_option, "SERIAL_NUMBER")


def _trimmed(values: list[Scalar]) -> list[Scalar]:
    while values and values[-1] == "":
        values.pop()
    return values


def _count(found: Json) -> int:
    return len(cast("Sequence[object]", found.get("values", ())))
