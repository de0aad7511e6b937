"""What Google's refusals and broken answers mean for a run: stop, send again, look again, or refuse rows."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from http_script import Reply, serving

from airflow_reverse_etl.destinations.google_sheets.refusals import judge
from airflow_reverse_etl.destinations.rest import Answer
from airflow_reverse_etl.errors import (
    BatchRejectedError,
    ConfigurationError,
    FatalError,
    PatienceSpentError,
    RetryableError,
    UnknownOutcomeError,
)

TAB = "Ann's scores"
EMAIL = "reverse-etl@sandbox-project.iam.gserviceaccount.com"
WRITE = "values:batchUpdate$"


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("no_permission", f"the spreadsheet is not shared with {EMAIL} as an editor: share it (The caller does not"),
        ("api_disabled", "the Sheets API is not enabled in the Google Cloud project of the service account: enable it"),
        (
            "not_found",
            "there is no such spreadsheet: check the option `spreadsheet_id` (Requested entity was not found.)",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/v4/", WRITE])
def test_what_no_retry_would_help_stops_the_run(sheet, box, mode, said, path):
    """Before a row moves or while they do; the sentence says what to do."""
    sheet.fill(["id", "name"])
    box.faults("google_sheets", mode, path=path)
    ended = sheet.run("upsert", pa.table({"id": ["a", "b"], "name": ["x", "y"]}))
    assert isinstance(ended.error, FatalError)
    assert str(ended.error).startswith(said)
    assert ended.report.rejected == 0
    assert ended.report.aborted == (2 if path == WRITE else 0)


def test_a_spreadsheet_that_is_shared_for_reading_only_stops_at_the_first_write(sheet, box):
    """The check can read it."""
    sheet.fill(["id"])
    box.settings("google_sheets", access="reader")
    ended = sheet.run("upsert", pa.table({"id": ["a"]}))
    assert "not shared with" in str(ended.error)
    assert isinstance(ended.error, FatalError)


def test_another_spreadsheet_that_is_not_there(sheet):
    """The id is wrong."""
    with pytest.raises(FatalError, match="there is no such spreadsheet"):
        sheet.job("upsert", ["id"], spreadsheet_id="1NoSuchSpreadsheet")


def test_a_spent_quota_is_waited_for(sheet, box):
    """Reads and writes alike: nothing is lost, nothing doubled, and no row is refused for it."""
    sheet.fill(["id", "name"])
    box.faults("google_sheets", "quota", path="A2:A|batchUpdate$", nth=[1, 2, 4])
    ended = sheet.run("create", pa.table({"id": ["a", "b"], "name": ["x", "y"]}))
    assert (ended.error, ended.report.succeeded["create"]) == (None, 2)
    assert sheet.cells() == [["id", "name"], ["a", "x"], ["b", "y"]]


def test_a_quota_that_stays_spent_ends_the_patience(sheet, box):
    """Airflow may try again: nothing was sent."""
    sheet.fill(["id", "name"])
    box.faults("google_sheets", "status", status=429, headers={"Retry-After": "120"}, path=WRITE)
    ended = sheet.run("upsert", pa.table({"id": ["a"], "name": ["x"]}))
    assert (type(ended.error) in (PatienceSpentError, RetryableError), ended.report.aborted) == (True, 1)


ENVELOPE = {"code": 0, "message": "Google's words", "status": ""}


@pytest.mark.parametrize(
    ("status", "error", "kind", "code"),
    [
        (400, {"status": "INVALID_ARGUMENT"}, BatchRejectedError, "INVALID_ARGUMENT"),
        (400, {"status": "FAILED_PRECONDITION"}, BatchRejectedError, "FAILED_PRECONDITION"),
        (400, {"status": "OUT_OF_RANGE"}, BatchRejectedError, "OUT_OF_RANGE"),
        (401, {"status": "UNAUTHENTICATED"}, FatalError, "UNAUTHENTICATED"),
        (403, {"status": "PERMISSION_DENIED"}, FatalError, "PERMISSION_DENIED"),
        (403, {"errors": [{"reason": "userRateLimitExceeded"}]}, RetryableError, "RATE_LIMIT_EXCEEDED"),
        (403, {"details": [{"reason": "RATE_LIMIT_EXCEEDED"}]}, RetryableError, "RATE_LIMIT_EXCEEDED"),
        (404, {"status": "NOT_FOUND"}, FatalError, "NOT_FOUND"),
        (408, {}, UnknownOutcomeError, "HTTP_408"),
        (409, {"status": "ABORTED"}, RetryableError, "ABORTED"),
        (413, {}, BatchRejectedError, "TOO_LARGE"),
        (429, {"status": "RESOURCE_EXHAUSTED"}, RetryableError, "RATE_LIMIT_EXCEEDED"),
        (500, {"status": "INTERNAL"}, UnknownOutcomeError, "INTERNAL"),
        (503, {"status": "UNAVAILABLE"}, UnknownOutcomeError, "UNAVAILABLE"),
        (504, {"status": "DEADLINE_EXCEEDED"}, UnknownOutcomeError, "DEADLINE_EXCEEDED"),
    ],
)
def test_a_refusal_is_what_the_engine_does_about_it(status, error, kind, code):
    """Also 503: the work may have been done before it."""
    judged = judge(Answer(status, {}, {"error": {**ENVELOPE, **error}}), EMAIL)
    assert (type(judged), judged.code) == (kind, code)
    if code != "TOO_LARGE":
        assert "Google's words" in str(judged)


def test_the_scope_of_a_token_is_named():
    """Default credentials of a machine often lack it."""
    error = {"status": "PERMISSION_DENIED", "details": ["?", {"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}
    assert "lacks the scope of Google Sheets" in str(judge(Answer(403, {}, {"error": error}), EMAIL))


@pytest.mark.parametrize(
    "body", [None, [], "x", {"error": "x"}, {"error": {"status": "SOMETHING", "details": 7}}, {"message": 1}]
)
def test_a_refusal_without_an_envelope_is_left_to_the_table_of_all_applications(body):
    """But what a server fails at is open in any case."""
    assert judge(Answer(418, {}, body), EMAIL) is None
    assert isinstance(judge(Answer(502, {}, body), EMAIL), UnknownOutcomeError)


@pytest.mark.parametrize("job", ["create", "update", "upsert", "delete"])
@pytest.mark.parametrize(
    ("mode", "how"),
    [
        ("empty_body", {}),
        ("html", {"status": 200, "commit": True}),
        ("status", {"status": 200, "body": {"replies": [], "responses": []}, "commit": True}),
        ("truncated_body", {}),
    ],
)
def test_half_an_answer_to_a_write_is_none(sheet, box, job, mode, how):
    """Whatever was done or not: the tab is looked at again, and in the end all is as the query says."""
    sheet.fill(["id", "name"], ["a", "old"], ["b", "old"], ["c", "old"])
    box.faults("google_sheets", mode, path="batchUpdate$", nth=2 if job == "delete" else 1, **how)
    keys = {"create": ["d", "e"], "update": ["a", "b"], "upsert": ["b", "d"], "delete": ["a", "b"]}[job]
    table = pa.table({"id": keys} if job == "delete" else {"id": keys, "name": ["new"] * 2})
    ended = sheet.run(job, table, key="id")
    assert (ended.error, ended.report.succeeded[job]) == (None, 2)
    assert (
        sheet.cells()[1:]
        == {
            "create": [["a", "old"], ["b", "old"], ["c", "old"], ["d", "new"], ["e", "new"]],
            "update": [["a", "new"], ["b", "new"], ["c", "old"]],
            "upsert": [["a", "old"], ["b", "new"], ["c", "old"], ["d", "new"]],
            "delete": [["c", "old"]],
        }[job]
    )


@pytest.mark.parametrize("body", ["", "[]", "{}"])
def test_half_an_answer_to_a_read_is_no_empty_tab(sheet, box, body):
    """Taken for one, it would double every row: each read of a run in turn is asked again."""
    for nth in range(1, 6):
        sheet.fill(["id", "day"], ["a", 1], ["b", 2])
        box.clear_faults()
        box.faults("google_sheets", "status", status=200, body=body, method="GET", nth=nth)
        ended = sheet.run(
            "upsert", pa.table({"id": ["a", "b"], "day": pa.array([1, 2], pa.date32())}), sync_id=f"n{nth}"
        )
        assert (ended.error, ended.report.succeeded["upsert"]) == (None, 2)
        assert sheet.cells() == [["id", "day"], ["a", 25570], ["b", 25571]]
        assert box.faults("google_sheets") == []


def says(**answers):
    """Return a script that answers by the end of the path; what is not named is an empty object."""

    def script(request):
        path = request.path.partition("?")[0]
        found = next((answer for end, answer in answers.items() if path.endswith(end.replace("_", ":"))), {})
        status, body = found if isinstance(found, tuple) else (200, found)
        return Reply(status, json.dumps(body).encode())

    return script


ABOUT = {"properties": {"title": "T", "timeZone": "UTC"}}
GRID = {"sheetId": 3, "title": TAB, "gridProperties": {"rowCount": 10, "columnCount": 3}}


class Scripted:
    """Makes hooks on a server that answers by the end of the path (`_` stands for `:`)."""

    def __init__(self, server, new_hook):
        self._server = server
        self._new_hook = new_hook

    def __call__(self, **answers):
        """Return a hook whose calls are answered like this."""
        self._server.script = says(**answers)
        return self._new_hook(host=self._server.url)

    def bodies(self, end):
        """Return the bodies that were sent to paths that end so."""
        return [request.body for request in self._server.seen if request.path.endswith(end)]


@pytest.fixture
def scripted(new_hook):
    """Return what makes hooks on a scripted server."""
    with serving() as server:
        yield Scripted(server, new_hook)


def test_a_tab_without_cells_is_refused(sheet, scripted):
    """A chart on a sheet of its own, for example."""
    about = {**ABOUT, "sheets": [{"properties": {"sheetId": 1, "title": TAB, "sheetType": "OBJECT"}}]}
    with pytest.raises(ConfigurationError, match="holds no cells: its type is OBJECT"):
        sheet.job("upsert", ["id"], hook=scripted(Id=about, Demos00000=about))


def test_a_read_that_google_refuses_is_not_a_records_fault(sheet, scripted):
    """An Excel file that was never converted: the run stops with Google's words."""
    error = {
        "error": {
            **ENVELOPE,
            "status": "FAILED_PRECONDITION",
            "message": "This operation is not supported for this document",
        }
    }
    with pytest.raises(FatalError, match="refuses to read the spreadsheet: This operation is not supported") as hit:
        sheet.job("upsert", ["id"], hook=scripted(Demos00000=(400, error)))
    assert hit.value.code == "FAILED_PRECONDITION"


def test_a_read_that_does_not_fit_the_grid_any_more_is_asked_again(sheet, scripted):
    """Somebody changed the tab between two reads."""
    error = {"error": {**ENVELOPE, "status": "INVALID_ARGUMENT", "message": "Range exceeds grid limits. Max rows: 1"}}
    about = {**ABOUT, "sheets": [{"properties": GRID}]}
    with pytest.raises(RetryableError, match="the tab was changed meanwhile"):
        sheet.job("upsert", ["id"], hook=scripted(Demos00000=about, **{"1%3A1": (400, error)}))


def test_fewer_answers_than_ranges_are_unknown(sheet, scripted):
    """Silence about a range is no success."""
    about = {**ABOUT, "sheets": [{"properties": GRID}]}
    hook = scripted(
        Demos00000=about,
        **{"1%3A1": {"range": "x", "values": [["id", "n"]]}, "A2%3AA": {"range": "x", "values": [["a"], ["b"], ["c"]]}},
        **{"A5%3AC": {"range": "x"}, "values_batchUpdate": {"responses": [{}]}},
    )
    job = sheet.job("update", ["id", "n"], key="id", hook=hook)
    with pytest.raises(UnknownOutcomeError, match="answered 1 of 2 parts of a write"):
        job.send([{"id": "a", "n": 1}, {"id": "c", "n": 1}])


def test_a_spreadsheet_that_says_nothing_of_formats_has_none(sheet, scripted):
    """The dates get ours."""
    about = {**ABOUT, "sheets": [{"properties": GRID}]}
    hook = scripted(
        Demos00000=about,
        Demos00000_batchUpdate={"replies": [{}]},
        **{"1%3A1": {"range": "x", "values": [["id", "n"]]}, "A2%3AA": {"range": "x", "values": [["a"]]}},
        **{"A3%3AC": {"range": "x"}, "values_batchUpdate": {"responses": [{}]}},
    )
    job = sheet.job("update", ["id", "n"], key="id", hook=hook)
    job.land([{"id": "a", "n": 1}], {"n": pa.date32()})
    (change,) = [json.loads(body)["requests"] for body in scripted.bodies("Demos00000:batchUpdate")]
    assert change[0]["repeatCell"]["range"] == {
        "sheetId": 3,
        "startColumnIndex": 1,
        "endColumnIndex": 2,
        "startRowIndex": 1,
        "endRowIndex": 2,
    }


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, b"<html>login</html>"), RetryableError),
        (Reply(502, b"<html>bad gateway</html>"), RetryableError),
        (Reply(404, b"<html>nothing here</html>"), FatalError),
        (Reply(302, b"", {"Location": "/elsewhere"}), FatalError),
        (None, RetryableError),
    ],
)
def test_what_is_not_the_api_is_a_sentence(sheet, new_hook, reply, kind):
    """A proxy, a load balancer, a wrong address."""
    with serving() as server:
        server.script = lambda request: reply
        with pytest.raises(kind, match="Google Sheets"):
            sheet.job("upsert", ["id"], hook=new_hook(host=server.url))


def test_an_address_where_nobody_listens_may_be_tried_again(sheet, new_hook):
    """The network may come back."""
    with pytest.raises(RetryableError, match="Google Sheets cannot be reached"):
        sheet.job("upsert", ["id"], hook=new_hook(host="http://127.0.0.1:9"))
