"""Who is let in, where, how often: tokens, scopes, paths, bodies, rate windows and their headers."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import requests

from airflow_reverse_etl.destinations.hubspot.sandbox import DEFAULT_TOKEN, Fake, Token

ACCOUNT = "/account-info/2026-03/details"
SEARCH = "/crm/objects/2026-03/contacts/search"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def send(box):
    """Return `send(method, path, body)`: one request to the fake with its token."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {DEFAULT_TOKEN}"
        yield lambda method, path, body=None, **how: session.request(
            method, f"{box.url}/hubspot{path}", json=body, timeout=10, **how
        )


@pytest.fixture
def fake(box):
    """Return the fake itself."""
    return box.fake("hubspot")


@pytest.fixture
def clock(fake):
    """Return `move(seconds)`: the fake's clock stands still until it is moved."""
    now = [NOON]
    fake.settings.clock = lambda: now[0]

    def move(seconds):
        now[0] += seconds

    return move


def test_the_connection_reaches_the_account(box, fake):
    """What `connection` says is enough for a first call."""
    connection = fake.connection(f"{box.url}/hubspot")
    assert connection["conn_type"] == "hubspot"
    headers = {"Authorization": f"Bearer {connection['password']}"}
    answer = requests.get(f"{connection['host']}{ACCOUNT}", headers=headers, timeout=10)
    account = answer.json()
    assert (account["portalId"], account["dataHostingLocation"]) == (fake.settings.portal_id, "na1")
    assert account["timeZone"] == "America/New_York"


@pytest.mark.parametrize("header", [None, "Bearer nobody", f"Basic {DEFAULT_TOKEN}", "Bearer"])
def test_without_a_known_token_nothing_goes(send, fake, header):
    """401 INVALID_AUTHENTICATION, also with the dead hapikey; it is no violation."""
    answer = send("GET", f"{ACCOUNT}?hapikey=x", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    assert answer.json()["message"].startswith("Authentication credentials not found. This API supports OAuth 2.0")
    assert fake.violations == []


def test_an_expired_token_says_so(send, fake):
    """401 EXPIRED_AUTHENTICATION."""
    fake.settings.tokens[DEFAULT_TOKEN] = Token(expired=True)
    answer = send("GET", ACCOUNT)
    assert (answer.status_code, answer.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_a_missing_scope_is_named(send, fake):
    """403 MISSING_SCOPES with the scope that is needed, by object and by reading or writing."""
    fake.define("subscriptions")
    fake.settings.tokens[DEFAULT_TOKEN] = Token(scopes=frozenset({"crm.objects.contacts.read"}))
    body = {"properties": {"email": "ann@example.com"}}
    needed = {
        ("POST", "/crm/v3/objects/contacts"): "crm.objects.contacts.write",
        ("POST", "/crm/v3/objects/0-2/batch/read"): "crm.objects.companies.read",
        ("GET", "/crm/v3/properties/deals"): "crm.schemas.deals.read",
        ("GET", f"/crm/v3/objects/p{fake.settings.portal_id}_subscriptions"): "crm.objects.custom.read",
    }
    for (method, path), scope in needed.items():
        refused = send(method, path, body)
        assert (refused.status_code, refused.json()["category"]) == (403, "MISSING_SCOPES")
        assert refused.json()["errors"][0]["context"] == {"requiredGranularScopes": [scope]}
        assert refused.json()["links"] == {"scopes": "https://developers.hubspot.com/scopes"}
    assert send("GET", "/crm/v3/objects/contacts").status_code == 200
    assert fake.violations == []


@pytest.mark.parametrize("version", ["v3", "2025-09", "2026-03", "2026-09"])
def test_versions_that_are_served(send, version):
    """Objects, properties, schemas and account are there in each version."""
    for path in (
        f"/crm/objects/{version}/contacts",
        f"/crm/properties/{version}/contacts",
        f"/crm-object-schemas/{version}/schemas",
        f"/account-info/{version}/details",
    ):
        assert send("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/crm/objects/2024-09/contacts", 404),
        ("GET", "/crm/objects/2026-09-beta/contacts", 404),
        ("GET", "/crm/lists/2026-03/1/memberships/add", 404),
        ("POST", "/crm/v3/objects/contacts/", 404),
        ("GET", "/", 404),
        ("GET", "/crm/v3/objects/contacts/batch/upsert", 405),
        ("DELETE", "/crm/v3/objects/contacts", 405),
    ],
)
def test_paths_and_methods_that_hubspot_lacks(send, fake, method, path, status):
    """404 or 405 in HubSpot's words, and a violation."""
    answer = send(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, "error")
    (violation,) = fake.violations
    assert (violation["method"], violation["status"]) == (method, status)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("people", "Unable to infer object type from: people"),
        ("subscriptions", "Unable to infer object type from: subscriptions"),
        ("0-9999", "Invalid object or event type id: 0-9999"),
        ("2-1", "Invalid object or event type id: 2-1"),
    ],
)
def test_an_object_that_is_not_there(send, fake, kind, message):
    """400 without a category, also for the short name of a custom object."""
    fake.define("subscriptions")
    for path in (f"/crm/v3/objects/{kind}", f"/crm/properties/2026-03/{kind}"):
        answer = send("GET", path)
        assert (answer.status_code, answer.json()["message"]) == (400, message)
        assert "category" not in answer.json()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"inputs": [\n  {"id": }]}', "line 2, column 10"),
        (b"", "line 1, column 1"),
        (b"\xff", "line 1, column 1"),
        (b'[{"id": "1"}]', "line 1, column 2"),
        (b'{"inputs": {"id": "1"}}', "line 1, column 2"),
        (b'{"inputs": [[]]}', "line 1, column 2"),
    ],
)
def test_a_body_that_cannot_be_read(send, fake, body, where):
    """400 with the place, without a category, and a violation."""
    headers = {"Content-Type": "application/json"}
    answer = send("POST", "/crm/v3/objects/contacts/batch/update", data=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(f"Invalid input JSON on {where}: ")
    assert "category" not in answer.json()
    assert len(fake.violations) == 1


def test_a_row_that_lacks_a_member_and_a_body_that_is_no_json(send, fake):
    """A missing `properties` is named; another content type is 415."""
    lacking = send("POST", "/crm/v3/objects/contacts/batch/update", {"inputs": [{"id": "1"}]})
    assert lacking.json()["message"].endswith("Some required fields were not set: [properties]")
    blank = {"inputs": [{"id": "", "idProperty": "email", "properties": {}}]}
    assert send("POST", "/crm/v3/objects/contacts/batch/upsert", blank).status_code == 400
    for query in ("limit=101", "limit=x", "after=x"):
        assert send("GET", f"/crm/v3/objects/contacts?{query}").status_code == 400
    assert send("GET", "/crm/v3/objects/contacts/Ann?idProperty=firstname").status_code == 400
    form = send("POST", "/crm/v3/objects/contacts", data={"email": "ann@example.com"})
    assert form.status_code == 415
    assert len(fake.violations) == 7


def test_every_answer_has_one_correlation_id(send):
    """A UUID in the header; in an error's body it is the same."""
    good, bad = send("GET", ACCOUNT), send("GET", "/nowhere")
    assert str(uuid.UUID(good.headers["X-HubSpot-Correlation-Id"])) == good.headers["X-HubSpot-Correlation-Id"]
    assert bad.json()["correlationId"] == bad.headers["X-HubSpot-Correlation-Id"]
    assert good.headers["Content-Type"] == "application/json;charset=utf-8"


def test_the_burst_window_rolls(send, fake, clock):
    """The 4th call in 10 s is refused, without Retry-After; a refused call takes no room; time makes room."""
    fake.settings.calls_per_10_seconds = 3
    left = []
    for _ in range(3):
        left.append(send("GET", ACCOUNT).headers["X-HubSpot-RateLimit-Remaining"])
        clock(1)
    assert left == ["2", "1", "0"]
    for _ in range(2):
        refused = send("GET", ACCOUNT)
        assert refused.status_code == 429
    body = refused.json()
    assert (body["errorType"], body["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    assert body["message"] == "You have reached your ten_secondly_rolling limit."
    assert set(body) == {"status", "message", "errorType", "correlationId", "policyName", "requestId"}
    assert "Retry-After" not in refused.headers
    assert refused.headers["X-HubSpot-RateLimit-Remaining"] == "0"
    clock(7)
    assert send("GET", ACCOUNT).status_code == 200
    assert send("GET", ACCOUNT).status_code == 429
    assert fake.traffic.refused == {"TEN_SECONDLY_ROLLING": 3}
    assert (fake.traffic.calls, fake.traffic.errors, fake.traffic.peak_calls) == (7, 3, 6)


def test_calls_that_lead_nowhere_count_too(send, fake, clock):
    """A path that HubSpot lacks uses up the window like any other call."""
    fake.settings.calls_per_10_seconds = 2
    statuses = [send("GET", path).status_code for path in ("/nowhere", "/crm/v3/objects/people", ACCOUNT)]
    assert statuses == [404, 400, 429]


def test_each_token_has_its_own_window_and_all_share_the_day(send, fake, clock):
    """Two private apps do not slow each other down; the account's day counts both."""
    fake.settings.tokens["pat-other"] = Token()
    fake.settings.calls_per_10_seconds = 1
    fake.settings.calls_per_day = 2
    assert send("GET", ACCOUNT).status_code == 200
    other = send("GET", ACCOUNT, headers={"Authorization": "Bearer pat-other"})
    assert (other.status_code, other.headers["X-HubSpot-RateLimit-Daily-Remaining"]) == (200, "0")


def test_the_day_ends_at_midnight_of_the_account(send, fake, clock):
    """429 DAILY until midnight in New York, which is 5 in the morning UTC."""
    fake.settings.calls_per_day = 1
    assert send("GET", ACCOUNT).status_code == 200
    clock(11)
    refused = send("GET", ACCOUNT)
    assert (refused.status_code, refused.json()["policyName"]) == (429, "DAILY")
    assert refused.json()["message"] == "You have reached your daily limit."
    clock(16 * 3600)
    assert send("GET", ACCOUNT).status_code == 429
    clock(3600)
    assert send("GET", ACCOUNT).status_code == 200
    assert fake.traffic.refused == {"DAILY": 2}


def test_searches_have_their_own_limit(send, fake, clock):
    """5 a second; the 429 tells of the day only, and searches take no room in the 10 s window."""
    fake.settings.calls_per_10_seconds = 1
    answers = [send("POST", SEARCH, {}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    refused = answers[-1]
    assert (refused.json()["message"], refused.json()["category"]) == (
        "You have reached your secondly limit.",
        "RATE_LIMITS",
    )
    rate_headers = {name.lower() for name in refused.headers if "ratelimit" in name.lower()}
    assert rate_headers == {"x-hubspot-ratelimit-daily", "x-hubspot-ratelimit-daily-remaining"}
    assert "Retry-After" not in refused.headers
    clock(1)
    assert send("POST", SEARCH, {}).status_code == 200
    assert send("GET", ACCOUNT).status_code == 200
    assert (fake.traffic.peak_searches, fake.traffic.peak_calls) == (6, 1)


def test_headers_tell_what_is_left(send, fake):
    """All of HubSpot's rate headers are there, and agree with the settings."""
    fake.settings.calls_per_10_seconds = 190
    found = {name.lower(): value for name, value in send("GET", ACCOUNT).headers.items()}
    assert found["x-hubspot-ratelimit-max"] == "190"
    assert found["x-hubspot-ratelimit-remaining"] == "189"
    assert found["x-hubspot-ratelimit-interval-milliseconds"] == "10000"
    assert found["x-hubspot-ratelimit-daily"] == "250000"
    assert found["x-hubspot-ratelimit-daily-remaining"] == "249999"
    assert found["x-hubspot-ratelimit-secondly"] == "10"


def test_an_oauth_token_is_told_of_no_day(send, fake, clock):
    """It has its own burst limit, and neither daily limit nor daily headers."""
    fake.settings.tokens[DEFAULT_TOKEN] = Token(kind="oauth", calls_per_10_seconds=110)
    fake.settings.calls_per_day = 0
    answer = send("GET", ACCOUNT)
    assert (answer.status_code, answer.headers["X-HubSpot-RateLimit-Max"]) == (200, "110")
    assert "X-HubSpot-RateLimit-Daily" not in answer.headers


def test_latency_grows_with_rows_and_calls_run_side_by_side(box, send, fake):
    """Ten calls of 0.1 s and two rows of 0.05 s take 0.2 s together, not 2 s; the peak in flight is seen."""
    fake.settings.latency_seconds = 0.1
    fake.settings.latency_per_row_seconds = 0.05
    body = {"inputs": [{"id": "1"}, {"id": "2"}]}
    headers = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}
    url = f"{box.url}/hubspot/crm/v3/objects/contacts/batch/read"
    started = time.perf_counter()
    with ThreadPoolExecutor(10) as pool:
        calls = [pool.submit(requests.post, url, json=body, headers=headers, timeout=10) for _ in range(10)]
        assert {call.result().status_code for call in calls} == {207}
    assert 0.2 <= time.perf_counter() - started < 1.5
    assert 2 <= fake.traffic.peak_in_flight <= 10
    assert fake.traffic.in_flight == 0


def test_jitter_lets_answers_overtake_each_other(send, fake):
    """Each answer waits for a time of its own, at most as long as the setting says."""
    fake.settings.latency_jitter_seconds = 0.2
    started = time.perf_counter()
    for _ in range(3):
        send("GET", ACCOUNT)
    assert 0.1 < time.perf_counter() - started < 1


def test_answers_are_compressed_for_those_who_ask(box, send):
    """gzip, if the client accepts it and the setting allows it."""
    path = "/crm/v3/properties/contacts"
    packed = send("GET", path)
    plain = send("GET", path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()
    box.settings("hubspot", gzip=False)
    assert "Content-Encoding" not in send("GET", path).headers


def test_the_log_counts_the_records_of_a_call(box, send):
    """The sandbox's log learns how many inputs a batch had."""
    send("POST", "/crm/v3/objects/contacts/batch/read", {"inputs": [{"id": "1"}, {"id": "2"}]})
    assert box.log[-1].records == 2


def test_reset_forgets_everything():
    """Records, settings, violations, custom objects, traffic and ids are those of a new fake."""
    fake = Fake()
    first = fake.seed("contacts", [{"email": "ann@example.com"}])
    fake.define("subscriptions")
    fake.settings.calls_per_day = 1
    fake.violations.append({"reason": "made up"})
    fake.reset()
    assert fake.objects() == dict.fromkeys(("contacts", "companies", "deals", "tickets", "products", "line_items"), 0)
    assert fake.settings.calls_per_day == 250_000
    assert fake.violations == []
    assert fake.traffic.calls == 0
    assert fake.seed("contacts", [{"email": "ann@example.com"}]) == first
