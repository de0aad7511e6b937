"""Each fault that only HubSpot shows, ordered through the sandbox as a user would."""

from __future__ import annotations

import json

import pytest
import requests

from airflow_reverse_etl.destinations.hubspot.sandbox import DEFAULT_TOKEN, Fake

UPSERT = "/crm/objects/2026-03/contacts/batch/upsert"


@pytest.fixture
def upsert(box):
    """Return `upsert(*rows)`: one batch of contacts by e-mail, each row with its place as trace id."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {DEFAULT_TOKEN}"

        def upsert(*rows):
            inputs = [
                {"id": row["email"], "idProperty": "email", "properties": row, "objectWriteTraceId": str(place)}
                for place, row in enumerate(rows)
            ]
            return session.post(f"{box.url}/hubspot{UPSERT}", json={"inputs": inputs}, timeout=10)

        yield upsert


GOOD = [{"email": f"p{n}@example.com", "firstname": f"P{n}"} for n in range(4)]
BAD = [{"email": f"b{n}@example.com", "score": "many", "plan": "gold"} for n in range(2)]


@pytest.mark.parametrize(
    ("mode", "status", "said"),
    [
        ("rate_burst", 429, {"policyName": "TEN_SECONDLY_ROLLING", "errorType": "RATE_LIMIT"}),
        ("rate_daily", 429, {"policyName": "DAILY"}),
        ("rate_secondly", 429, {"category": "RATE_LIMITS"}),
        ("rate_limits_as_500", 500, {"category": "RATE_LIMITS"}),
        ("locked", 423, {"status": "error"}),
        ("migrating", 477, {"status": "error"}),
        ("token_expired", 401, {"category": "EXPIRED_AUTHENTICATION"}),
        ("token_revoked", 401, {"category": "INVALID_AUTHENTICATION"}),
        ("scopes_missing", 403, {"category": "MISSING_SCOPES"}),
        ("conflict_for_batch", 409, {"category": "CONFLICT"}),
        ("email_not_unique", 400, {"category": "VALIDATION_ERROR"}),
    ],
)
def test_a_refusal_on_order_writes_nothing_and_passes(box, upsert, mode, status, said):
    """The struck call is refused in HubSpot's words; the next one goes through; no violation, no provoked 429."""
    box.faults("hubspot", mode, nth=1)
    refused = upsert(*GOOD)
    assert refused.status_code == status
    assert said.items() <= refused.json().items()
    assert refused.json()["correlationId"] == refused.headers["X-HubSpot-Correlation-Id"]
    assert box.objects("hubspot")["contacts"] == 0
    assert upsert(*GOOD).status_code == 200
    assert box.violations("hubspot") == []
    assert box.fake("hubspot").traffic.refused == {}


def test_retry_after(box, upsert):
    """Only a migration has it by itself; a 429 has it if the fault says so, as seconds or as a date."""
    assert _header(box, upsert, "rate_burst") is None
    assert _header(box, upsert, "rate_burst", retry_after=2) == "2"
    date = "Fri, 20 Nov 2026 12:00:00 GMT"
    assert _header(box, upsert, "rate_burst", retry_after=date) == date
    assert _header(box, upsert, "migrating") == "3"
    assert _header(box, upsert, "migrating", retry_after=86400) == "86400"


def _header(box, upsert, mode, **how):
    box.faults("hubspot", mode, nth=1, **how)
    return upsert(*GOOD).headers.get("Retry-After")


def test_empty_results(box, upsert):
    """Success without results; whether it was written is the fault's choice."""
    box.faults("hubspot", "empty_results", nth=1)
    answer = upsert(*GOOD)
    assert (answer.status_code, answer.json()["results"], box.objects("hubspot")["contacts"]) == (200, [], 0)
    box.faults("hubspot", "empty_results", nth=1, written=True)
    assert upsert(*GOOD).json()["results"] == []
    assert box.objects("hubspot")["contacts"] == 4


@pytest.mark.parametrize(("written", "held"), [(True, 4), (False, 3)])
def test_a_row_that_is_nowhere(box, upsert, written, held):
    """One row is in neither results nor errors."""
    box.faults("hubspot", "row_missing", nth=1, written=written)
    answer = upsert(*GOOD)
    assert (answer.status_code, len(answer.json()["results"])) == (200, 3)
    assert box.objects("hubspot")["contacts"] == held


def test_results_in_disorder(box, upsert):
    """Reversed, doubled, or without their trace ids."""
    box.faults("hubspot", "results_reversed", nth=1)
    assert [one["objectWriteTraceId"] for one in upsert(*GOOD).json()["results"]] == ["3", "2", "1", "0"]
    box.faults("hubspot", "results_doubled", nth=1)
    assert len(upsert(*GOOD).json()["results"]) == 8
    box.faults("hubspot", "results_without_trace_ids", nth=1)
    results = upsert(*GOOD).json()["results"]
    assert [one for one in results if "objectWriteTraceId" in one] == []
    assert {one["properties"]["email"] for one in results} == {row["email"] for row in GOOD}


@pytest.mark.parametrize("mode", ["empty_results", "row_missing", "results_reversed", "results_without_trace_ids"])
def test_faults_of_batches_leave_other_answers_alone(box, mode):
    """A fault that is set for every path spoils no list of properties."""
    box.faults("hubspot", mode)
    headers = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}
    answer = requests.get(f"{box.url}/hubspot/crm/v3/properties/contacts", headers=headers, timeout=10)
    assert "last_seen_at" in {one["name"] for one in answer.json()["results"]}


def test_errors_that_say_too_little(box, upsert):
    """By id, without context, several rows in one, or miscounted."""
    box.faults("hubspot", "errors_by_id", nth=1)
    assert [error["context"] for error in upsert(*BAD).json()["errors"]] == [{"ids": [row["email"]]} for row in BAD]
    box.faults("hubspot", "errors_without_context", nth=1)
    assert ["context" in error for error in upsert(*BAD).json()["errors"]] == [False, False]
    box.faults("hubspot", "errors_together", nth=1)
    together = upsert(*BAD).json()
    assert together["numErrors"] == len(together["errors"]) == 1
    assert together["errors"][0]["context"] == {"objectWriteTraceId": ["0", "1"]}
    box.faults("hubspot", "errors_miscounted", nth=1)
    miscounted = upsert(*BAD).json()
    assert (miscounted["numErrors"], len(miscounted["errors"])) == (3, 2)


def test_a_message_cut_in_its_json(box, upsert):
    """The list inside the message cannot be read any more."""
    box.faults("hubspot", "message_truncated", nth=1, length=60)
    message = upsert(*BAD).json()["errors"][0]["message"]
    assert len(message) == 60
    with pytest.raises(json.JSONDecodeError):
        json.loads(message.partition(": ")[2])


def test_members_and_statuses_that_nobody_expects(box, upsert):
    """Unknown members everywhere; 202 or another status in place of 200; no rate headers."""
    box.faults("hubspot", "extra_fields", nth=1)
    body = upsert(GOOD[0], BAD[0]).json()
    assert all("x_new_in_2027" in one for one in (body, *body["results"], *body["errors"]))
    box.faults("hubspot", "odd_status", nth=1)
    assert upsert(*GOOD).status_code == 202
    box.faults("hubspot", "odd_status", nth=1, status=201)
    assert upsert(*GOOD).status_code == 201
    box.faults("hubspot", "headers_missing", nth=1)
    answer = upsert(*GOOD)
    assert [name for name in answer.headers if "ratelimit" in name.lower()] == []
    assert answer.headers["X-HubSpot-Correlation-Id"]


def test_an_unknown_property_dropped_in_silence(box, upsert):
    """200, and the value is nowhere."""
    box.faults("hubspot", "unknown_property_dropped", nth=1)
    assert upsert({"email": "ann@example.com", "nothing": "x"}).status_code == 200
    assert "nothing" not in box.records("hubspot", "contacts")[0]


def test_a_search_that_counts_first(box):
    """A search right after a create counts the record and does not show it."""
    box.settings("hubspot", search_lag_seconds=60.0)
    box.seed("hubspot", "contacts", [{"email": "ann@example.com"}])
    box.faults("hubspot", "search_counts_first", nth=1)
    headers = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}
    url = f"{box.url}/hubspot/crm/objects/2026-03/contacts/search"
    assert requests.post(url, json={}, headers=headers, timeout=10).json() == {"total": 1, "results": []}


def test_a_commit_that_is_not_heard_of_is_safe_to_send_again(box, upsert):
    """With the sandbox's own fault around it: the rows are there, and the same upsert changes nothing but `new`."""
    box.faults("hubspot", "drop_after_commit", nth=1)
    with pytest.raises(requests.ConnectionError):
        upsert(*GOOD)
    assert box.objects("hubspot")["contacts"] == 4
    assert {one["new"] for one in upsert(*GOOD).json()["results"]} == {False}


def test_the_promises_of_the_docs_are_complete():
    """Every fault and every area is a name and a sentence."""
    assert all(sentence.endswith(".") for sentence in Fake.FAULTS.values())
    assert {state for _, state, _ in Fake.COVERAGE} == {"faked", "partly", "not faked"}
    assert all(sentence.endswith(".") for _, _, sentence in Fake.COVERAGE)
