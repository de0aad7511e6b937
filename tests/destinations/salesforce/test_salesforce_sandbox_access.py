"""What every request to the sandbox's Salesforce passes: sessions, versions, paths, quotas, lengths, compression."""

from __future__ import annotations

import base64
import gzip
import http.client
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests
from salesforce_org import Org, as_json, collection

EXPIRED = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
NOT_THERE = [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]


@pytest.fixture
def org(box):
    """Give the sandbox's org, empty."""
    return Org(box)


def test_login_answer(org):
    """The token endpoint answers with the vendor's keys; the time is text, and there is no end of life."""
    granted = org.log_in()
    assert granted["instance_url"] == "https://acme.my.salesforce.com"
    assert granted["token_type"] == "Bearer"
    assert granted["id"].startswith("https://login.salesforce.com/id/00D")
    assert granted["issued_at"].isdigit()
    assert "expires_in" not in granted
    assert "refresh_token" not in granted


@pytest.mark.parametrize(
    ("changed", "error", "description"),
    [
        ({"client_id": "other"}, "invalid_client_id", "client identifier invalid"),
        ({"client_secret": "other"}, "invalid_client", "invalid client credentials"),
        ({"grant_type": "magic"}, "unsupported_grant_type", "grant type not supported"),
        ({"grant_type": "refresh_token"}, "invalid_grant", "expired access/refresh token"),
        ({"grant_type": "password", "username": "x", "password": "y"}, "invalid_grant", "authentication failure"),
    ],
)
def test_login_refused(org, changed, error, description):
    """A refused login is 400 with an object, not an array, that says why."""
    settings = org.fake.settings
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.consumer_key,
        "client_secret": settings.consumer_secret,
    }
    assert org.token(form | changed) == (400, {"error": error, "error_description": description})


def test_client_credentials_need_the_own_domain(org):
    """login.salesforce.com and test.salesforce.com refuse the client credentials flow."""
    settings = org.fake.settings
    basic = base64.b64encode(f"{settings.consumer_key}:{settings.consumer_secret}".encode()).decode()
    how = {"headers": {"Authorization": f"Basic {basic}"}}
    form = {"grant_type": "client_credentials"}
    for host in ("login.salesforce.com", "test.salesforce.com"):
        answer = (400, {"error": "invalid_grant", "error_description": "request not supported on this domain"})
        assert org.token(form, host, **how) == answer
    assert org.token(form, "acme.my.salesforce.com", **how)[0] == 200
    settings.run_as_user = False
    answer = (400, {"error": "invalid_grant", "error_description": "no client credentials user enabled"})
    assert org.token(form, **how) == answer


def test_login_rate(org):
    """More logins in an hour than allowed are refused."""
    org.fake.settings.logins_per_hour = 2
    org.log_in()
    with pytest.raises(KeyError):
        org.log_in()


def test_requests_need_a_session(org):
    """Without a live token only the list of versions is answered."""
    assert requests.get(f"{org.url}/services/data", timeout=5).json()[-1]["version"] == "68.0"
    for header in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}):
        answer = requests.get(f"{org.url}/services/data/v62.0/limits", headers=header, timeout=5)
        assert (answer.status_code, answer.json()) == (401, EXPIRED)


def test_session_ends_after_idle_time(org):
    """A session that was not used for its idle time is over; a used one goes on."""
    org.fake.settings.session_seconds = 0.3
    for _ in range(3):
        time.sleep(0.15)
        assert org.get("limits")[0] == 200
    time.sleep(0.4)
    assert org.get("limits") == (401, EXPIRED)


def test_session_ends_after_requests(org):
    """A session can be made to end after a number of requests; a new login mends it."""
    org.fake.settings.session_requests = 2
    assert [org.get("limits")[0] for _ in range(3)] == [200, 200, 401]
    org.log_in()
    assert org.get("limits")[0] == 200


def test_revoke_and_user_info(org):
    """A token says whose it is, until it is revoked."""
    assert org.get("/services/oauth2/userinfo")[1]["organization_id"] == "00DFk0000000001MAA"
    token = str(org.session.headers["Authorization"]).split()[1]
    assert org.session.post(f"{org.url}/services/oauth2/revoke", {"token": token}, timeout=5).status_code == 200
    assert org.get("limits") == (401, EXPIRED)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/services/data/v31.0/limits", 200),
        ("/services/data/v68.0/limits", 200),
        ("/services/data/v30.0/limits", 410),
        ("/services/data/v69.0/limits", 404),
        ("/services/data/v62/limits", 404),
        ("/services/data/62.0/limits", 404),
    ],
)
def test_versions(org, path, status):
    """Versions are served from 31.0 to 68.0 and are written with one decimal place."""
    assert org.get(path)[0] == status


def test_version_list(org):
    """The list of versions names each release."""
    listed = {each["version"]: each for each in org.get("/services/data")[1]}
    assert listed["59.0"] == {"label": "Winter '24", "url": "/services/data/v59.0", "version": "59.0"}
    assert listed["62.0"]["label"] == "Winter '25"
    assert org.get("")[1]["sobjects"] == "/services/data/v62.0/sobjects"


@pytest.mark.parametrize("path", ["nonsense", "composite", "composite/batch", "jobs/ingest"])
def test_unknown_paths(org, path):
    """What the sandbox does not have is 404 in the vendor's words, and a violation."""
    assert org.get(path) == (404, NOT_THERE)
    assert [(each["method"], each["status"]) for each in org.violations()] == [("GET", 404)]


def test_unknown_objects(org):
    """An object that is not there is 404, and no violation: to ask for it is how a client finds out."""
    assert org.get("sobjects/Nothing__c/describe") == (404, NOT_THERE)
    assert org.violations() == []


def test_other_apis(org):
    """An API that the sandbox does not have is 404 too, not something that a client could take for success."""
    for path in ("/services/async/62.0/job", "/services/apexrest/x", "/services/Soap/m/62.0"):
        assert org.call("POST", path) == (404, NOT_THERE)
    assert len(org.violations()) == 3


def test_quoted_slashes_in_the_address(org):
    """A quoted slash separates nothing, so an address that quotes the fixed part is unknown."""
    parts = urlsplit(org.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
    connection.request("GET", f"{parts.path}/services%2Fdata/v62.0/limits")
    assert connection.getresponse().status == 404
    connection.close()


def test_head(org):
    """HEAD answers like GET, without a body."""
    answer = org.session.head(f"{org.url}/services/data/v62.0/sobjects/Account/describe", timeout=5)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["ETag"]


def test_wrong_verbs(org):
    """A verb that a path does not know is 405, and the answer lists those that it knows."""
    message = "HTTP Method 'POST' not allowed. Allowed are GET"
    assert org.post("query", {}) == (405, [{"message": message, "errorCode": "METHOD_NOT_ALLOWED"}])
    assert org.last.headers["Allow"] == "GET"
    assert org.call("PUT", "composite/sobjects", json={})[0] == 405
    assert org.call("POST", "/services/data", json=[])[0] == 405


def test_usage_is_counted(org):
    """Each request counts once, in the header of every answer and in `limits`; over the limit it is 403."""
    org.get("sobjects")
    assert org.last.headers["Sforce-Limit-Info"] == "api-usage=1/5000000"
    assert org.get("limits")[1]["DailyApiRequests"] == {"Max": 5_000_000, "Remaining": 4_999_998}
    org.get("sobjects/Nothing__c/describe")
    assert org.last.headers["Sforce-Limit-Info"] == "api-usage=3/5000000"
    org.fake.settings.daily_api_requests = 4
    assert org.get("limits")[0] == 200
    assert org.get("limits") == (
        403,
        [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    )


def test_long_requests_are_limited(org):
    """While too many requests run for too long, others are refused with 403."""
    settings = org.fake.settings
    settings.long_requests, settings.long_request_seconds, settings.latency_seconds = 2, 0.2, 1.0
    others = [
        threading.Thread(target=requests.get, args=(f"{org.url}/services/data",), kwargs={"timeout": 5})
        for _ in range(2)
    ]
    for other in others:
        other.start()
    time.sleep(0.5)
    settings.latency_seconds = 0.0
    message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    assert org.get("limits") == (403, [{"message": message, "errorCode": "REQUEST_LIMIT_EXCEEDED"}])
    for other in others:
        other.join()
    assert org.get("limits")[0] == 200


def test_latency(org):
    """A call takes the latency that is set, and time for each of its records."""
    org.fake.settings.latency_seconds = 0.1
    org.fake.settings.row_seconds = 0.05
    started = time.perf_counter()
    org.create([{"Name": "a"}, {"Name": "b"}])
    assert 0.2 <= time.perf_counter() - started < 1.0


def test_long_addresses(org):
    """A request line above 16,384 bytes is 414; below that, but with long headers, 431."""
    assert org.query("SELECT Id FROM Account WHERE Name = '" + "x" * 3900 + "'")[0] == 200
    assert org.get("query?q=" + "x" * 16_400)[0] == 414
    assert org.get("query?q=" + "x" * 10_000, headers={"X-Padding": "y" * 7_000})[0] == 431


def test_gzip_both_ways(org):
    """A compressed body is read, and an answer is compressed for who takes it."""
    packed = gzip.compress(as_json(collection([{"Name": "Zipped"}], "Account")))
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert org.call("POST", "composite/sobjects", data=packed, headers=headers)[1][0]["success"] is True
    org.get("sobjects/Account/describe")
    assert org.last.headers["Content-Encoding"] == "gzip"
    org.get("sobjects/Account/describe", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in org.last.headers
    headers["Content-Encoding"] = "br"
    assert org.call("POST", "composite/sobjects", data=b"x", headers=headers)[0] == 415
    headers["Content-Encoding"] = "gzip"
    assert org.call("POST", "composite/sobjects", data=b"not gzip", headers=headers)[0] == 400


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"", "application/json", 400, "The HTTP entity body is required, but this request has no entity body."),
        (b'{"records": [', "application/json", 400, "Unexpected character"),
        (b"[]", "application/json", 400, "Can not deserialize SObject out of START_ARRAY token"),
        (b"{}", "text/plain", 415, "Content-Type header specified in HTTP request is not supported: text/plain"),
        (b'{"record": []}', "application/json", 400, 'Unrecognized field "record"'),
        (b'{"records": {}}', "application/json", 400, "records has to be an array"),
        (b'{"records": [], "allOrNone": "yes"}', "application/json", 400, "Cannot deserialize instance of boolean"),
        (b'{"records": [{"Name": "x"}]}', "application/json", 400, "attributes with the type"),
        (b'{"records": [{"attributes": {"type": "Nope"}}]}', "application/json", 400, "'Nope' is not supported"),
    ],
)
def test_malformed_bodies(org, body, kind, status, words):
    """A body that cannot be read is refused as a whole and counted as a violation."""
    found, answer = org.call("POST", "composite/sobjects", data=body, headers={"Content-Type": kind})
    assert found == status
    assert words in answer[0]["message"]
    assert [each["status"] for each in org.violations()] == [status]
    assert answer[0]["errorCode"] in org.violations()[0]["reason"]


def test_answers_without_a_body(org):
    """204 has no body, and the connection lives on."""
    [row_id] = org.seed({"Name": "a"})
    parts = urlsplit(org.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
    headers = {"Authorization": str(org.session.headers["Authorization"])}
    for expected in (204, 404):
        connection.request("DELETE", f"{parts.path}/services/data/v62.0/sobjects/Account/{row_id}", headers=headers)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (expected, expected == 404)
    connection.close()


def test_the_log_counts_records(org):
    """The sandbox's log shows how many records a write carried."""
    org.create([{"Name": "a"}, {"Name": "b"}])
    assert [entry.records for entry in org.box.log if entry.method == "POST"] == [None, 2]


def test_reset_forgets(org):
    """A reset brings back a new org: records, settings, sessions, usage, violations and definitions are gone."""
    org.seed({"Name": "a"})
    org.fake.settings.query_page = 5
    org.box.define("salesforce", "Invoice__c")
    org.get("nonsense")
    org.box.reset("salesforce")
    assert org.records() == []
    assert org.violations() == []
    assert org.fake.settings.query_page == 2000
    assert "Invoice__c" not in org.fake.objects()
    assert org.get("limits") == (401, EXPIRED)
    org.log_in()
    assert org.get("limits")[0] == 200
