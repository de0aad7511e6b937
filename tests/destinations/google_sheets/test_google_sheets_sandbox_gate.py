"""What stands before every call of the Google Sheets fake: login, sharing, quotas, and checks of the request."""

from __future__ import annotations

import time

import jwt
import pytest
import requests
from google.auth.transport.requests import Request
from sheets_api import Api, message, rows

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = "https://www.googleapis.com/auth/"
ANY_GRID = {"sheetId": 0, "rowIndex": 0, "columnIndex": 0}


@pytest.fixture
def api(box):
    """Return a plain client of the fake."""
    with Api(box) as api:
        yield api


def login(api, key=None, **changes):
    """Ask the token endpoint with an assertion of our own making; `changes` spoil it."""
    now = int(time.time())
    good = {
        "iss": api.keyfile["client_email"],
        "scope": f"{SCOPES}spreadsheets",
        "aud": f"{api.base}/token",
        "iat": now,
        "exp": now + 3600,
    }
    claims = {name: value for name, value in {**good, **changes}.items() if value is not None}
    assertion = jwt.encode(claims, key or api.keyfile["private_key"], algorithm="HS256" if key else "RS256")
    return requests.post(f"{api.base}/token", data={"grant_type": GRANT, "assertion": assertion}, timeout=5)


def test_a_signed_assertion_brings_a_token_for_an_hour(api):
    """The answer is the one google-auth and every OAuth 2 client expects."""
    answer = login(api)
    assert answer.status_code == 200
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3599)
    header = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert requests.get(api.url, headers=header, timeout=5).status_code == 200
    assert api.fake.logins == 1


@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"iss": "somebody@else.iam.gserviceaccount.com"}, "invalid_grant", "account not found"),
        ({"aud": "https://example.com/token"}, "invalid_grant", "Failed audience check"),
        ({"aud": None}, "invalid_grant", "Invalid JWT"),
        ({"exp": int(time.time()) - 10}, "invalid_grant", "short-lived token"),
        ({"exp": int(time.time()) + 7200}, "invalid_grant", "short-lived token"),
        ({"iat": None}, "invalid_grant", "short-lived token"),
        ({"scope": ""}, "invalid_scope", "Invalid OAuth scope"),
        ({"scope": "spreadsheets"}, "invalid_scope", "Invalid OAuth scope"),
        ({"key": "a secret that is long enough for HS256"}, "invalid_grant", "Invalid JWT Signature."),
    ],
)
def test_an_assertion_that_google_would_not_take_is_refused(api, changes, error, description):
    """Signature, issuer, audience, lifetime and scope are checked."""
    answer = login(api, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert description in answer.json()["error_description"]


def test_other_grants_are_refused(api):
    """A user's refresh token is not what a service account has."""
    answer = requests.post(f"{api.base}/token", data={"grant_type": "refresh_token"}, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    assert [violation["status"] for violation in api.fake.violations] == [400]


@pytest.mark.parametrize(
    ("header", "code", "reason"),
    [
        (None, 403, "unregistered callers"),
        ("Bearer ya29.unknown", 401, "invalid authentication credentials"),
        ("Basic dXNlcjpwYXNz", 401, "invalid authentication credentials"),
    ],
)
def test_a_call_needs_a_token(api, header, code, reason):
    """No header is another error than a wrong one."""
    answer = requests.get(api.url, headers={"Authorization": header} if header else {}, timeout=5)
    assert (answer.status_code, reason in message(answer)) == (code, True)
    assert api.fake.quota.reads == 0


def test_a_token_ends_before_its_time_is_promised_to(api):
    """A token that the server gave up early is a 401 with the reason, and a new login mends it."""
    assert api.get().status_code == 200
    api.fake.settings.token_seconds = -1
    answer = api.get()
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert answer.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_EXPIRED"
    assert answer.headers["WWW-Authenticate"].endswith('error="invalid_token"')
    api.fake.settings.token_seconds = 3599
    api.credentials.refresh(Request())
    assert (api.get().status_code, api.fake.logins) == (200, 2)


def test_a_token_is_good_for_its_scope(box):
    """A scope for reading does not write; a scope of another API does neither."""
    with Api(box, f"{SCOPES}spreadsheets.readonly") as reader:
        assert reader.get().status_code == 200
        answer = reader.write("A1", [["x"]])
        assert answer.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    with Api(box, f"{SCOPES}calendar") as stranger:
        assert stranger.get().status_code == 403


@pytest.mark.parametrize(
    ("access", "reads", "writes"), [("writer", 200, 200), ("reader", 200, 403), ("none", 403, 403)]
)
def test_the_share_decides_who_reads_and_writes(api, access, reads, writes):
    """A spreadsheet that is not shared says so; it does not pretend to be missing."""
    api.fake.settings.access = access
    assert (api.get().status_code, api.write("A1", [["x"]]).status_code) == (reads, writes)
    if access == "none":
        assert api.get().json()["error"] == {
            "code": 403,
            "message": "The caller does not have permission",
            "status": "PERMISSION_DENIED",
        }


def test_an_unknown_spreadsheet_is_not_found(api):
    """The 404 has Google's words."""
    answer = api.session.get(f"{api.base}/v4/spreadsheets/1nope")
    assert answer.json()["error"] == {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}


def test_reads_and_writes_are_counted_apart_and_refill_together(api):
    """After 60 writes in a minute the next one is a 429; reads go on; a new minute begins anew."""
    api.fake.settings.window_seconds = 1.5
    api.fake.settings.writes_per_minute = 3
    start = time.monotonic()
    codes = [api.write("A1", [[number]]).status_code for number in range(4)]
    if time.monotonic() - start < 1.5:  # else the machine was so slow that the window went by
        assert codes == [200, 200, 200, 429]
        assert api.values("A1") == [[2]]
    time.sleep(1.6)
    assert api.write("A1", [["again"]]).status_code == 200
    assert (api.fake.quota.writes, api.fake.quota.refused) == (codes.count(200) + 1, codes.count(429))


def test_the_429_is_googles(api):
    """The body names metric, limit and value, for the user and for the project; a batch counts once."""
    api.fake.settings.reads_per_minute = 0
    error = api.get().json()["error"]
    assert (error["code"], error["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert error["message"].startswith(
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user' of service "
        "'sheets.googleapis.com' for consumer 'project_number:"
    )
    info = error["details"][0]
    assert (info["reason"], info["metadata"]["quota_limit"]) == ("RATE_LIMIT_EXCEEDED", "ReadRequestsPerMinutePerUser")
    assert "Retry-After" not in api.get().headers
    api.fake.settings.project_writes_per_minute = 0
    info = api.write("A1", [["x"]]).json()["error"]["details"][0]
    assert info["metadata"]["quota_limit"] == "WriteRequestsPerMinutePerProject"


UNKNOWN = "Invalid JSON payload received. Unknown name"
TYPE = "(type.googleapis.com/google.apps.sheets.v4."
TWICE = "(oneof), oneof field 'start' is already set. Cannot set 'range'"
ONE_NUMBER = [{"values": [{"userEnteredValue": {"numberValue": "1"}}]}]
NUMBER = "Invalid value at 'requests[0].update_cells.rows[0].values[0].user_entered_value.number_value'"
PLACE = {"sheetId": 0, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}


@pytest.mark.parametrize(
    ("request_body", "expected"),
    [
        ({"deleteDimensions": {}}, f"{UNKNOWN} \"deleteDimensions\" at 'requests[0]': Cannot find field."),
        (
            {"deleteDimension": {"range": {**PLACE, "dimension": "ROW"}}},
            f"Invalid value at 'requests[0].delete_dimension.range.dimension' {TYPE}Dimension), \"ROW\"",
        ),
        (
            {"deleteDimension": {"range": {**PLACE, "sheetId": "0"}}},
            "Invalid value at 'requests[0].delete_dimension.range.sheet_id' (TYPE_INT32), \"0\"",
        ),
        (
            {"addSheet": {"properties": {"title": 5}}},
            "Invalid value at 'requests[0].add_sheet.properties.title' (TYPE_STRING), 5",
        ),
        (
            {"updateSheetProperties": {"properties": {"hidden": "yes"}, "fields": "hidden"}},
            "Invalid value at 'requests[0].update_sheet_properties.properties.hidden' (TYPE_BOOL), \"yes\"",
        ),
        ("repeatCell", f"Invalid value at 'requests[0]' {TYPE}BatchUpdateSpreadsheetRequest.Request), \"repeatCell\""),
        ({"updateCells": {"start": ANY_GRID, "rows": ONE_NUMBER, "fields": "*"}}, f'{NUMBER} (TYPE_DOUBLE), "1"'),
        (
            {"updateCells": {"start": ANY_GRID, "range": {}, "rows": rows(["a"]), "fields": "*"}},
            f"Invalid value at 'requests[0].update_cells' {TWICE}",
        ),
        ({}, "Invalid requests[0]: No request set."),
    ],
)
def test_a_malformed_request_is_refused_and_counted(api, request_body, expected):
    """Unknown names, wrong types and enums are refused in Google's words before anything is done, and remembered."""
    answer = api.change(request_body)
    assert (answer.status_code, message(answer)) == (400, expected)
    (violation,) = api.fake.violations
    assert (violation["method"], violation["status"], violation["reason"]) == ("POST", 400, expected)
    assert str(violation["path"]).endswith(":batchUpdate")


def test_the_places_of_all_violations_are_listed(api):
    """Google names each fault in fieldViolations, with the path as protobuf spells it."""
    answer = api.post("/values:batchUpdate", {"valueInputOption": "raw", "data": [{"range": 1, "value": []}]})
    fields = answer.json()["error"]["details"][0]["fieldViolations"]
    assert [violation["field"] for violation in fields] == ["value_input_option", "data[0].range", "data[0]"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("X", "Invalid value at 'data.values' (type.googleapis.com/google.protobuf.ListValue), \"X\""),
        (["A"], "Invalid value at 'data.values[0]' (type.googleapis.com/google.protobuf.ListValue), \"A\""),
        ([["a", {}]], "Invalid values[0][1]: struct_value {\n}\n"),
        ([["a"], [["b", 1]]], 'Invalid values[1][0]: list_value {\n  values {\n    string_value: "b"\n  }\n'),
    ],
)
def test_values_are_rows_of_scalars(api, values, expected):
    """A row that is no list and a cell that is no scalar are malformed."""
    answer = api.write("A1", values)
    assert message(answer).startswith(expected)
    assert len(api.fake.violations) == 1


def test_query_parameters_are_checked(api):
    """Unknown ones, wrong enums and field masks that match nothing are refused."""
    assert "Field 'foo' could not be found in request message" in message(api.get(foo="1"))
    wrong = "Invalid value at 'major_dimension' (type.googleapis.com/google.apps.sheets.v4.Dimension), \"DIAGONAL\""
    assert message(api.read("A1", majorDimension="DIAGONAL")) == wrong
    answer = api.get(fields="properties, sheets.properties")
    assert message(answer) == "Request contains an invalid argument."
    (violation,) = answer.json()["error"]["details"][0]["fieldViolations"]
    expected = "Error expanding 'fields' parameter. Cannot find matching fields for path ' sheets.properties'."
    assert violation["description"] == expected
    assert api.get(fields="sheets(properties").status_code == 400
    assert "path 'sheets.properties.titel'" in api.get(fields="sheets/properties(title,titel)").text
    assert len(api.fake.violations) == 5


@pytest.mark.parametrize("option", ["", "INPUT_VALUE_OPTION_UNSPECIFIED"])
def test_the_input_option_is_required(api, option):
    """Its default must not be used."""
    query = {"valueInputOption": option} if option else {}
    answer = api.session.put(f"{api.url}/values/A1", params=query, json={"values": [["x"]]})
    assert message(answer) == "'valueInputOption' is required but not specified"


@pytest.mark.parametrize("body", [b'{"values": [[NaN]]}', b'{"values": ', b"\xff"])
def test_a_body_that_is_no_json_is_refused(api, body):
    """NaN is no JSON."""
    header = {"Content-Type": "application/json"}
    answer = api.session.put(f"{api.url}/values/A1?valueInputOption=RAW", data=body, headers=header)
    assert message(answer).startswith("Invalid JSON payload received. Unexpected token.")
    form = api.session.post(f"{api.url}:batchUpdate", data={"requests": "[]"})
    assert "application/json" in message(form)


def test_empty_batches_are_refused(api):
    """A batch has to ask for something."""
    assert message(api.change()) == "Must specify at least one request."
    assert message(api.post("/values:batchClear", {})) == "Must specify at least one range."
    assert message(api.session.get(f"{api.url}/values:batchGet")) == "Must specify at least one range."


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/v4/spreadsheets/x/nothing"),
        ("DELETE", "/v4/spreadsheets/x"),
        ("POST", "/v4/spreadsheets/x/values/A1"),
        ("GET", "/v5"),
    ],
)
def test_an_address_that_the_api_has_not_is_a_404(api, verb, path):
    """The front end answers with a page, as Google's does."""
    answer = api.session.request(verb, api.base + path)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (404, "text/html")
    assert [violation["status"] for violation in api.fake.violations] == [404]


@pytest.mark.parametrize(
    ("verb", "path", "name"),
    [
        ("POST", "", "spreadsheets.create"),
        ("POST", "/x/values:batchGetByDataFilter", "spreadsheets.values.batchGetByDataFilter"),
        ("POST", "/x/sheets/0:copyTo", "spreadsheets.sheets.copyTo"),
    ],
)
def test_a_method_that_is_not_faked_says_so(api, verb, path, name):
    """What the real API has and the fake has not is told apart from what neither has."""
    answer = api.session.request(verb, f"{api.base}/v4/spreadsheets{path}", json={})
    assert message(answer).startswith(f"The sandbox does not fake {name};")


def test_large_bodies_are_counted_and_huge_ones_refused(api):
    """2 MB is advice, 10 MB is a limit of the sandbox; both can be moved."""
    api.fake.settings.advised_body_bytes = 50
    api.fake.settings.max_body_bytes = 200
    api.write("A1", [["x" * 60]])
    assert (api.fake.large_bodies, api.fake.largest_body > 60) == (1, True)
    assert api.write("A1", [["x" * 300]]).status_code == 413


def test_the_last_requests_are_remembered_within_bounds(api):
    """Verb, address, query, body and status of each call; the oldest go first, by number and by bytes."""
    api.write("B2", [["x"]])
    last = api.fake.requests[-1]
    assert (last.verb, last.status, last.query) == ("PUT", 200, (("valueInputOption", "RAW"),))
    assert last.path.endswith("/values/B2")
    assert last.json() == {"values": [["x"]]}
    api.fake.settings.kept_requests = 2
    for _ in range(3):
        api.get()
    assert [request.verb for request in api.fake.requests] == ["GET", "GET"]
    api.fake.settings.kept_request_bytes = 10
    api.write("B2", [["y"]])
    assert len(api.fake.requests) == 1


def test_latency_is_spent_on_every_call_and_on_rows(api):
    """A call takes its fixed time, and more for the rows it carries."""
    api.get()
    api.fake.settings.latency_seconds = 0.05
    api.fake.settings.seconds_per_row = 0.01
    start = time.monotonic()
    api.write("A1", [[1]] * 10)
    assert time.monotonic() - start >= 0.15
