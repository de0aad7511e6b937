"""What goes wrong with calls and records on the way, and what the hook makes of it."""

from __future__ import annotations

import pytest

from airflow_reverse_etl.destinations.rest import Answer
from airflow_reverse_etl.destinations.salesforce.outcomes import read
from airflow_reverse_etl.destinations.salesforce.refusals import judge
from airflow_reverse_etl.errors import (
    BatchRejectedError,
    FatalError,
    PatienceSpentError,
    RetryableError,
    UnknownOutcomeError,
)
from airflow_reverse_etl.model import JobType, Status, Target

ROWS = {"a": {"Name": "A"}, "b": {"Name": "B"}, "c": {"Name": "C"}}
JSON_ERROR = "Cannot deserialize instance of double from VALUE_STRING value N01"


@pytest.fixture
def upsert(box, hook, sync):
    """Return `upsert()`: three accounts by external id, the describe behind it."""
    hook.check(Target("salesforce", "Account", "External_Id__c"), [JobType.UPSERT], ["Name"])
    return lambda: sync("upsert", "Account", ROWS, key="External_Id__c")


def calls(box):
    """Return the number of writes."""
    return sum("composite" in entry.path for entry in box.log)


@pytest.mark.parametrize(
    ("mode", "how", "kind", "words"),
    [
        ("total_limit", {}, PatienceSpentError, "TotalRequests Limit exceeded"),
        ("concurrent_limit", {}, RetryableError, "ConcurrentRequests"),
        ("api_disabled", {}, FatalError, "API is not enabled for this Organization or Partner; the user's profile"),
        ("session_refused", {}, FatalError, "INVALID_SESSION_ID"),
        ("server_unavailable", {}, RetryableError, "HTTP 503 SERVER_UNAVAILABLE: Server Unavailable"),
        ("unknown_exception", {}, UnknownOutcomeError, "UNKNOWN_EXCEPTION"),
        ("html", {"status": 503}, RetryableError, "HTTP 503"),
        ("html", {"status": 502}, UnknownOutcomeError, "HTTP 502"),
        ("html", {"status": 200}, UnknownOutcomeError, "200 with HTML"),
        ("status", {"status": 504}, UnknownOutcomeError, "HTTP 504"),
        ("status", {"status": 420, "body": [{"errorCode": "X", "message": "calm"}]}, RetryableError, "X: calm"),
        ("status", {"status": 410, "body": [{"errorCode": "GONE", "message": "old"}]}, FatalError, "GONE: old"),
        (
            "status",
            {"status": 400, "body": {"exceptionCode": "E", "exceptionMessage": "m"}},
            BatchRejectedError,
            "E: m",
        ),
        ("empty_body", {}, UnknownOutcomeError, "3 records with an empty body"),
        ("invalid_json", {}, UnknownOutcomeError, "no JSON"),
        ("truncated_body", {}, UnknownOutcomeError, "did not answer"),
        ("chunked_cut", {}, UnknownOutcomeError, "did not answer"),
        ("drop_before", {}, UnknownOutcomeError, "did not answer"),
        ("drop_after_commit", {}, UnknownOutcomeError, "did not answer"),
        ("redirect", {}, FatalError, "HTTP 302"),
        ("rows_missing", {}, UnknownOutcomeError, "3 records with 2 results"),
    ],
)
def test_calls_that_fail(box, upsert, *, mode, how, kind, words):
    """Each failure of a write is of the kind that tells the engine what to do, in Salesforce's words."""
    box.faults("salesforce", mode, path="composite", **how)
    with pytest.raises(kind) as failed:
        upsert()
    assert type(failed.value) is kind
    assert words in str(failed.value)
    assert calls(box) == (2 if mode == "session_refused" else 1)


@pytest.mark.parametrize(
    "mode", ["unknown_exception", "html", "empty_body", "invalid_json", "truncated_body", "drop_before"]
)
@pytest.mark.parametrize("path", ["describe", "query"])
def test_reads_that_fail_can_be_repeated(box, sync, mode, path):
    """Whatever is lost of a read may be asked again: nothing was changed."""
    box.faults("salesforce", mode, path=path)
    with pytest.raises(RetryableError):
        sync("update", "Account", {"k": {"Phone": "1"}}, key="External_Id__c")
    assert calls(box) == 0


def test_a_quota_that_is_spent_stops_the_lookup_too(box, sync):
    """The daily limit is a matter of patience wherever it is met."""
    box.faults("salesforce", "total_limit", path="query")
    with pytest.raises(PatienceSpentError):
        sync("delete", "Account", {"k": {}}, key="External_Id__c")


def test_pages_that_expire_are_asked_for_anew(box, sync):
    """The locator of a query may be gone: the look-up as a whole is repeated."""
    box.settings("salesforce", query_page=200)
    box.seed("salesforce", "Account", [{"Name": f"A{n}", "Loose_Id__c": "k"} for n in range(300)])
    box.faults("salesforce", "locator_expired", path="query/")
    with pytest.raises(RetryableError, match="INVALID_QUERY_LOCATOR"):
        sync("update", "Account", {"k": {"Phone": "1"}}, key="Loose_Id__c")


@pytest.mark.parametrize("body", [{"records": [], "done": False}, {"done": True}, []])
def test_queries_that_are_cut_short_are_not_believed(box, sync, body):
    """An answer that ends before its end could hide a record: the look-up is repeated."""
    box.faults("salesforce", "status", path="query", status=200, body=body)
    with pytest.raises(RetryableError):
        sync("update", "Account", {"k": {"Phone": "1"}}, key="External_Id__c")


def test_a_refused_query_keeps_the_keys_to_itself(box, sync):
    """Salesforce quotes a query that it refuses; the keys in it do not get into the log."""
    body = [{"errorCode": "MALFORMED_QUERY", "message": "\nWHERE X IN ('ann@x.com')\n ^\nERROR at Row:1"}]
    box.faults("salesforce", "status", path="query", status=400, body=body)
    with pytest.raises(BatchRejectedError) as refused:
        sync("update", "Contact", {"ann@x.com": {"Phone": "1"}}, key="Email")
    assert refused.value.code == "MALFORMED_QUERY"
    assert "ann@x.com" not in str(refused.value)


def test_a_call_that_is_refused_as_a_whole_is_left_to_be_halved(box, upsert):
    """A body that Salesforce cannot read names no record: the engine finds the culprit."""
    body = [{"errorCode": "JSON_PARSER_ERROR", "message": JSON_ERROR}]
    box.faults("salesforce", "status", path="composite", status=400, body=body)
    with pytest.raises(BatchRejectedError) as refused:
        upsert()
    assert (refused.value.code, JSON_ERROR in str(refused.value)) == ("JSON_PARSER_ERROR", True)


@pytest.mark.parametrize("mode", ["row_lock", "apex_limit"])
def test_locked_records_are_tried_again(box, upsert, mode):
    """Records that somebody else holds are retryable, the others are done."""
    box.faults("salesforce", mode, path="composite", rows=[1], times=1)
    assert [o.status for o in upsert()] == [Status.SUCCEEDED, Status.RETRYABLE, Status.SUCCEEDED]
    assert [o.status for o in upsert()] == [Status.SUCCEEDED] * 3


def test_a_trigger_out_of_time_is_tried_again(box, upsert):
    """A trigger that fails for the crowd is another matter than one that refuses a record."""
    box.faults("salesforce", "trigger_limit", path="composite", times=1)
    assert {o.status for o in upsert()} == {Status.RETRYABLE}
    message = "AccountTrigger: execution of BeforeInsert caused by: System.DmlException: no score without a name"
    how = {"code": "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "message": message}
    box.faults("salesforce", "row_error", path="composite", **how)
    assert {(o.status, o.message) for o in upsert()} == {(Status.REJECTED, message)}


def test_a_lost_race_is_run_again(box, upsert):
    """Another client created the record first: the second try updates it."""
    box.faults("salesforce", "duplicate_race", path="composite", rows=[0], times=1)
    first, *others = upsert()
    assert (first.status, first.code) == (Status.RETRYABLE, "DUPLICATE_VALUE")
    assert {o.status for o in others} == {Status.SUCCEEDED}
    assert {o.status for o in upsert()} == {Status.SUCCEEDED}
    assert len(box.records("salesforce", "Account")) == 3


def test_a_full_org(box, upsert):
    """Rows that find no room are refused in Salesforce's words; a call that finds none at all stops the run."""
    box.faults("salesforce", "storage_full", path="composite", first=1, times=1)
    assert [(o.status, o.code) for o in upsert()] == [
        (Status.SUCCEEDED, ""),
        (Status.REJECTED, "STORAGE_LIMIT_EXCEEDED"),
        (Status.REJECTED, "STORAGE_LIMIT_EXCEEDED"),
    ]
    box.faults("salesforce", "storage_full", path="composite", times=1)
    with pytest.raises(PatienceSpentError, match="no room left: storage limit exceeded"):
        upsert()


def test_results_in_another_order_are_not_believed(box, sync):
    """The ids of an update prove the order of its results."""
    ids = box.seed("salesforce", "Account", [{"Name": n} for n in "ABC"])
    box.faults("salesforce", "rows_shuffled", path="composite")
    with pytest.raises(UnknownOutcomeError, match="other records than were sent"):
        sync("update", "Account", {record: {"Phone": "1"} for record in ids})


def test_a_repeated_call_is_harmless(box, sync):
    """What is lost after it was applied can be sent again: update, upsert and delete end where they should."""
    box.faults("salesforce", "drop_after_commit", path="composite", nth=[1, 3])
    for job, row in (("upsert", {"Name": "A"}), ("delete", {})):
        with pytest.raises(UnknownOutcomeError):
            sync(job, "Account", {"k": row}, key="External_Id__c")
        assert sync(job, "Account", {"k": row}, key="External_Id__c")[0].status is Status.SUCCEEDED
    assert box.records("salesforce", "Account") == []


@pytest.mark.parametrize(
    ("item", "status", "code"),
    [
        ({"success": True, "id": "001"}, Status.SUCCEEDED, ""),
        ({"id": "001"}, Status.UNKNOWN, "NO_RESULT"),
        ({"success": "true"}, Status.UNKNOWN, "NO_RESULT"),
        (None, Status.UNKNOWN, "NO_RESULT"),
        ({"success": False}, Status.REJECTED, "NO_REASON"),
        ({"success": False, "errors": [{}]}, Status.REJECTED, "NO_CODE"),
        ({"success": False, "errors": [{"errorCode": "X", "message": None}]}, Status.REJECTED, "X"),
        (
            {"success": False, "errors": [{"statusCode": "INVALID_CROSS_REFERENCE_KEY", "fields": ["OwnerId"]}]},
            Status.REJECTED,
            "INVALID_CROSS_REFERENCE_KEY",
        ),
        (
            {"success": False, "errors": [{"statusCode": "DUPLICATE_VALUE", "message": "<unknown> duplicates value"}]},
            Status.REJECTED,
            "DUPLICATE_VALUE",
        ),
    ],
)
def test_odd_results(item, status, code):
    """Only `success: true` is success; what says nothing is unknown."""
    (outcome,) = read([item], ["k"], [None], JobType.UPDATE, "Ext__c")
    assert (outcome.status, outcome.code) == (status, code)


def test_all_errors_of_a_record_are_told():
    """Several errors of one record are one outcome with all words and all fields."""
    errors = [
        {"statusCode": "A", "message": "first", "fields": ["X"]},
        {"statusCode": "B", "message": "second", "fields": ["Y", "X"]},
    ]
    (outcome,) = read([{"success": False, "errors": errors}], ["k"], [None], JobType.CREATE, "Id")
    assert (outcome.code, outcome.message, outcome.fields) == ("A", "first; second", ("X", "Y"))


def test_retry_after_is_obeyed():
    """Salesforce documents no Retry-After; a proxy before it may send one."""
    body = [{"errorCode": "SERVER_UNAVAILABLE", "message": "later"}]
    error = judge(Answer(503, {"Retry-After": "7"}, body))
    assert isinstance(error, RetryableError)
    assert error.retry_after == 7
    busy = judge(Answer(429, {"Retry-After": "3"}, [{"errorCode": "SLOW", "message": "down"}]))
    assert isinstance(busy, RetryableError)
    assert busy.retry_after == 3
    assert judge(Answer(503, {}, None, "<html>")) is None
