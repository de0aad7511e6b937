"""The requests of a batchUpdate that write cells, and that all of a batch happens or nothing."""

from __future__ import annotations

import pytest
from sheets_api import Api, cell, message, rows

VALUE = "userEnteredValue"
DATE = {"numberFormat": {"type": "DATE", "pattern": "yyyy-mm-dd"}}


@pytest.fixture
def api(box):
    """Return a plain client of the fake."""
    with Api(box) as api:
        yield api


def at(row, column=0, sheet_id=0):
    """Return a GridCoordinate."""
    return {"sheetId": sheet_id, "rowIndex": row, "columnIndex": column}


def span(top, bottom, left=0, right=26):
    """Return a GridRange on the first tab."""
    return {
        "sheetId": 0,
        "startRowIndex": top,
        "endRowIndex": bottom,
        "startColumnIndex": left,
        "endColumnIndex": right,
    }


def resize(row_count, column_count):
    """Return the request that sets the size of the first tab."""
    grid = {"rowCount": row_count, "columnCount": column_count}
    return {
        "updateSheetProperties": {
            "properties": {"gridProperties": grid},
            "fields": "gridProperties(rowCount,columnCount)",
        }
    }


def test_update_cells_from_a_corner_writes_only_what_is_given(api):
    """Rows of different lengths leave the rest of their row alone; a cell without a value is emptied."""
    api.write("A1", [["a", "b", "c"], ["d", "e", "f"]])
    api.changed({"updateCells": {"start": at(0), "rows": rows([1, None], ["x"]), "fields": VALUE}})
    assert api.values("A1:C2") == [[1, "", "c"], ["x", "e", "f"]]


def test_update_cells_of_a_range_clears_what_the_rows_leave_out(api):
    """A whole tab is replaced in one request, atomically."""
    api.write("A1", [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]])
    api.changed({"updateCells": {"range": span(0, 3, 0, 2), "rows": rows([1, 2], [3]), "fields": VALUE}})
    assert api.values("A1:C3") == [[1, 2, "c"], [3, "", "f"], ["", "", "i"]]
    api.changed({"updateCells": {"range": {"sheetId": 0}, "fields": VALUE}})
    assert api.values("Sheet1") == []


@pytest.mark.parametrize(
    ("request_body", "expected"),
    [
        (
            {"range": span(2, 3, 0, 3), "rows": rows(["x"]), "fields": VALUE},
            "Range (Sheet1!A3:C3) exceeds grid limits. Max rows: 2, max columns: 3",
        ),
        (
            {"start": at(0), "rows": rows(["a", "b", "c", "d"]), "fields": VALUE},
            "Attempting to write column: 3, beyond the last requested column of: 2",
        ),
        (
            {"start": at(1), "rows": rows(["a"], ["b"]), "fields": VALUE},
            "Attempting to write row: 2, beyond the last requested row of: 1",
        ),
        (
            {"range": span(0, 1), "rows": rows(["a"], ["b"]), "fields": VALUE},
            "Attempting to write row: 1, beyond the last requested row of: 0",
        ),
        (
            {"start": at(2), "rows": rows(["a"]), "fields": VALUE},
            "GridCoordinate.rowIndex[2] is after last row in grid[1]",
        ),
        ({"start": at(0, 0, 9), "rows": rows(["a"]), "fields": VALUE}, "No grid with id: 9"),
        (
            {"start": at(0), "rows": rows(["x" * 50_001]), "fields": VALUE},
            "Your input contains more than the maximum of 50000 characters in a single cell.",
        ),
        (
            {"start": at(0), "rows": rows(["a"])},
            "At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)",
        ),
        ({"start": at(0), "rows": rows(["a"]), "fields": "userEnteredValues"}, "Invalid field: userEnteredValues"),
        ({"rows": rows(["a"]), "fields": VALUE}, "Either start or range must be set."),
    ],
)
def test_update_cells_refuses_what_does_not_fit(api, request_body, expected):
    """Each refusal names the request by its position and says what Google says."""
    api.changed(resize(2, 3))
    answer = api.change({"updateCells": request_body})
    assert (answer.status_code, message(answer)) == (400, f"Invalid requests[0].updateCells: {expected}")


def test_append_cells_adds_rows_but_no_columns(api):
    """The rows land below the last row with anything in it, wherever that is; the grid gets rows, never columns."""
    api.changed(resize(3, 2))
    api.write("B3", [["last"]])
    api.changed({"appendCells": {"sheetId": 0, "rows": rows([1, 2], [3]), "fields": VALUE}})
    assert api.values("Sheet1") == [[], [], ["", "last"], [1, 2], [3]]
    assert api.grid() == {"rowCount": 5, "columnCount": 2}
    answer = api.change({"appendCells": {"sheetId": 0, "rows": rows([1, 2, 3]), "fields": VALUE}})
    beyond = "Attempting to write column: 2, beyond the last requested column of: 1"
    assert message(answer) == f"Invalid requests[0].appendCells: {beyond}"


def test_repeat_cell_formats_a_column_once(api):
    """An open range covers the grid; dates show as dates, and new rows below stay plain."""
    request = {
        "range": span(1, None, 1, 2),
        "cell": {"userEnteredFormat": DATE},
        "fields": "userEnteredFormat.numberFormat",
    }
    del request["range"]["endRowIndex"]
    api.changed({"repeatCell": request})
    api.write("A2", [[46000, 46000]])
    assert api.read("A2:B2").json()["values"] == [["46000", "2025-12-09"]]
    assert api.fake.look("Sheet1", "B1000") == DATE
    assert api.fake.look("Sheet1", "B1") == {}


def test_repeat_cell_is_cut_off_at_the_grid_and_refused_past_it(api):
    """A range that starts inside and ends past the grid is taken without growing it; one that starts past it is not."""
    request = {"cell": cell("x"), "fields": VALUE}
    api.changed({"repeatCell": {"range": span(999, 1003, 25, 28), **request}})
    assert api.values("Z999:Z1000") == [[], ["x"]]
    assert api.grid() == {"rowCount": 1000, "columnCount": 26}
    for place, named in (((1000, 1001, 0, 2), "A1001:B1001"), ((0, 2, 26, 27), "AA1:AA2")):
        answer = api.change({"repeatCell": {"range": span(*place), **request}})
        assert message(answer).startswith(
            f"Invalid requests[0].repeatCell: Range (Sheet1!{named}) exceeds grid limits."
        )


def test_formats_travel_with_their_mask(api):
    """A mask sets what it names, clears what the cell does not bring, and leaves the rest."""
    bold = {"textFormat": {"bold": True}, "horizontalAlignment": "CENTER"}
    cells = [{"values": [{"userEnteredFormat": {**DATE, **bold}}, {"userEnteredFormat": DATE}]}]
    api.changed({"updateCells": {"start": at(0), "rows": cells, "fields": "userEnteredFormat"}})
    fields = "userEnteredFormat(numberFormat,textFormat.bold)"
    api.changed({"repeatCell": {"range": span(0, 1, 0, 1), "cell": {"userEnteredFormat": {}}, "fields": fields}})
    assert api.fake.look("Sheet1", "A1") == {"horizontalAlignment": "CENTER"}
    assert api.fake.look("Sheet1", "B1") == DATE
    answer = api.change(
        {
            "repeatCell": {
                "range": span(0, 1),
                "cell": {"userEnteredFormat": {"numberFormat": {"pattern": "0"}}},
                "fields": "*",
            }
        }
    )
    assert "numberFormat.type must be set" in message(answer)


def test_formats_move_with_rows_and_columns(api):
    """Inserted rows look plain or like their neighbour, as asked; deleted ones take their look with them."""
    api.changed(
        {"repeatCell": {"range": span(2, 4, 1, 2), "cell": {"userEnteredFormat": DATE}, "fields": "userEnteredFormat"}}
    )

    def insert(start, end, **more):
        return {
            "insertDimension": {
                "range": {"sheetId": 0, "dimension": "ROWS", "startIndex": start, "endIndex": end},
                **more,
            }
        }

    api.changed(insert(0, 1), insert(4, 5, inheritFromBefore=True))
    dated = [row for row in range(1, 10) if api.fake.look("Sheet1", f"B{row}") == DATE]
    assert dated == [4, 5, 6]
    drop = {"sheetId": 0, "dimension": "ROWS", "startIndex": 3, "endIndex": 5}
    move = {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1}
    api.changed({"deleteDimension": {"range": drop}}, {"deleteDimension": {"range": move}})
    assert [row for row in range(1, 10) if api.fake.look("Sheet1", f"A{row}") == DATE] == [4]


def test_cells_are_read_with_value_and_format(api):
    """spreadsheets.get with grid data shows what was entered, what it comes to, how it reads and its format."""
    api.write("A1", [["=1+1", True]], "USER_ENTERED")
    api.changed(
        {"repeatCell": {"range": span(0, 1, 2, 3), "cell": {"userEnteredFormat": DATE}, "fields": "userEnteredFormat"}}
    )
    sheets = api.get(ranges="Sheet1!A1:C3", fields="sheets.data.rowData.values").json()["sheets"]
    assert sheets[0]["data"][0]["rowData"][0]["values"] == [
        {"userEnteredValue": {"formulaValue": "=1+1"}, "effectiveValue": {"numberValue": 2}, "formattedValue": "2"},
        {"userEnteredValue": {"boolValue": True}, "effectiveValue": {"boolValue": True}, "formattedValue": "TRUE"},
        {"userEnteredFormat": DATE, "effectiveFormat": DATE},
    ]
    part = api.get(ranges="Sheet1!B1:C3", includeGridData="true").json()["sheets"][0]["data"][0]
    assert (part["startColumn"], len(part["rowData"])) == (1, 1)


def test_copy_paste_keeps_literal_text_and_takes_values_of_formulas(api):
    """PASTE_VALUES turns formulas into their results and leaves text with "=" in front text."""
    api.changed(
        {
            "updateCells": {
                "start": at(0),
                "rows": [{"values": [cell("=1+1"), {VALUE: {"formulaValue": "=2*3"}}]}],
                "fields": VALUE,
            }
        }
    )
    place = {"source": span(0, 1, 0, 2), "destination": span(1, 4, 0, 2), "pasteType": "PASTE_VALUES"}
    api.changed({"copyPaste": place})
    assert api.values("A2:B4", valueRenderOption="FORMULA") == [["=1+1", 6]] * 3
    api.changed({"copyPaste": {**place, "pasteType": "PASTE_NORMAL", "destination": span(4, 5, 0, 2)}})
    assert api.fake.cells("Sheet1")[4] == ["=1+1", 6]
    assert api.values("B5", valueRenderOption="FORMULA") == [["=2*3"]]


def test_update_cells_of_a_range_clears_formats_too(api):
    """What the rows of a range leave out loses the masked part of its format."""
    fields = "userEnteredFormat.numberFormat"
    api.changed({"repeatCell": {"range": span(0, 3, 0, 3), "cell": {"userEnteredFormat": DATE}, "fields": fields}})
    kept = [{"values": [{"userEnteredFormat": DATE}]}]
    api.changed({"updateCells": {"range": span(0, 2, 0, 2), "rows": kept, "fields": fields}})
    dated = [cell for cell in ("A1", "B1", "C1", "A2", "B2", "C2", "A3") if api.fake.look("Sheet1", cell)]
    assert dated == ["A1", "C1", "C2", "A3"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"formulaValue": "1+1"}, "Invalid formula: 1+1. Formulas must start with '='."),
        ({"errorValue": {"type": "NUM"}}, "ExtendedValue.errorValue is read-only."),
    ],
)
def test_values_that_cannot_be_entered_are_refused(api, value, expected):
    """A formula begins with "=", an error is a result."""
    answer = api.change({"updateCells": {"start": at(0), "rows": [{"values": [{VALUE: value}]}], "fields": VALUE}})
    assert message(answer) == f"Invalid requests[0].updateCells: {expected}"


def test_empty_values_empty_their_cells(api):
    """An ExtendedValue with nothing in it, null and an empty text are the same."""
    api.write("A1", [["a", "b", "c", "d"]])
    empty = [{VALUE: {}}, {VALUE: {"stringValue": None}}, {VALUE: {"stringValue": ""}}]
    api.changed({"updateCells": {"start": at(0), "rows": [{"values": empty}], "fields": VALUE}})
    assert api.values("A1:D1") == [["", "", "", "d"]]
    api.changed({"repeatCell": {"range": span(0, 1), "cell": {}, "fields": VALUE}})
    assert api.values("A1:D1") == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"pasteType": "PASTE_DATA_VALIDATION"}, "does not fake copyPaste with PASTE_DATA_VALIDATION"),
        ({"pasteOrientation": "TRANSPOSE"}, "does not fake copyPaste that transposes"),
        ({"destination": span(999, 1000, 0, 1)}, "Range (Sheet1!A1000:B1001) exceeds grid limits."),
    ],
)
def test_a_paste_must_fit_and_be_of_a_kind_that_is_faked(api, more, expected):
    """A source larger than its destination spills over, and not past the grid."""
    answer = api.change({"copyPaste": {"source": span(0, 2, 0, 2), "destination": span(5, 6, 0, 1), **more}})
    assert expected in message(answer)


def test_a_format_is_pasted_without_its_value(api):
    """PASTE_FORMAT takes the look alone, and fills a destination that is a multiple of the source."""
    api.write("A1", [["x"]])
    api.changed(
        {"repeatCell": {"range": span(0, 1, 0, 1), "cell": {"userEnteredFormat": DATE}, "fields": "userEnteredFormat"}}
    )
    api.changed(
        {"copyPaste": {"source": span(0, 1, 0, 1), "destination": span(1, 3, 0, 2), "pasteType": "PASTE_FORMAT"}}
    )
    assert api.values("A1:B3") == [["x"]]
    assert all(api.fake.look("Sheet1", cell) == DATE for cell in ("A2", "B2", "A3", "B3"))


def test_a_batch_happens_as_a_whole_or_not_at_all(api):
    """The last request fails: no row is appended, no tab added, no row deleted, no metadata left."""
    api.write("A1", [["a"], ["b"]])
    metadata = {"metadataKey": "k", "visibility": "DOCUMENT", "location": {"spreadsheet": True}}
    answer = api.change(
        {"appendCells": {"sheetId": 0, "rows": rows(["c"]), "fields": VALUE}},
        {"addSheet": {"properties": {"title": "T"}}},
        {"deleteDimension": {"range": {"sheetId": 0, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}}},
        {"createDeveloperMetadata": {"developerMetadata": metadata}},
        {"repeatCell": {"range": span(0, 1), "cell": {"userEnteredFormat": DATE}, "fields": "userEnteredFormat"}},
        {"deleteSheet": {"sheetId": 77}},
    )
    assert message(answer) == "Invalid requests[5].deleteSheet: No grid with id: 77"
    after = api.get().json()
    assert [sheet["properties"]["title"] for sheet in after["sheets"]] == ["Sheet1"]
    assert "developerMetadata" not in after
    assert (api.values("Sheet1"), api.fake.look("Sheet1", "A1")) == ([["a"], ["b"]], {})


def test_requests_of_a_batch_see_what_the_earlier_ones_did(api):
    """The grid is grown and written in one batch, and the spreadsheet can come back with the reply."""
    grow = {"appendDimension": {"sheetId": 0, "dimension": "ROWS", "length": 2}}
    write = {"updateCells": {"start": at(1000), "rows": rows(["x"], ["y"]), "fields": VALUE}}
    body = {"requests": [grow, write], "includeSpreadsheetInResponse": True, "responseRanges": ["Sheet1!A1002"]}
    answer = api.post(":batchUpdate", {**body, "responseIncludeGridData": True}).json()
    assert answer["replies"] == [{}, {}]
    sheet = answer["updatedSpreadsheet"]["sheets"][0]
    assert sheet["properties"]["gridProperties"]["rowCount"] == 1002
    assert sheet["data"][0]["rowData"][0]["values"][0]["formattedValue"] == "y"


@pytest.mark.parametrize("kind", ["mergeCells", "sortRange", "setDataValidation", "addChart"])
def test_what_is_not_faked_says_so(api, kind):
    """A request that the real API takes and the fake does not is refused in words that cannot be Google's."""
    answer = api.change({kind: {}})
    assert answer.status_code == 400
    assert f"Invalid requests[0].{kind}: The sandbox does not fake the request {kind}" in message(answer)
    note = {"updateCells": {"start": at(0), "rows": [{"values": [{"note": "n"}]}], "fields": "note"}}
    assert "does not fake the field note of a cell" in message(api.change(note))
    assert api.fake.violations == []
