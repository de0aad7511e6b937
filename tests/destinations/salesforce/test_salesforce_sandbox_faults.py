"""The faults that the sandbox's Salesforce acts out itself: answers in the vendor's words, and rows that go wrong."""

from __future__ import annotations

import pytest
from salesforce_org import Org, errors

ROWS = [{"Name": f"n{number}", "External_Id__c": f"k{number}"} for number in range(4)]


@pytest.fixture
def org(box):
    """Give the sandbox's org, empty."""
    return Org(box)


@pytest.fixture
def fault(org):
    """Return `fault(mode, **how)`: it strikes the next request only, unless `times` says more."""

    def fault(mode, **how):
        org.box.faults("salesforce", mode, **{"times": 1, **how})

    return fault


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("session_refused", (401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")),
        ("total_limit", (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")),
        ("concurrent_limit", (403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests)")),
        ("api_disabled", (403, "API_DISABLED_FOR_ORG", "API is not enabled")),
        ("server_unavailable", (503, "SERVER_UNAVAILABLE", "Server Unavailable")),
        ("unknown_exception", (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred")),
    ],
)
def test_answers(org, fault, mode, expected):
    """A fault of the whole call answers in the vendor's words, executes nothing, and is no violation."""
    fault(mode)
    status, [error] = org.upsert(ROWS)
    assert (status, error["errorCode"]) == expected[:2]
    assert expected[2] in error["message"]
    assert org.records() == []
    assert org.upsert(ROWS)[0] == 200
    assert org.violations() == []


def test_session_expires(org, fault):
    """An expired session is refused until the next login; nothing was executed."""
    fault("session_expired")
    assert [org.upsert(ROWS)[0] for _ in range(2)] == [401, 401]
    assert org.records() == []
    org.log_in()
    assert org.upsert(ROWS)[0] == 200


def test_session_refused_for_one_call(org, fault):
    """With scope "call" the same token works again at once."""
    fault("session_expired", scope="call")
    assert [org.get("limits")[0] for _ in range(2)] == [401, 200]


def test_instance_moves(org, fault):
    """When the org moves, logins name the new host, and the old host serves nobody."""
    fault("instance_moved")
    assert org.get("limits")[0] == 401
    assert org.log_in()["instance_url"] == "https://acme-1.my.salesforce.com"
    assert org.get("limits", headers={"X-Original-Host": "acme.my.salesforce.com"})[0] == 401
    assert org.get("limits", headers={"X-Original-Host": "acme-1.my.salesforce.com"})[0] == 200
    assert org.get("limits")[0] == 200


def test_login_is_refused(org, fault):
    """A login can be refused whatever the credentials, by OAuth and by SOAP."""
    settings = org.fake.settings
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.consumer_key,
        "client_secret": settings.consumer_secret,
    }
    fault("login_refused", path="oauth2/token")
    assert org.token(form) == (400, {"error": "invalid_grant", "error_description": "authentication failure"})
    assert org.token(form)[0] == 200
    fault("login_refused")
    answer = org.session.post(f"{org.url}/services/Soap/u/59.0", "<a/>", timeout=5)
    assert answer.status_code == 500
    assert "<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>" in answer.text


def test_soap_that_is_no_xml(org):
    """A SOAP body that cannot be read, and a version that is none, are faults too."""
    answer = org.session.post(f"{org.url}/services/Soap/u/59.0", "nonsense", timeout=5)
    assert (answer.status_code, "INVALID_XML" in answer.text) == (500, True)
    answer = org.session.post(f"{org.url}/services/Soap/u/latest", "<a/>", timeout=5)
    assert (answer.status_code, "UNSUPPORTED_API_VERSION" in answer.text) == (500, True)


def test_soap_login_rate(org):
    """SOAP logins count with the others."""
    settings = org.fake.settings
    settings.logins_per_hour = 1
    password = settings.password + settings.security_token
    body = f"<login><username>{settings.username}</username><password>{password}</password></login>"
    answer = org.session.post(f"{org.url}/services/Soap/u/59.0", body, timeout=5)
    assert (answer.status_code, "LOGIN_RATE_EXCEEDED" in answer.text) == (500, True)


def test_usage_jumps(org, fault):
    """Other clients can use up the allocation; the call itself goes on and shows it."""
    org.fake.settings.daily_api_requests = 1000
    fault("usage_jump")
    assert org.get("limits")[0] == 200
    assert org.last.headers["Sforce-Limit-Info"] == "api-usage=951/1000"


def test_locator_expires(org, fault):
    """The next page of a query can be gone."""
    org.seed(*({"Name": f"n{number}"} for number in range(2001)))
    page = org.query("SELECT Id FROM Account")[1]
    fault("locator_expired", path="/query/")
    assert org.get(page["nextRecordsUrl"])[1][0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert org.get(page["nextRecordsUrl"])[0] == 200


@pytest.mark.parametrize(
    ("mode", "how", "expected"),
    [
        ("row_lock", {}, ["UNABLE_TO_LOCK_ROW"] * 4),
        ("row_lock", {"rows": [1]}, ["", "UNABLE_TO_LOCK_ROW", "", ""]),
        ("row_lock", {"share": 0.5}, ["", "UNABLE_TO_LOCK_ROW"] * 2),
        ("apex_limit", {"rows": [0]}, ["TOO_MANY_APEX_REQUESTS", "", "", ""]),
        ("trigger_limit", {}, ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"] * 4),
        ("storage_full", {"first": 2}, ["", "", "STORAGE_LIMIT_EXCEEDED", "STORAGE_LIMIT_EXCEEDED"]),
        ("row_error", {"code": "FIELD_INTEGRITY_EXCEPTION", "message": "no", "rows": [3]},
         ["", "", "", "FIELD_INTEGRITY_EXCEPTION"]),
    ],
)  # fmt: skip
def test_rows_fail(org, fault, mode, how, expected):
    """A fault can fail some rows; the others land, and a repeat of the failed ones succeeds."""
    fault(mode, **how)
    results = org.upsert(ROWS)[1]
    assert errors(results) == expected
    landed = [row["Name"] for row, code in zip(ROWS, expected, strict=True) if not code]
    assert [row["Name"] for row in org.records()] == landed
    assert errors(org.upsert(ROWS)[1]) == [""] * 4


def test_rows_fail_in_every_verb(org, fault):
    """Creates, updates, deletes and single records meet the same faults."""
    [row_id] = org.seed({"Name": "a"})
    for call in (
        lambda: org.create([{"Name": "b"}]),
        lambda: org.update([{"id": row_id, "Name": "b"}]),
        lambda: org.delete("composite/sobjects", params={"ids": row_id}),
    ):
        fault("row_lock")
        assert errors(call()[1]) == ["UNABLE_TO_LOCK_ROW"]
    fault("row_lock")
    status, [error] = org.patch(f"sobjects/Account/{row_id}", {"Name": "b"})
    assert (status, error["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")
    assert [row["Name"] for row in org.records()] == ["a"]


def test_duplicate_race(org, fault):
    """A row that loses a race fails with DUPLICATE_VALUE, and its repeat updates the other client's record."""
    fault("duplicate_race", rows=[0])
    results = org.upsert(ROWS[:2])[1]
    assert errors(results) == ["DUPLICATE_VALUE", ""]
    assert results[0]["errors"][0]["message"].startswith("duplicate value found: External_Id__c duplicates value on")
    assert [row["created"] for row in org.upsert(ROWS[:2])[1]] == [False, False]
    assert len(org.records()) == 2
    fault("duplicate_race")
    assert errors(org.create([{"Name": "x", "External_Id__c": "x"}])[1]) == ["DUPLICATE_VALUE"]
    fault("duplicate_race")
    assert org.patch("sobjects/Account/External_Id__c/y", {"Name": "y"})[0] == 400
    assert org.patch("sobjects/Account/External_Id__c/y", {"Name": "y"})[0] == 200


def test_answers_that_break_the_promise(org, fault):
    """Results can be missing or in another order, which Salesforce never does: a client has to notice."""
    fault("rows_missing", count=2)
    assert len(org.upsert(ROWS)[1]) == 2
    fault("rows_shuffled")
    results = org.upsert(ROWS)[1]
    assert [row["id"] for row in results] == [row["Id"] for row in org.records()][::-1]
    assert len(org.records()) == 4


def test_delivered_twice(org):
    """A request that arrives twice leaves one record for an upsert, and two for a create."""
    org.box.faults("salesforce", "deliver_twice")
    assert [row["created"] for row in org.upsert(ROWS[:1])[1]] == [False]
    assert errors(org.create([{"Name": "twin"}])[1]) == [""]
    assert [row["Name"] for row in org.records()] == ["n0", "twin", "twin"]


def test_every_fault_is_described(org):
    """Each fault has one sentence, and each can be set."""
    for mode, sentence in org.fake.FAULTS.items():
        assert len(sentence) > 20
        org.box.faults("salesforce", mode, times=1)
    org.box.clear_faults()
    assert org.get("limits")[0] == 200
