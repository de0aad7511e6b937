"""Clients that we did not write drive the fake: gspread and Google's own library must find what they expect."""

from __future__ import annotations

import gspread
import pytest
from discovery import faults
from google.auth.credentials import AnonymousCredentials
from google.auth.transport.requests import Request
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from sheets_api import Api

GOOGLE = "https://sheets.googleapis.com"


@pytest.fixture
def api(box):
    """Return a plain client of the fake."""
    with Api(box) as api:
        yield api


@pytest.fixture
def book(api):
    """Return the default spreadsheet as gspread sees it."""

    class Client(gspread.HTTPClient):
        def request(self, method, endpoint, **arguments):
            return super().request(method, endpoint.replace(GOOGLE, api.base), **arguments)

    client = gspread.Client(api.credentials, session=api.session, http_client=Client)
    return client.open_by_key(api.fake.settings.spreadsheet_id)


@pytest.fixture
def service(api):
    """Return Google's own client with the token that the key file of the connection brings."""
    api.credentials.refresh(Request())
    credentials = Credentials(token=api.credentials.token)
    options = {"api_endpoint": api.base}
    with build("sheets", "v4", credentials=credentials, client_options=options, cache_discovery=False) as service:
        yield service.spreadsheets()


def test_gspread_writes_rows_and_reads_them_back(book, api):
    """What gspread writes as a table it reads back as records, numbers as numbers."""
    sheet = book.sheet1
    sheet.update([["id", "name", "score"], [1, "Ann", 2.5], [2, "Bob", ""]], "A1")
    sheet.append_rows([[3, "Cyd", 4]], table_range="A1")
    assert sheet.get_all_records() == [
        {"id": 1, "name": "Ann", "score": 2.5},
        {"id": 2, "name": "Bob", "score": ""},
        {"id": 3, "name": "Cyd", "score": 4},
    ]
    assert sheet.find("Cyd").address == "B4"
    assert api.fake.records("Sheet1")[2] == {"id": 3, "name": "Cyd", "score": 4}


def test_gspread_manages_tabs(book):
    """Tabs are added, resized, renamed, frozen, reordered and deleted, and gspread's idea of them stays right."""
    sheet = book.add_worksheet("It's here", rows=5, cols=3)
    sheet.resize(rows=7)
    sheet.update_title("Rénamed")
    sheet.freeze(rows=1)
    book.reorder_worksheets([sheet, book.sheet1])
    first = book.worksheets()[0]
    assert (first.title, first.row_count, first.col_count, first.frozen_row_count) == ("Rénamed", 7, 3, 1)
    book.del_worksheet(sheet)
    assert [tab.title for tab in book.worksheets()] == ["Sheet1"]


def test_gspread_inserts_and_deletes_rows_and_columns(book):
    """Rows and columns move out of the way and close the gap."""
    sheet = book.sheet1
    sheet.update([["a", "b"], ["c", "d"]], "A1")
    sheet.insert_row(["x", "y"], 2)
    sheet.insert_cols([["new"]], 2)
    assert sheet.get_all_values() == [["a", "new", "b"], ["x", "", "y"], ["c", "", "d"]]
    sheet.delete_rows(1)
    sheet.delete_columns(2)
    assert sheet.get_all_values() == [["x", "y"], ["c", "d"]]


def test_gspread_reads_and_writes_many_ranges(book):
    """Batches of ranges are written, read and cleared in one call each."""
    sheet = book.sheet1
    sheet.batch_update([{"range": "A1:B1", "values": [[1, 2]]}, {"range": "D4", "values": [["far"]]}])
    assert sheet.batch_get(["A1:B1", "D4", "F1:G2"]) == [[["1", "2"]], [["far"]], []]
    sheet.batch_clear(["A1", "D4"])
    assert sheet.get_all_values() == [["", "2"]]


def test_gspread_formats_and_copies(book, api):
    """A number format set by gspread shows in what it reads, and a copied range takes values and formats along."""
    sheet = book.sheet1
    sheet.update([[46000]], "A1")
    sheet.format("A1", {"numberFormat": {"type": "DATE", "pattern": "yyyy-mm-dd"}})
    sheet.copy_range("A1", "B2")
    assert sheet.acell("B2").value == "2025-12-09"
    assert sheet.acell("B2", value_render_option="UNFORMATTED_VALUE").value == 46000
    assert api.fake.look("Sheet1", "B2") == {"numberFormat": {"type": "DATE", "pattern": "yyyy-mm-dd"}}


def test_gspread_sees_refusals_as_api_errors(book, box):
    """Gspread reads the code and the sentence of a refusal out of the body."""
    with pytest.raises(gspread.exceptions.APIError, match=r"exceeds grid limits. Max rows: 1000, max columns") as hit:
        book.sheet1.update([["x"]], "A1001")
    assert hit.value.code == 400
    box.settings("google_sheets", reads_per_minute=1)
    with pytest.raises(gspread.exceptions.APIError, match="Quota exceeded") as hit:
        book.sheet1.acell("A1")
    assert hit.value.code == 429


def test_every_request_of_gspread_passes_the_discovery_document(book, api):
    """The helper that will judge our own requests finds no fault with those of a client in use for years."""
    sheet = book.add_worksheet("T", 10, 4)
    sheet.append_row([1, "a"])
    sheet.update([[True, None]], "A2")
    sheet.batch_get(["A1", "B2:C3"])
    sheet.add_rows(1)
    sheet.add_protected_range("A1:B2", ["someone@example.com"])
    sheet.delete_rows(2)
    found = [faults(r.verb, r.path, r.query, r.json()) for r in api.fake.requests if "protected" not in str(r.body)]
    assert len(found) >= 7
    assert [fault for fault in found if fault] == []


def test_googles_client_reads_and_writes(service):
    """Google's own client walks through values and batchUpdate, and finds the answers its documents promise."""
    values = service.values()
    spreadsheet = {"spreadsheetId": "1SandboxSpreadsheetIdForTestsAndDemos00000"}
    body = {"values": [["id", "when"], [1, "2026-01-02"]]}
    written = values.update(**spreadsheet, range="Sheet1!A1", valueInputOption="USER_ENTERED", body=body).execute()
    assert written == {
        **spreadsheet,
        "updatedRange": "Sheet1!A1:B2",
        "updatedRows": 2,
        "updatedColumns": 2,
        "updatedCells": 4,
    }
    found = values.batchGet(**spreadsheet, ranges=["Sheet1!A2:B2"], valueRenderOption="UNFORMATTED_VALUE").execute()
    assert found["valueRanges"] == [{"range": "Sheet1!A2:B2", "majorDimension": "ROWS", "values": [[1, 46024]]}]
    reply = service.batchUpdate(
        **spreadsheet, body={"requests": [{"addSheet": {"properties": {"title": "T"}}}]}
    ).execute()
    added = reply["replies"][0]["addSheet"]["properties"]
    assert added["gridProperties"] == {"rowCount": 1000, "columnCount": 26}
    titles = service.get(**spreadsheet, fields="sheets.properties.title").execute()
    assert titles == {"sheets": [{"properties": {"title": "Sheet1"}}, {"properties": {"title": "T"}}]}


def test_googles_client_sends_a_long_get_as_a_form(service, api):
    """A batchGet whose address would be too long travels as a POST that says it is a GET."""
    api.write("A1:A3", [[1], [2], [3]])
    ranges = ["Sheet1!A1:A3"] * 150
    answer = service.values().batchGet(spreadsheetId=api.fake.settings.spreadsheet_id, ranges=ranges).execute()
    assert len(answer["valueRanges"]) == 150
    assert answer["valueRanges"][149]["values"] == [["1"], ["2"], ["3"]]
    assert api.fake.requests[-1].verb == "POST"


def test_googles_client_reads_refusals(service, api):
    """The client's HttpError carries status and reason of our 400 and 404."""
    with pytest.raises(HttpError, match="Unable to parse range: Nope!A1") as hit:
        service.values().get(spreadsheetId=api.fake.settings.spreadsheet_id, range="Nope!A1").execute()
    assert hit.value.resp.status == 400
    with pytest.raises(HttpError, match="Requested entity was not found") as hit:
        service.get(spreadsheetId="1nothing").execute()
    assert hit.value.resp.status == 404


def test_anonymous_calls_are_refused(api):
    """Without a login the client is told that it has no identity."""
    options = {"api_endpoint": api.base}
    anonymous = AnonymousCredentials()
    with build("sheets", "v4", credentials=anonymous, client_options=options, cache_discovery=False) as service:
        call = service.spreadsheets().get(spreadsheetId=api.fake.settings.spreadsheet_id)
        with pytest.raises(HttpError) as hit:
            call.execute()
    assert hit.value.resp.status == 403
