"""Refused calls: what each status and body means for the engine, and what the user is told."""

from __future__ import annotations

import datetime as dt

import pytest

from airflow_reverse_etl.destinations.hubspot.errors import seconds_until_midnight
from airflow_reverse_etl.errors import (
    BatchRejectedError,
    FatalError,
    PatienceSpentError,
    RetryableError,
    SyncError,
    UnknownOutcomeError,
)

ROW = {"a@b.de": {"city": "x"}}
TOKEN = "pat-na1-5a4dbb0e"


@pytest.fixture
def refused(script, scripted):
    """Return `refused(status, body, **headers)`: the error of an upsert that is answered so."""

    def refused(status, body="", rows=ROW, **headers):
        script.says("upsert", status, body, **headers)
        with pytest.raises(SyncError) as caught:
            scripted("upsert", key="email").send(rows)
        return caught.value

    return refused


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        ({"policyName": "TEN_SECONDLY_ROLLING"}, {"X_HubSpot_RateLimit_Interval_Milliseconds": "10000"}, 10),
        ({"policyName": "TEN_SECONDLY_ROLLING"}, {"x_hubspot_ratelimit_interval_milliseconds": "4000"}, 4),
        ({"policyName": "TEN_SECONDLY_ROLLING"}, {}, 10),
        ({"message": "You have reached your ten_secondly_rolling limit."}, {}, 10),
        ({"message": "You have reached your secondly limit.", "category": "RATE_LIMITS"}, {}, 1),
        ({"policyName": "TEN_SECONDLY_ROLLING"}, {"Retry_After": "3"}, 3),
        ("<html>slow down</html>", {}, 10),
        ("", {"Retry_After": "7"}, 7),
    ],
)
def test_a_spent_window_is_waited_out(refused, body, headers, seconds):
    """429: not applied; wait as long as HubSpot's headers say, else as long as the window that its words name."""
    error = refused(429, body, **headers)
    assert type(error) is RetryableError
    assert (error.retry_after, error.code) == (seconds, "RATE_LIMITS")


def test_a_spent_day_is_not_waited_out_in_the_task(refused):
    """429 DAILY: patience is spent at once; the wait that it names ends at midnight where the account is."""
    error = refused(429, {"policyName": "DAILY", "message": "You have reached your daily limit."})
    assert isinstance(error, PatienceSpentError)
    assert error.code == "DAILY"
    assert 0 < error.retry_after <= 86_400


def test_the_day_ends_in_the_accounts_time_zone():
    """HubSpot counts days by the account's clock; an unknown zone is taken for UTC."""
    now = dt.datetime(2026, 11, 20, 22, 30, tzinfo=dt.UTC)
    assert seconds_until_midnight("UTC", now) == 5_400
    assert seconds_until_midnight("Europe/Berlin", now) == 1_800
    assert seconds_until_midnight("Nowhere/Land", now) == 5_400


def test_a_limit_that_comes_as_500_is_a_limit(refused):
    """500 with the category RATE_LIMITS was not applied."""
    assert type(refused(500, {"category": "RATE_LIMITS", "message": "internal error"})) is RetryableError


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (423, {}, 2),
        (423, {"Retry_After": "5"}, 5),
        (477, {"Retry_After": "86400"}, 86_400),
        (408, {}, None),
        (503, {}, None),
        (503, {"Retry_After": "30"}, 30),
        (521, {}, None),
        (523, {}, None),
    ],
)
def test_what_was_surely_not_applied_is_sent_again(refused, status, headers, seconds):
    """Locks, a moving account, an overloaded or unreachable server: retryable, after the wait that was asked for."""
    error = refused(status, "<html></html>", **headers)
    assert type(error) is RetryableError
    assert error.retry_after == seconds


@pytest.mark.parametrize("status", [500, 502, 504, 520, 522, 524])
def test_what_may_have_been_applied_is_unknown(refused, status):
    """A gateway that lost the answer says nothing about the write behind it: a create must not be sent again for it."""
    assert isinstance(refused(status, "<html></html>"), UnknownOutcomeError)


def test_a_batch_that_is_refused_as_a_whole_can_be_halved(refused):
    """400 without a named row: code, properties and words are HubSpot's, for the row that is left in the end."""
    words = 'Property values were not valid: [{"isValid":false,"message":"x","error":"INVALID_EMAIL","name":"email"}]'
    detail = {"message": "x", "code": "INVALID_EMAIL", "context": {"propertyName": ["email"]}}
    error = refused(400, {"status": "error", "message": words, "category": "VALIDATION_ERROR", "errors": [detail]})
    assert isinstance(error, BatchRejectedError)
    assert (error.code, error.fields, str(error)) == ("INVALID_EMAIL", ("email",), words)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (409, {"message": "Contact already exists. Existing ID: 1", "category": "CONFLICT"}, "CONFLICT"),
        (400, {"message": "Invalid input JSON on line 1, column 2: no", "status": "error"}, "HTTP_400"),
        (400, "<html></html>", "HTTP_400"),
        (413, "", "HTTP_413"),
        (414, "", "HTTP_414"),
    ],
)
def test_other_refusals_of_a_whole_batch(refused, status, body, code):
    """Conflicts, malformed and oversized bodies: nothing was written, and halving finds the culprit."""
    error = refused(status, body)
    assert isinstance(error, BatchRejectedError)
    assert error.code == code


def test_a_unique_value_that_is_taken_names_its_property(refused):
    """HubSpot's words for it are a Java object; the property in it is found."""
    words = "Cannot set PropertyValueCoordinates{portalId=1, objectTypeId=ObjectTypeId{legacyObjectType=CONTACT}, "
    words += "propertyName=customer_id, value=7} on 1. 2 already has that value."
    error = refused(400, {"message": words, "category": "VALIDATION_ERROR"})
    assert (error.code, error.fields) == ("VALIDATION_ERROR", ("customer_id",))


def test_a_key_that_hubspot_does_not_take_stops_the_task(box, sync):
    """Halving would not help: the sentence says which kind of property to use instead."""
    upsert = sync("upsert", ["plan"], key="email")
    box.faults("hubspot", "email_not_unique", path="batch/upsert")
    with pytest.raises(FatalError, match="custom property that requires unique values") as caught:
        upsert.send({"a@b.de": {"plan": "pro"}})
    assert caught.value.code == "NON_UNIQUE_PROPERTY"


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("token_expired", "EXPIRED_AUTHENTICATION", "password"),
        ("token_revoked", "INVALID_AUTHENTICATION", "password"),
        ("scopes_missing", "MISSING_SCOPES", "crm.objects.contacts.write"),
    ],
)
def test_a_token_that_is_refused_stops_the_task(box, sync, fault, code, words):
    """Nothing helps but another token or more scopes: said so, without the token."""
    upsert = sync("upsert", ["plan"], key="email")
    box.faults("hubspot", fault, path="batch/upsert")
    with pytest.raises(FatalError, match=words) as caught:
        upsert.send({"a@b.de": {"plan": "pro"}})
    assert caught.value.code == code
    assert TOKEN not in str(caught.value)


def test_a_wrong_address_stops_the_task(refused):
    """404: no retry would help."""
    error = refused(404, {"message": "resource not found", "category": "OBJECT_NOT_FOUND"})
    assert isinstance(error, FatalError)
    assert "api_version" in str(error)


def test_a_body_that_no_call_takes_is_not_sent(scripted, script):
    """Several records are split by the engine, one alone is refused; neither is sent."""
    upsert = scripted("upsert", key="email")
    large = {"city": "x" * 1_200_000}
    with pytest.raises(BatchRejectedError) as caught:
        upsert.send({"a@b.de": large, "b@b.de": large})
    assert caught.value.code == "TOO_LARGE"
    (outcome,) = upsert.send({"a@b.de": {"city": "x" * 2_100_000}})
    assert (outcome.status.value, outcome.code) == ("rejected", "TOO_LARGE")
    assert not script.bodies("upsert")
