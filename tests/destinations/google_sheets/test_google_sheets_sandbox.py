"""The Google Sheets fake as a test holds it: tabs made and filled by hand, read back, and reset."""

from __future__ import annotations

import json

import pytest
from discovery import document, faults
from sheets_api import Api

from airflow_reverse_etl.destinations.google_sheets.sandbox import Fake
from airflow_reverse_etl.destinations.google_sheets.sandbox.schema import (
    ENUMS,
    MESSAGES,
    OTHER_REQUESTS,
    PARAMETERS,
    fields_of,
)

NAMES = {"int32": "integer", "bool": "boolean", "double": "number", "string": "string"}


@pytest.fixture
def api(box):
    """Return a plain client of the fake."""
    with Api(box) as api:
        yield api


def test_a_tab_is_defined_filled_and_read_by_its_header():
    """Records go below the last row under their names; empty rows are no records, empty cells are None."""
    fake = Fake()
    fake.define("Leads", ["id", "name", "score"])
    assert fake.seed("Leads", [{"id": 1, "name": "Ann"}, {"score": 2.50, "id": "007"}]) == ["2", "3"]
    fake.seed_cells("Leads", [[2, "Bob", True]], at="A6")
    assert fake.records("Leads") == [
        {"id": 1, "name": "Ann", "score": None},
        {"id": "007", "name": None, "score": 2.5},
        {"id": 2, "name": "Bob", "score": True},
    ]
    assert fake.objects() == {"Sheet1": 0, "Leads": 3}
    assert fake.cells("Leads")[1:5] == [[1, "Ann"], ["007", None, 2.5], [], []]


def test_seeding_grows_the_grid_and_keeps_formulas():
    """Setting up a test needs no grid arithmetic; text with "=" in front of raw cells is a formula."""
    fake = Fake()
    fake.define("Small", ["id"], rows=2, columns=1)
    assert fake.seed("Small", [{"id": n} for n in range(5)]) == ["2", "3", "4", "5", "6"]
    fake.seed_cells("Small", [["=2*21", "=SUM(A:A)"]], at="C9")
    assert fake.cells("Small")[8] == [None, None, 42, "Loading..."]


def test_defining_a_tab_again_empties_it_in_its_place():
    """The tab keeps its id and its place."""
    fake = Fake()
    fake.define("Second")
    fake.seed_cells("Sheet1", [["old"]])
    fake.define("Sheet1", ["new"])
    assert list(fake.objects()) == ["Sheet1", "Second"]
    assert fake.cells("Sheet1") == [["new"]]


def test_other_spreadsheets_stand_beside_the_default_one(api):
    """A spreadsheet is made by defining a tab in it."""
    api.fake.define("Tab", ["id"], spreadsheet_id="1other")
    api.fake.seed("Tab", [{"id": 5}], spreadsheet_id="1other")
    answer = api.session.get(f"{api.base}/v4/spreadsheets/1other/values/Tab")
    assert answer.json()["values"] == [["id"], ["5"]]
    assert api.fake.records("Tab", spreadsheet_id="1other") == [{"id": 5}]
    assert api.fake.objects() == {"Sheet1": 0}


def test_mistakes_of_a_test_are_said():
    """An unknown tab, spreadsheet, column, cell or type is an error at once."""
    fake = Fake()
    fake.define("T", ["id"])
    for call in (
        lambda: fake.records("Nope"),
        lambda: fake.cells("T", spreadsheet_id="1nope"),
        lambda: fake.seed("T", [{"name": "x"}]),
    ):
        with pytest.raises(KeyError):
            call()
    for call in (
        lambda: fake.seed_cells("T", [[1]], at="A1:B2"),
        lambda: fake.look("T", "A"),
        lambda: fake.protect("T", "?"),
    ):
        with pytest.raises(ValueError, match="write for example"):
            call()
    with pytest.raises(TypeError, match="not list"):
        fake.seed("T", [{"id": []}])


def test_the_connection_holds_a_working_key_file(api):
    """The connection has the pinned fields, and its key file logs in where its token_uri says."""
    connection = api.fake.connection(f"{api.base}/")
    assert (connection["conn_type"], connection["host"]) == ("google_sheets", api.base)
    keyfile = json.loads(connection["extra"]["keyfile_dict"])
    assert (keyfile["type"], keyfile["token_uri"]) == ("service_account", f"{api.base}/token")
    assert api.get().status_code == 200


def test_reset_goes_back_to_the_start(api):
    """Tabs, settings, counters, violations and tokens are as on the first day; the id in the settings can be moved."""
    api.fake.settings.spreadsheet_id = "1moved"
    assert api.session.get(f"{api.base}/v4/spreadsheets/1moved").status_code == 200
    api.fake.define("T")
    api.session.get(f"{api.base}/nowhere")
    api.fake.reset()
    fresh = Fake()
    assert (api.fake.settings, api.fake.objects()) == (fresh.settings, fresh.objects())
    assert (api.fake.violations, list(api.fake.requests), api.fake.quota.reads) == ([], [], 0)
    assert api.get().status_code == 401


def test_the_box_shows_tabs_and_records(box):
    """The sandbox as a whole reaches the fake's tabs, settings and connection."""
    box.define("google_sheets", "Leads", ["id", "name"])
    box.seed("google_sheets", "Leads", [{"id": 1, "name": "Ann"}])
    assert box.records("google_sheets", "Leads") == [{"id": 1, "name": "Ann"}]
    assert box.objects("google_sheets") == {"Sheet1": 0, "Leads": 1}
    assert box.settings("google_sheets", writes_per_minute=5)["writes_per_minute"] == 5


def test_coverage_and_faults_are_sentences():
    """Both are printed in the documentation."""
    assert {kind for _, kind, _ in Fake.COVERAGE} == {"faked", "partly", "not faked"}
    assert all(text.endswith((".", "`.")) for _, _, text in Fake.COVERAGE)
    assert all(text.endswith((".", "`.")) for text in Fake.FAULTS.values())


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_the_messages_are_those_of_the_discovery_document(name):
    """Every message the fake checks has exactly the fields, types and enums that Google publishes."""
    types, _ = fields_of(MESSAGES[name])
    published = document()["schemas"][name].get("properties", {})
    assert sorted(types) == sorted(published)
    for field, kind in types.items():
        schema = published[field]
        assert kind.startswith("[") == (schema.get("type") == "array"), field
        inner = schema.get("items", schema)
        bare = kind.strip("[]")
        if bare in ENUMS:
            assert list(ENUMS[bare]) == inner["enum"], field
        elif bare in MESSAGES:
            assert inner["$ref"] == bare, field
        elif bare == "ListValue":
            assert inner == {"type": "array", "items": {"type": "any"}}, field
        elif bare != "any":
            assert inner["type"] == NAMES[bare], field


def test_the_methods_take_the_parameters_of_the_discovery_document():
    """Every method the fake serves knows the query parameters that Google publishes, and no others."""
    for name, text in PARAMETERS.items():
        *path, method = name.split(".")
        resource = document()
        for part in path:
            resource = resource["resources"][part]
        published = resource["methods"][method]["parameters"]
        assert sorted(fields_of(text)[0]) == sorted(n for n, p in published.items() if p["location"] == "query"), name
    assert not set(OTHER_REQUESTS) & {
        kind for kind, type_ in fields_of(MESSAGES["Request"])[0].items() if type_ != "any"
    }


@pytest.mark.parametrize(
    ("verb", "path", "query", "body", "fault"),
    [
        ("GET", "/v4/spreadsheets/x/nothing", (), None, "no such method"),
        ("GET", "/v4/spreadsheets/x", (("foo", "1"),), None, "has no parameter foo"),
        ("GET", "/v4/spreadsheets/x/values/A1", (("majorDimension", "ROW"),), None, "majorDimension is none of"),
        ("GET", "/v4/spreadsheets/x", (), {}, "takes no body"),
        ("POST", "/v4/spreadsheets/x:batchUpdate", (), {"request": []}, "request does not exist"),
        ("POST", "/v4/spreadsheets/x:batchUpdate", (), {"requests": {}}, "requests is no array"),
        (
            "POST",
            "/v4/spreadsheets/x:batchUpdate",
            (),
            {"requests": [{"deleteSheet": {"sheetId": "0"}}]},
            "is no integer",
        ),
        ("PUT", "/v4/spreadsheets/x/values/A1", (), {"values": ["x"]}, "values[0] is no array"),
        ("PUT", "/v4/spreadsheets/x/values/A1", (), {"majorDimension": "ROW"}, "majorDimension is none of"),
        (
            "POST",
            "/v4/spreadsheets",
            (),
            {"sheets": [{"properties": {"dataSourceSheetProperties": {}}}]},
            "is read-only",
        ),
    ],
)
def test_the_discovery_helper_finds_faults(verb, path, query, body, fault):
    """The helper that judges our requests can fail."""
    (found,) = faults(verb, path, query, body)
    assert fault in found


def test_the_discovery_helper_leaves_good_requests_alone():
    """Values of any scalar type and null pass, and so does an append to a range with a colon."""
    body = {"values": [["a", 1, 1.5, True, None]], "majorDimension": None}
    query = (("valueInputOption", "RAW"), ("fields", "updates.updatedRange"))
    assert faults("POST", "/v4/spreadsheets/x/values/'A:B'!A1:B2:append", query, body) == []
    assert faults("GET", "/v4/spreadsheets/x", (), None) == []
