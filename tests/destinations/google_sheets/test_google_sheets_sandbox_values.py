"""`spreadsheets.values` of the Google Sheets fake: what is written, what is read, what is refused in which words."""

from __future__ import annotations

import pytest
from sheets_api import Api, message


@pytest.fixture
def api(box):
    """Return a plain client of the fake, without quotas."""
    unlimited = dict.fromkeys(("reads_per_minute", "writes_per_minute"), 10_000)
    box.settings("google_sheets", **unlimited, **{f"project_{name}": 10_000 for name in unlimited})
    with Api(box) as api:
        yield api


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("=1+1", "=1+1"),
        ("00123", "00123"),
        ("2026-01-01", "2026-01-01"),
        ("TRUE", "TRUE"),
        ("'quoted", "'quoted"),
        ("𝄞 ünï\ncode", "𝄞 ünï\ncode"),
        (" ", " "),
        (True, True),
        (0, 0),
        (-1.5, -1.5),
        (3.0, 3),
        (2**53, 2**53),
        (2**63 - 1, 2**63),
        (1e300, 1e300),
    ],
)
def test_raw_values_are_kept_as_they_are(api, given, kept):
    """RAW parses nothing; numbers are doubles, so that the largest integers lose digits."""
    assert api.write("A1", [[given]]).status_code == 200
    (value,) = api.values("A1")[0]
    assert (value, type(value) is bool) == (kept, type(kept) is bool)


def test_null_skips_a_cell_and_an_empty_text_clears_it(api):
    """Null leaves the old content alone, "" empties the cell."""
    api.write("A1", [["a", "b", "c"]])
    answer = api.write("A1", [[None, "", "C"]]).json()
    assert api.values("A1:C1") == [["a", "", "C"]]
    assert (answer["updatedCells"], answer["updatedColumns"], answer["updatedRange"]) == (2, 2, "Sheet1!A1:C1")


@pytest.mark.parametrize(
    ("typed", "value", "shown", "kind"),
    [
        ("00123", 123, "123", None),
        ("1,234.50", 1234.5, "1,234.50", "NUMBER"),
        ("12%", 0.12, "12%", "PERCENT"),
        ("$1,200", 1200, "$1,200", "CURRENCY"),
        ("1e5", 100_000, "1.00E+05", "SCIENTIFIC"),
        ("2026-01-02", 46024, "2026-01-02", "DATE"),
        ("1/2/2026", 46024, "1/2/2026", "DATE"),
        ("2026-01-02 13:30", 46024.5625, "2026-01-02 13:30:00", "DATE_TIME"),
        ("1:30 pm", 0.5625, "1:30:00 PM", "TIME"),
        ("true", True, "TRUE", None),
        ("'00123", "00123", "00123", None),
        ("2026-01-02T13:30:00Z", "2026-01-02T13:30:00Z", "2026-01-02T13:30:00Z", None),
        ("=4/2", 2, "2", None),
        ("=1/0", "#DIV/0!", "#DIV/0!", None),
        ("=SUM(B1:B2)", "Loading...", "Loading...", None),
        ("- a bullet", "Loading...", "Loading...", None),
        ("+41 79", "#ERROR!", "#ERROR!", None),
        ("plain", "plain", "plain", None),
    ],
)
def test_user_entered_values_are_parsed_as_if_typed(api, typed, value, shown, kind):
    """USER_ENTERED makes numbers, dates, booleans and formulas out of text, and brings their formats along."""
    assert api.write("A1", [[typed]], "USER_ENTERED").status_code == 200
    assert api.values("A1") == [[value]]
    assert api.read("A1").json()["values"] == [[shown]]
    assert api.fake.look("Sheet1", "A1").get("numberFormat", {}).get("type") == kind


def test_user_entered_text_stays_text_in_a_text_cell(api):
    """In a cell formatted as plain text nothing is parsed; a chosen number format is not replaced by a typed one."""
    text = {"userEnteredFormat": {"numberFormat": {"type": "TEXT"}}}
    api.changed(
        {"repeatCell": {"range": {"sheetId": 0, "endRowIndex": 1}, "cell": text, "fields": "userEnteredFormat"}}
    )
    api.write("A1:A2", [["007"], ["12%"]], "USER_ENTERED")
    assert api.values("A1:A2") == [["007"], [0.12]]


def test_formulas_are_kept_and_read_as_asked(api):
    """A formula reads as its result or, with FORMULA, as what was typed; a date reads as its number either way."""
    api.write("A1", [["=6*7", "2026-01-02", '="a""b"']], "USER_ENTERED")
    assert api.values("A1:C1") == [[42, 46024, 'a"b']]
    assert api.values("A1:C1", valueRenderOption="FORMULA") == [["=6*7", 46024, '="a""b"']]
    assert api.values("A1:C1", dateTimeRenderOption="FORMATTED_STRING") == [[42, "2026-01-02", 'a"b']]


def test_reads_drop_empty_ends_but_not_gaps(api):
    """Trailing empty rows and cells are left out, blank rows in the middle are [], an empty range has no values."""
    api.write("A1", [["a", "", ""], [], ["", "b"], [""]])
    assert api.values("A1:D10") == [["a"], [], ["", "b"]]
    assert api.values("A1:D10", majorDimension="COLUMNS") == [["a"], ["", "", "b"]]
    assert api.read("F1:G9").json() == {"range": "Sheet1!F1:G9", "majorDimension": "ROWS"}


@pytest.mark.parametrize(
    ("asked", "echoed"),
    [
        ("Sheet1", "Sheet1!A1:Z1000"),
        ("'Sheet1'", "Sheet1!A1:Z1000"),
        ("A1", "Sheet1!A1"),
        ("B2:A1", "Sheet1!A1:B2"),
        ("Sheet1!A:B", "Sheet1!A1:B1000"),
        ("Sheet1!A2:B", "Sheet1!A2:B1000"),
        ("Sheet1!3:4", "Sheet1!A3:Z4"),
        ("Sheet1!Y999:AA1001", "Sheet1!Y999:Z1000"),
        ("It's a tab!A1", "'It''s a tab'!A1"),
        ("'It''s a tab'!A1:A1", "'It''s a tab'!A1"),
        ("'A1'!B2", "'A1'!B2"),
        ("Été!A1", "Été!A1"),
    ],
)
def test_ranges_are_understood_and_echoed_as_google_writes_them(api, asked, echoed):
    """A range that only ends past the grid is cut off; titles are quoted where they need it."""
    for title in ("It's a tab", "A1", "Été"):
        api.fake.define(title)
    assert api.read(asked).json()["range"] == echoed


@pytest.mark.parametrize(
    "asked", ["Nope!A1", "sheet1!A1", "A1:B2:C3", "A0", "Sheet1!", "'Sheet1", "!A1", "A1:", "AAAA1"]
)
def test_what_is_no_range_of_this_spreadsheet_is_refused(api, asked):
    """An unknown tab and a mistyped range are the same error."""
    answer = api.read(asked)
    assert (answer.status_code, message(answer)) == (400, f"Unable to parse range: {asked}")
    assert api.fake.violations == []


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("A1001", "A1001"),
        ("AA1", "AA1"),
        ("A1001:B1002", "A1001:B1002"),
        ("A1001:B", "A1001:B"),
        ("1001:1002", "1001:1002"),
    ],
)
def test_reads_and_writes_that_start_past_the_grid_are_refused(api, asked, named):
    """The refusal names the range and the size of the grid."""
    expected = f"Range (Sheet1!{named}) exceeds grid limits. Max rows: 1000, max columns: 26"
    assert message(api.read(asked)) == expected
    assert message(api.write(asked, [["x"]])) == expected
    assert message(api.post(f"/values/{asked}:clear", {})) == expected


def test_a_write_must_fit_its_range_and_the_grid(api):
    """Data may be smaller than its range, never larger; one cell is a range to the end of the grid."""
    assert api.write("A1:C3", [["only one"]]).json()["updatedRange"] == "Sheet1!A1"
    place = "Requested writing within range [Sheet1!A1:B2], but tried writing to"
    assert message(api.write("A1:B2", [["x"]] * 3)) == f"{place} row [3]"
    assert message(api.write("A1:B2", [["x"] * 3])) == f"{place} column [C]"
    assert message(api.write("A999", [["x"]] * 3)).endswith(
        "within range [Sheet1!A999], but tried writing to row [1001]"
    )
    assert message(api.write("A1:A1001", [["x"]])).startswith("Range (Sheet1!A1:A1001) exceeds grid limits.")
    assert api.values("A1:Z1000") == [["only one"]]


def test_a_text_of_more_than_50000_characters_is_refused_whole(api):
    """One cell too long refuses the request; nothing of it is written."""
    assert api.write("A1", [["x" * 50_000]]).status_code == 200
    answer = api.write("A2", [["fine"], ["x" * 50_001]])
    assert message(answer) == "Your input contains more than the maximum of 50000 characters in a single cell."
    assert api.values("A2:A3") == []


def test_batch_update_is_all_or_nothing(api):
    """A bad range takes the good ones down with it, and is named by its position."""
    data = [{"range": "A1:B1", "values": [[1, 2]]}, {"range": "Nope!A1", "values": [[3]]}]
    answer = api.post("/values:batchUpdate", {"valueInputOption": "RAW", "data": data})
    assert message(answer) == "Invalid data[1]: Unable to parse range: Nope!A1"
    assert api.values("A1:B1") == []


def test_batch_update_reports_each_range_and_the_totals(api):
    """Rows, columns, cells and tabs are counted over all ranges, each once."""
    api.fake.define("Other")
    data = [
        {"range": "A1:D1", "values": [["a", "b", "", "d"]]},
        {"range": "A4:D4", "values": [["a", "b", "c", "d"]]},
        {"range": "Other!A1", "majorDimension": "COLUMNS", "values": [["x", "y"]]},
    ]
    answer = api.post("/values:batchUpdate", {"valueInputOption": "RAW", "data": data, "includeValuesInResponse": True})
    totals = {name: value for name, value in answer.json().items() if name.startswith("total")}
    assert totals == {
        "totalUpdatedRows": 4,
        "totalUpdatedColumns": 5,
        "totalUpdatedCells": 10,
        "totalUpdatedSheets": 2,
    }
    last = answer.json()["responses"][2]
    assert (last["updatedRange"], last["updatedRows"], last["updatedData"]["values"]) == (
        "Other!A1:A2",
        2,
        [["x"], ["y"]],
    )


def test_append_goes_below_the_table_and_drifts_with_it(api):
    """Rows land below the last table, at its first column: a gap in the header sends them to the right."""
    append = "/values/Sheet1:append"
    body = {"values": [["a", "", "c"]]}
    first = api.post(append, body, valueInputOption="RAW").json()
    assert ("tableRange" in first, first["updates"]["updatedRange"]) == (False, "Sheet1!A1:C1")
    second = api.post(append, body, valueInputOption="RAW").json()
    assert (second["tableRange"], second["updates"]["updatedRange"]) == ("Sheet1!C1", "Sheet1!C2:E2")
    third = api.post("/values/Sheet1!A1:append", body, valueInputOption="RAW").json()
    assert (third["tableRange"], third["updates"]["updatedRange"]) == ("Sheet1!A1", "Sheet1!A2:C2")


@pytest.mark.parametrize(
    ("asked", "table", "written"),
    [
        ("Sheet1", "Sheet1!B4:D6", "Sheet1!B7"),
        ("C5:D5", "Sheet1!B4:D6", "Sheet1!B7"),
        ("B2:D4", "Sheet1!B4:D6", "Sheet1!B7"),
        ("A3:G10", "Sheet1!B4:D6", "Sheet1!B7"),
        ("A1", "Sheet1!A1:C2", "Sheet1!A3"),
        ("E4", None, "Sheet1!E4"),
        ("A4", None, "Sheet1!A4"),
    ],
)
def test_append_finds_the_last_table_that_touches_its_range(api, asked, table, written):
    """The two tables of Google's own guide are found as the guide says."""
    api.write("A1:C2", [[1, 2, 3], [4, 5, 6]])
    api.write("B4:D6", [[1, 2, 3]] * 3)
    answer = api.post(f"/values/{asked}:append", {"values": [["new"]]}, valueInputOption="RAW").json()
    assert (answer.get("tableRange"), answer["updates"]["updatedRange"]) == (table, written)


def test_append_grows_the_grid_and_can_insert_rows(api):
    """An append past the last row or column makes room; INSERT_ROWS keeps what stands below the table."""
    api.changed(
        {
            "updateSheetProperties": {
                "properties": {"gridProperties": {"rowCount": 3, "columnCount": 2}},
                "fields": "gridProperties(rowCount,columnCount)",
            }
        }
    )
    api.write("A1:A3", [["head"], [""], ["below"]])
    insert = {"valueInputOption": "RAW", "insertDataOption": "INSERT_ROWS"}
    api.post("/values/A1:append", {"values": [["x", "y", "z"], ["v"]]}, **insert)
    assert api.values("A1:C5") == [["head"], ["x", "y", "z"], ["v"], [], ["below"]]
    assert api.grid() == {"rowCount": 5, "columnCount": 3}
    api.post("/values/A5:append", {"values": [["end"]]}, valueInputOption="RAW")
    assert api.grid()["rowCount"] == 6


def test_clear_takes_values_and_leaves_formats(api):
    """A cleared range is empty and still looks as it did; batchClear is all or nothing."""
    api.write("A1", [["2026-01-02", "x"], ["y", "z"]], "USER_ENTERED")
    assert api.post("/values/A1:A9:clear", {}).json()["clearedRange"] == "Sheet1!A1:A9"
    assert api.values("A1:B2") == [["", "x"], ["", "z"]]
    assert api.fake.look("Sheet1", "A1")["numberFormat"]["type"] == "DATE"
    answer = api.post("/values:batchClear", {"ranges": ["B1", "A2000:B"]})
    assert message(answer).startswith("Invalid range[1]: Range (Sheet1!A2000:B) exceeds grid limits.")
    assert api.values("B1") == [["x"]]


def test_a_body_may_not_name_another_range_than_the_address(api):
    """The two are compared as text."""
    answer = api.write("Sheet1!A1", [["x"]], range="'Sheet1'!A1")
    assert message(answer) == "Request range[Sheet1!A1] does not match value's range['Sheet1'!A1]"


def test_the_answer_can_be_cut_down_to_some_fields(api):
    """`fields` works on every method."""
    api.write("A1", [[1, 2]])
    assert api.read("A1:B1", fields="values").json() == {"values": [["1", "2"]]}
    body = {"valueInputOption": "RAW", "data": [{"range": "A1", "values": [[3]]}]}
    assert api.post("/values:batchUpdate", body, fields="totalUpdatedCells,responses/updatedRange").json() == {
        "totalUpdatedCells": 1,
        "responses": [{"updatedRange": "Sheet1!A1"}],
    }


def test_titles_with_slashes_and_colons_find_their_tab(api):
    """What stands in the address percent-encoded is part of the title."""
    api.fake.define("a/b: 100%?")
    assert api.write("'a/b: 100%?'!A1", [["x"]]).json()["updatedRange"] == "'a/b: 100%?'!A1"
    assert api.values("'a/b: 100%?'!A1:B2") == [["x"]]
