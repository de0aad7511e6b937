"""Tabs, rows, columns, protection and developer metadata of the Google Sheets fake."""

from __future__ import annotations

import pytest
from sheets_api import Api, message, rows

TRIED = "Tried to delete row index 1000 but there are only 1000 rows."
INCREASE = "This action would increase the number of"


@pytest.fixture
def api(box):
    """Return a plain client of the fake."""
    with Api(box) as api:
        yield api


def lines(dimension, start=None, end=None, sheet_id=0):
    """Return a DimensionRange."""
    ends = {"startIndex": start, "endIndex": end}
    return {"sheetId": sheet_id, "dimension": dimension, **{name: n for name, n in ends.items() if n is not None}}


def delete(dimension, start=None, end=None):
    """Return the request that deletes rows or columns of the first tab."""
    return {"deleteDimension": {"range": lines(dimension, start, end)}}


def properties(fields, **given):
    """Return the request that changes the first tab."""
    return {"updateSheetProperties": {"properties": given, "fields": fields}}


def grid(**given):
    """Return the request that changes the grid of the first tab."""
    return properties(f"gridProperties({','.join(given)})", gridProperties=given)


def titles(api):
    """Return the titles of all tabs, in order."""
    return [sheet["properties"]["title"] for sheet in api.get(fields="sheets.properties.title").json()["sheets"]]


def test_tabs_are_added_at_their_place_with_their_size(api):
    """The reply holds the properties of the new tab; an index puts it in front of others."""
    given = {"title": "New", "index": 0, "gridProperties": {"rowCount": 3, "columnCount": 2, "frozenRowCount": 1}}
    (reply,) = api.changed({"addSheet": {"properties": {**given, "sheetId": 7}}})
    assert reply["addSheet"]["properties"] == {**given, "sheetId": 7, "sheetType": "GRID"}
    (other,) = api.changed({"addSheet": {}})
    assert other["addSheet"]["properties"]["gridProperties"] == {"rowCount": 1000, "columnCount": 26}
    assert titles(api) == ["New", "Sheet1", "Sheet3"]


@pytest.mark.parametrize(
    ("request_body", "expected"),
    [
        (
            {"addSheet": {"properties": {"title": "SHEET1"}}},
            'addSheet: A sheet with the name "SHEET1" already exists. Please enter another name.',
        ),
        ({"addSheet": {"properties": {"sheetId": 0}}}, "addSheet: Sheet with id 0 already exists."),
        ({"deleteSheet": {"sheetId": 0}}, "deleteSheet: You can't remove all the sheets in a document."),
        (properties("hidden", hidden=True), "updateSheetProperties: You can't hide all the sheets in a document."),
        (properties("title", title=""), "updateSheetProperties: Sheet name cannot be empty."),
        (properties("titel", title="x"), "updateSheetProperties: Invalid field: titel"),
        (properties("title", sheetId=5, title="x"), "updateSheetProperties: No grid with id: 5"),
        (grid(frozenRowCount=1000), "updateSheetProperties: You can't freeze all visible rows on the sheet."),
        (grid(rowCount=0), "updateSheetProperties: You can't delete all the rows on the sheet."),
        (delete("ROWS", 0, 1000), "deleteDimension: You can't delete all the rows on the sheet."),
        (delete("COLUMNS"), "deleteDimension: You can't delete all the columns on the sheet."),
        (
            delete("ROWS", 1000, 1001),
            f"deleteDimension: Cannot delete a row that doesn't exist. {TRIED}",
        ),
        (delete("ROWS", 5, 5), "deleteDimension: DimensionRange.endIndex[5] must be after startIndex[5]"),
        (
            {"insertDimension": {"range": lines("ROWS", 1001, 1002)}},
            "insertDimension: DimensionRange.startIndex[1001] is after last row in grid[999]",
        ),
        (
            {"insertDimension": {"range": lines("ROWS", 0, 1), "inheritFromBefore": True}},
            "insertDimension: inheritFromBefore cannot be true if inserting at the beginning of a sheet.",
        ),
        (
            {"appendDimension": {"sheetId": 0, "dimension": "ROWS", "length": 9_999_000}},
            f"appendDimension: {INCREASE} cells in the workbook above the limit of 10000000 cells.",
        ),
        (
            {"appendDimension": {"sheetId": 0, "dimension": "COLUMNS", "length": 18_253}},
            f"appendDimension: {INCREASE} columns in the sheet above the limit of 18278 columns.",
        ),
        ({"appendDimension": {"sheetId": 0, "length": 1}}, "appendDimension: No dimension specified."),
        (
            {"appendDimension": {"sheetId": 0, "dimension": "ROWS"}},
            "appendDimension: AppendDimensionRequest.length[0] must be positive.",
        ),
        (delete("ROWS", -1, 2), "deleteDimension: DimensionRange.startIndex[-1] must not be negative."),
        (
            {"insertDimension": {"range": lines("ROWS", 3, 3)}},
            "insertDimension: DimensionRange.endIndex[3] must be after startIndex[3]",
        ),
        ({"addSheet": {"properties": {"sheetId": -1}}}, "addSheet: SheetProperties.sheetId[-1] must be non-negative."),
        ({"deleteProtectedRange": {"protectedRangeId": 3}}, "deleteProtectedRange: No protected range with ID: 3"),
        (
            {"repeatCell": {"range": {"startRowIndex": -1}, "cell": {}, "fields": "*"}},
            "repeatCell: GridRange.startRowIndex[-1] must not be negative",
        ),
        (
            {"repeatCell": {"range": {"startRowIndex": 5, "endRowIndex": 4}, "cell": {}, "fields": "*"}},
            "repeatCell: GridRange.endRowIndex[4] must be after startIndex[5]",
        ),
    ],
)
def test_tabs_keep_the_rules_of_a_grid(api, request_body, expected):
    """What a spreadsheet cannot be is refused in Google's words."""
    answer = api.change(request_body)
    assert (answer.status_code, message(answer)) == (400, f"Invalid requests[0].{expected}")


def test_one_row_below_the_frozen_ones_has_to_stay(api):
    """With a frozen header the last data row cannot be deleted, only emptied."""
    api.write("A1", [["head"], ["a"], ["b"]])
    api.changed(grid(rowCount=3, frozenRowCount=1))
    expected = "Invalid requests[0].deleteDimension: Sorry, it is not possible to delete all non-frozen rows."
    assert message(api.change(delete("ROWS", 1, 3))) == expected
    api.changed(delete("ROWS", 2, 3))
    assert api.grid() == {"rowCount": 2, "columnCount": 26, "frozenRowCount": 1}


def test_rows_are_deleted_in_the_order_of_the_requests(api):
    """Each deletion moves what is below it: from the bottom up the right rows go, from the top down the wrong ones."""
    api.write("A1", [[number] for number in range(1, 10)])
    api.changed(delete("ROWS", 6, 7), delete("ROWS", 1, 4))
    assert [row[0] for row in api.values("A1:A20")] == [1, 5, 6, 8, 9]
    api.changed(delete("ROWS", 1, 2), delete("ROWS", 3, 4))
    assert [row[0] for row in api.values("A1:A20")] == [1, 6, 8]


def test_columns_are_inserted_and_deleted(api):
    """Cells to the right move along."""
    api.write("A1", [["a", "b"], ["c"], ["", "d"]])
    api.changed({"insertDimension": {"range": lines("COLUMNS", 1, 3)}})
    assert api.values("Sheet1") == [["a", "", "", "b"], ["c"], ["", "", "", "d"]]
    api.changed(delete("COLUMNS", 0, 3))
    assert api.values("Sheet1") == [["b"], [], ["d"]]
    assert api.grid()["columnCount"] == 25


def test_rows_are_resized_and_checked_before_columns(api):
    """Growing the rows while shrinking the columns fails in one request and works in two."""
    wide = {"rowCount": 100, "columnCount": 10_000}
    api.changed(grid(**wide))
    assert "above the limit of 10000000 cells" in message(api.change(grid(rowCount=2000, columnCount=5)))
    api.changed(grid(columnCount=5), grid(rowCount=2000))
    assert api.grid() == {"rowCount": 2000, "columnCount": 5}


def test_a_stage_takes_the_place_of_a_tab_in_one_batch(api):
    """Show, delete, rename and move happen together; the last visible tab cannot go before the stage is shown."""
    (added,) = api.changed({"addSheet": {"properties": {"title": "stage", "hidden": True, "sheetId": 9}}})
    assert added["addSheet"]["properties"]["hidden"] is True
    drop = {"deleteSheet": {"sheetId": 0}}
    rename = properties("title,index,tabColorStyle", sheetId=9, title="Sheet1", index=0, tabColorStyle={"rgbColor": {}})
    assert "all the visible sheets" in message(api.change(drop, rename))
    api.changed(properties("hidden", sheetId=9), drop, rename)
    (sheet,) = api.get(fields="sheets.properties").json()["sheets"]
    assert (sheet["properties"]["title"], sheet["properties"]["tabColorStyle"]) == ("Sheet1", {"rgbColor": {}})
    assert "hidden" not in sheet["properties"]


def test_tabs_move_in_front_of_the_one_at_the_index(api):
    """An index counts the tabs as they stand before the move."""
    for title in ("B", "C"):
        api.changed({"addSheet": {"properties": {"title": title}}})
    api.changed(properties("index", index=2))
    assert titles(api) == ["B", "Sheet1", "C"]


def test_the_spreadsheet_has_a_title_and_a_time_zone(api):
    """Both come from the settings until somebody changes them."""
    api.fake.settings.time_zone = "Europe/Berlin"
    wanted = "properties(title,timeZone,locale)"
    before = {"title": "Sandbox", "timeZone": "Europe/Berlin", "locale": "en_US"}
    assert api.get(fields=wanted).json()["properties"] == before
    api.changed({"updateSpreadsheetProperties": {"properties": {"title": "Leads"}, "fields": "title"}})
    assert api.get(fields=wanted).json()["properties"] == {**before, "title": "Leads"}


def test_protected_cells_are_kept_from_the_service_account(api):
    """Every way of writing into a range that its owner protected is refused; beside it writing goes on."""
    api.write("A1", [["a", "b"], ["c", "d"]])
    api.fake.protect("Sheet1", "B2:B5", editors=["owner@example.com"])
    refused = "You are trying to edit a protected cell or object."
    box = {"sheetId": 0, "startRowIndex": 1, "endRowIndex": 2}
    ways = [
        api.write("A2:B2", [["x", "y"]]),
        api.post("/values/B:B:clear", {}),
        api.post("/values/A1:append", {"values": [["x", "y"]]}, valueInputOption="RAW"),
        api.change({"updateCells": {"range": box, "fields": "userEnteredValue"}}),
        api.change({"repeatCell": {"range": box, "cell": {}, "fields": "userEnteredFormat"}}),
        api.change({"appendCells": {"sheetId": 0, "rows": rows([1, 2]), "fields": "userEnteredValue"}}),
        api.change(delete("ROWS", 3, 4)),
    ]
    assert all(refused in message(answer) for answer in ways)
    assert api.write("A2", [["x"]]).status_code == 200
    (held,) = api.get(fields="sheets.protectedRanges").json()["sheets"][0]["protectedRanges"]
    assert "editors" not in held
    answer = api.change({"deleteProtectedRange": {"protectedRangeId": held["protectedRangeId"]}})
    assert refused in message(answer)


def test_whoever_protects_a_range_may_edit_it(api):
    """A protection that the service account adds keeps others out, moves with its rows and can be taken away."""
    place = {"sheetId": 0, "startRowIndex": 2, "endRowIndex": 4}
    guard = {"range": place, "description": "managed", "editors": {"users": ["ann@example.com"]}}
    (reply,) = api.changed({"addProtectedRange": {"protectedRange": guard}})
    added = reply["addProtectedRange"]["protectedRange"]
    assert added["editors"]["users"] == [api.keyfile["client_email"], "ann@example.com"]
    assert added["range"] == {"startRowIndex": 2, "endRowIndex": 4}
    api.changed({"insertDimension": {"range": lines("ROWS", 0, 1)}})
    assert api.write("A4", [["mine"]]).status_code == 200
    (held,) = api.get(fields="sheets.protectedRanges").json()["sheets"][0]["protectedRanges"]
    assert (held["range"], held["requestingUserCanEdit"]) == ({"startRowIndex": 3, "endRowIndex": 5}, True)
    api.changed({"deleteProtectedRange": {"protectedRangeId": held["protectedRangeId"]}})
    assert api.get(fields="sheets.protectedRanges").json() == {"sheets": [{}]}
    warning = {"range": place, "warningOnly": True, "editors": {"users": ["ann@example.com"]}}
    answer = api.change({"addProtectedRange": {"protectedRange": warning}})
    assert message(answer).endswith("ProtectedRange is warningOnly. Editors cannot be set on it.")


def test_parts_of_a_protected_tab_can_be_spared(api):
    """A protected tab may leave ranges open, goes nowhere while it is protected, and its ids are its own."""
    guard = {"range": {"sheetId": 0}, "unprotectedRanges": [{"sheetId": 0, "endRowIndex": 2}], "protectedRangeId": 8}
    api.changed({"addProtectedRange": {"protectedRange": guard}})
    (held,) = api.get(fields="sheets.protectedRanges").json()["sheets"][0]["protectedRanges"]
    assert held["unprotectedRanges"] == [{"endRowIndex": 2}]
    assert "ID 8 already exists" in message(api.change({"addProtectedRange": {"protectedRange": guard}}))
    api.changed({"addSheet": {"properties": {"sheetId": 4}}})
    api.fake.protect("Sheet2")
    assert "protected cell" in message(api.change({"deleteSheet": {"sheetId": 4}}))


def test_properties_without_a_meaning_here_are_kept(api):
    """Hidden grid lines and a tab's colour come back as they were given, until they are taken away."""
    api.changed(grid(hideGridlines=True), properties("rightToLeft", rightToLeft=True))
    (sheet,) = api.get(fields="sheets.properties").json()["sheets"]
    assert (sheet["properties"]["rightToLeft"], sheet["properties"]["gridProperties"]["hideGridlines"]) == (True, True)
    api.changed(grid(hideGridlines=False))
    assert "hideGridlines" not in api.grid()


def note(key="retl", value="1", **location):
    """Return the request that leaves developer metadata."""
    where = location or {"sheetId": 0}
    entry = {"metadataKey": key, "metadataValue": value, "visibility": "PROJECT", "location": where}
    return {"createDeveloperMetadata": {"developerMetadata": entry}}


def lookup(**wanted):
    """Return a DataFilter that looks metadata up."""
    return {"developerMetadataLookup": wanted}


def test_metadata_is_left_changed_found_and_taken_away(api):
    """The marker of a chunk lives through its whole life, each step with the reply that Google documents."""
    (made,) = api.changed(note())
    entry = made["createDeveloperMetadata"]["developerMetadata"]
    assert entry["location"] == {"locationType": "SHEET", "sheetId": 0}
    number = entry["metadataId"]
    assert api.session.get(f"{api.url}/developerMetadata/{number}").json() == entry
    assert api.get(fields="sheets.developerMetadata").json() == {"sheets": [{"developerMetadata": [entry]}]}
    change = {"dataFilters": [lookup(metadataKey="retl")], "developerMetadata": {"metadataValue": "2"}}
    (updated,) = api.changed({"updateDeveloperMetadata": {**change, "fields": "metadataValue"}})
    assert updated["updateDeveloperMetadata"]["developerMetadata"] == [{**entry, "metadataValue": "2"}]
    found = api.post(
        "/developerMetadata:search", {"dataFilters": [lookup(metadataValue="2"), lookup(metadataKey="no")]}
    )
    (match,) = found.json()["matchedDeveloperMetadata"]
    assert match["dataFilters"] == [lookup(metadataValue="2")]
    (gone,) = api.changed({"deleteDeveloperMetadata": {"dataFilter": lookup(metadataId=number)}})
    assert gone["deleteDeveloperMetadata"]["deletedDeveloperMetadata"][0]["metadataId"] == number
    answer = api.session.get(f"{api.url}/developerMetadata/{number}")
    assert (answer.status_code, message(answer)) == (404, f"No developer metadata with ID {number}.")


def test_metadata_moves_and_goes_with_its_row_or_column(api):
    """A row is found again after others were inserted above it, by filter and by place; it takes its mark with it."""
    api.changed(note("row", dimensionRange=lines("ROWS", 5, 6)), note("column", dimensionRange=lines("COLUMNS", 2, 3)))
    api.changed({"insertDimension": {"range": lines("ROWS", 0, 2)}}, delete("COLUMNS", 0, 1))

    def places(*filters):
        found = api.post("/developerMetadata:search", {"dataFilters": list(filters)}).json()
        matches = found.get("matchedDeveloperMetadata", [])
        spans = [match["developerMetadata"]["location"]["dimensionRange"] for match in matches]
        return sorted((span["dimension"], span["startIndex"]) for span in spans)

    assert places(lookup(locationType="ROW"), lookup(metadataKey="column")) == [("COLUMNS", 1), ("ROWS", 7)]
    assert places({"a1Range": "Sheet1!A8"}) == [("ROWS", 7)]
    assert places({"a1Range": "Sheet1!A:A"}, {"gridRange": {"startRowIndex": 8, "endColumnIndex": 1}}) == [("ROWS", 7)]
    assert places({"gridRange": {"sheetId": 0, "startColumnIndex": 1, "endColumnIndex": 2}}) == [
        ("COLUMNS", 1),
        ("ROWS", 7),
    ]
    exact = {"dimensionRange": lines("ROWS", 7, 8)}
    assert places(lookup(metadataLocation=exact)) == [("ROWS", 7)]
    api.changed(delete("ROWS", 7, 8))
    assert places(lookup(metadataKey="row")) == []


@pytest.mark.parametrize(
    ("request_body", "expected"),
    [
        (note(key=""), "developerMetadata.metadataKey must be specified."),
        (note(dimensionRange=lines("ROWS", 0, 2)), "dimensionRange must represent a single row or column."),
        (note(dimensionRange=lines("ROWS", 1000, 1001)), "startIndex[1000] is after last row in grid[999]"),
        (note(sheetId=4), "No grid with id: 4"),
        (note(value="x" * 30_000), "may not have more than 30000 characters"),
        (
            {"createDeveloperMetadata": {"developerMetadata": {"metadataKey": "k", "location": {"spreadsheet": True}}}},
            "developerMetadata.visibility must be specified.",
        ),
        (
            {"updateDeveloperMetadata": {"developerMetadata": {}, "fields": "metadataValue"}},
            "Must specify at least one data filter.",
        ),
    ],
)
def test_metadata_keeps_its_rules(api, request_body, expected):
    """Key, visibility and one place are required; keys and values together may not be too long."""
    answer = api.change(request_body)
    assert answer.status_code == 400
    assert expected in message(answer)


def test_the_metadata_of_a_deleted_tab_is_gone(api):
    """A tab takes its marks with it; those of the spreadsheet stay."""
    api.changed({"addSheet": {"properties": {"sheetId": 5}}}, note(sheetId=5), note("book", spreadsheet=True))
    api.changed({"deleteSheet": {"sheetId": 5}})
    found = api.post("/developerMetadata:search", {"dataFilters": [lookup(visibility="PROJECT")]}).json()
    assert [m["developerMetadata"]["metadataKey"] for m in found["matchedDeveloperMetadata"]] == ["book"]
    assert api.get(fields="developerMetadata.metadataKey").json() == {"developerMetadata": [{"metadataKey": "book"}]}
