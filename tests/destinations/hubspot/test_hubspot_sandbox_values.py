"""What HubSpot makes of values: which it takes, as what it keeps them, and in which words it refuses the rest."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import requests

from airflow_reverse_etl.destinations.hubspot.sandbox import DEFAULT_TOKEN, ConditionalRule


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
def write(send, box):
    """Return `write(properties)`: change one contact that is there; the answer's status, and its record or errors."""
    (contact,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com"}])

    def write(properties, version="2026-03"):
        answer = send("PATCH", f"/crm/objects/{version}/contacts/{contact}", {"properties": properties})
        return answer.status_code, answer.json()

    return write


def kept(box, name):
    """Return the value that the one contact has now, or None."""
    return box.records("hubspot", "contacts")[0].get(name)


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("firstname", "O'Brien =1+1 007 \n 🙂", "O'Brien =1+1 007 \n 🙂"),
        ("firstname", "x" * 65_536, "x" * 65_536),
        ("score", "12.50", "12.50"),
        ("score", "-0.1", "-0.1"),
        ("score", "9223372036854775807", "9223372036854775807"),
        ("vip", "true", "true"),
        ("plan", "pro", "pro"),
        ("interests", "chess;sailing", "chess;sailing"),
        ("signed_up_on", "2024-02-29", "2024-02-29"),
        ("signed_up_on", "1763596800000", "2025-11-20"),
        ("signed_up_on", "2025-11-20T00:00:00Z", "2025-11-20"),
        ("last_seen_at", "2026-11-20T07:00:00Z", "2026-11-20T07:00:00.000Z"),
        ("last_seen_at", "2026-11-20T07:00:00.1239Z", "2026-11-20T07:00:00.123Z"),
        ("last_seen_at", "2026-11-20T07:00:00+02:00", "2026-11-20T05:00:00.000Z"),
        ("last_seen_at", "1763622000123", "2025-11-20T07:00:00.123Z"),
        ("last_seen_at", "-1", "1969-12-31T23:59:59.999Z"),
        ("last_seen_at", "2026-11-20", "2026-11-20T00:00:00.000Z"),
        ("hubspot_owner_id", "102", "102"),
        ("phone", "+49 (0)30 1234", "+49 (0)30 1234"),
        ("email", " Ann.B+x@Example.CO.uk ", "ann.b+x@example.co.uk"),
    ],
)
def test_a_good_value_is_kept(write, box, name, sent, stored):
    """Values are kept as sent; e-mails, days and instants are kept in one form."""
    status, record = write({name: sent})
    assert (status, record["properties"][name]) == (200, stored)
    assert kept(box, name) == stored


@pytest.mark.parametrize(
    ("name", "sent", "refused"),
    [
        ("no_such", "x", ("PROPERTY_DOESNT_EXIST", 'Property "no_such" does not exist')),
        ("firstname", "x" * 65_537, ("INVALID_LENGTH", "too long")),
        ("score", "many", ("INVALID_INTEGER", "many was not a valid number.")),
        ("score", "1e5", ("INVALID_INTEGER", "1e5 was not a valid number.")),
        ("score", "1,000", ("INVALID_INTEGER", "1,000 was not a valid number.")),
        ("score", "NaN", ("INVALID_INTEGER", "NaN was not a valid number.")),
        ("score", " 1", ("INVALID_INTEGER", " 1 was not a valid number.")),
        ("vip", "True", ("INVALID_OPTION", "True was not one of the allowed options: [true, false]")),
        ("plan", "Pro", ("INVALID_OPTION", "Pro was not one of the allowed options: [free, pro, enterprise]")),
        ("interests", "chess; opera", ("INVALID_OPTION", " opera was not one of the allowed options")),
        ("signed_up_on", "2025-02-29", ("INVALID_DATE", "2025-02-29 was not a valid date.")),
        ("signed_up_on", "20.11.2026", ("INVALID_DATE", "20.11.2026 was not a valid date.")),
        ("signed_up_on", "1579179660000", ("INVALID_DATE", "1579179660000 is at 13:1:0.0 UTC, not midnight!")),
        ("signed_up_on", "9999-12-31", ("INVALID_DATE", "more than 1,000 years ago or 1,000 years from now.")),
        ("last_seen_at", "2026-11-20T07:00:00", ("INVALID_LONG", "2026-11-20T07:00:00 was not a valid long.")),
        ("last_seen_at", "2026-11-20 07:00:00Z", ("INVALID_LONG", "was not a valid long.")),
        ("last_seen_at", "9" * 15, ("INVALID_LONG", "was not a valid long.")),
        ("hubspot_owner_id", "9", ("INVALID_OWNER_ID", "9 is not a valid owner id.")),
        ("email", "ann", ("INVALID_EMAIL", "Email address ann is invalid")),
        ("email", "a..b@example.com", ("INVALID_EMAIL", "Email address a..b@example.com is invalid")),
        ("hs_additional_emails", "a@b.com;x", ("INVALID_EMAIL", "Email address x is invalid")),
        ("email", "a b@example.com", ("INVALID_EMAIL", "Email address a b@example.com is invalid")),
        ("hs_email_domain", "x.com", ("READ_ONLY_VALUE", '"hs_email_domain" is a read only property')),
        ("hs_object_id", "1", ("READ_ONLY_VALUE", "its value cannot be set.")),
        ("createdate", "2026-11-20", ("READ_ONLY_VALUE", "its value cannot be set.")),
    ],
)
def test_a_bad_value_is_refused_with_its_code(write, box, name, sent, refused):
    """400, the property and its code in `errors` and in the JSON inside the message; the record stays as it was."""
    code, words = refused
    before = box.records("hubspot", "contacts")
    status, body = write({"lastname": "B", name: sent})
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    (error,) = body["errors"]
    assert (error["code"], error["context"]) == (code, {"propertyName": [name]})
    assert words in error["message"]
    (listed,) = json.loads(body["message"].removeprefix("Property values were not valid: "))
    assert (listed["error"], listed["name"], listed["message"]) == (code, name, error["message"])
    assert box.records("hubspot", "contacts") == before
    assert box.violations("hubspot") == []


def test_the_empty_string_clears_and_an_absent_property_stays(send, write, box):
    """An empty text clears every type of property, and is read as null; what is not sent is left alone."""
    values = {
        "firstname": "Ann",
        "score": "1",
        "vip": "true",
        "plan": "pro",
        "interests": "chess",
        "signed_up_on": "2026-01-01",
        "last_seen_at": "2026-01-01T00:00:00Z",
        "customer_id": "c1",
    }
    write(values)
    assert write(dict.fromkeys(values, ""))[0] == 200
    assert [kept(box, name) for name in values] == [None] * len(values)
    read = {"inputs": [{"id": "ann@example.com"}], "idProperty": "email", "properties": list(values)}
    (record,) = send("POST", "/crm/v3/objects/contacts/batch/read", read).json()["results"]
    assert [record["properties"][name] for name in values] == [None] * len(values)
    assert kept(box, "email") == "ann@example.com"
    write({"firstname": "Ann"})
    write({"lastname": "B"})
    assert kept(box, "firstname") == "Ann"


def test_a_leading_semicolon_appends(write, box):
    """;c adds to a multiple choice, as a set; without it the value is replaced."""
    write({"interests": "chess"})
    write({"interests": ";opera;chess"})
    assert kept(box, "interests") == "chess;opera"
    write({"interests": "sailing"})
    assert kept(box, "interests") == "sailing"


def test_lifecyclestage_never_goes_back(write, box):
    """An earlier stage is answered 200 and not taken; cleared first, it is."""
    assert kept(box, "lifecyclestage") == "lead"
    write({"lifecyclestage": "customer"})
    status, record = write({"lifecyclestage": "subscriber"})
    assert (status, record["properties"]["lifecyclestage"]) == (200, "customer")
    write({"lifecyclestage": ""})
    write({"lifecyclestage": "subscriber"})
    assert kept(box, "lifecyclestage") == "subscriber"


@pytest.mark.parametrize("value", [1, True, None, ["a"], {"a": "b"}])
def test_a_value_that_is_no_text_is_a_broken_request(send, box, value):
    """400 without a category, nothing written, and a violation."""
    inputs = [{"properties": {"email": "bob@example.com", "score": value}, "objectWriteTraceId": "0"}]
    answer = send("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs})
    assert answer.status_code == 400
    assert "category" not in answer.json()
    assert answer.json()["message"].startswith("Invalid input JSON on line 1, column ")
    assert box.objects("hubspot")["contacts"] == 0
    assert len(box.violations("hubspot")) == 1


def test_numbers_can_be_let_through_as_text(send, box):
    """With strict_values off, numbers and booleans become text and null clears."""
    box.settings("hubspot", strict_values=False)
    values = {"email": "bob@example.com", "score": 12.5, "vip": True, "firstname": None}
    answer = send("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": [{"properties": values}]})
    assert answer.status_code == 201
    assert (kept(box, "score"), kept(box, "vip"), kept(box, "firstname")) == ("12.5", "true", None)


def test_from_2026_09_a_day_is_normalized_with_a_warning(send, write, box):
    """An instant that is no midnight becomes its day; the record says so. Earlier versions refuse it."""
    status, record = write({"signed_up_on": "2026-11-20T13:00:00Z"}, version="2026-09")
    assert (status, record["properties"]["signed_up_on"]) == (200, "2026-11-20")
    (warning,) = record["warnings"]
    assert warning["category"] == "PROPERTY_VALUE_NORMALIZED"
    assert warning["context"] == {
        "propertyName": ["signed_up_on"],
        "rawValue": ["2026-11-20T13:00:00Z"],
        "normalizedValue": ["2026-11-20"],
    }
    row = {"id": "ann@example.com", "idProperty": "email", "properties": {"signed_up_on": "1579179660000"}}
    (result,) = send("POST", "/crm/objects/2026-09/contacts/batch/upsert", {"inputs": [row]}).json()["results"]
    assert result["warnings"][0]["context"]["normalizedValue"] == ["2020-01-16"]
    assert write({"signed_up_on": "2026-11-20T13:00:00Z"}, version="2026-03")[0] == 400


def test_from_2026_09_the_portals_rules_hold(send, box):
    """Required and conditionally required properties are enforced on 2026-09 only."""
    rule = ConditionalRule(required="city", property="country", value="Norway")
    box.fake("hubspot").settings.required_properties = {"contacts": ("firstname",)}
    box.fake("hubspot").settings.conditional_rules = {"contacts": (rule,)}
    body = {"properties": {"email": "ann@example.com", "country": "Norway"}}
    refused = send("POST", "/crm/objects/2026-09/contacts", body)
    assert (refused.status_code, refused.json()["message"]) == (400, "The property values provided are invalid")
    assert [(error["code"], error["message"]) for error in refused.json()["errors"]] == [
        ("MISSING_REQUIRED_PROPERTY", "A value for firstname must be provided"),
        (
            "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
            "city is required because of a conditional property rule based on [country]",
        ),
    ]
    traced = {"inputs": [{**body, "objectWriteTraceId": "0"}]}
    (error,) = send("POST", "/crm/objects/2026-09/contacts/batch/create", traced).json()["errors"]
    assert "MISSING_REQUIRED_PROPERTY" in error["message"]
    assert send("POST", "/crm/objects/2026-03/contacts", body).status_code == 201


@pytest.mark.parametrize(
    ("kind", "lacking", "enough"),
    [
        ("contacts", ["email", "firstname", "lastname"], {"lastname": "B"}),
        ("companies", ["name", "domain"], {"domain": "a.com"}),
        ("deals", ["dealname", "dealstage"], {"dealname": "D", "dealstage": "closedwon"}),
        ("tickets", ["subject", "hs_pipeline_stage"], {"subject": "S", "hs_pipeline_stage": "1"}),
    ],
)
def test_creating_needs_a_minimum(send, box, kind, lacking, enough):
    """What HubSpot's guides call required is required, unless the setting lets it go; an update needs nothing."""
    too_little = {"properties": {"hubspot_owner_id": "101"}}
    refused = send("POST", f"/crm/v3/objects/{kind}", too_little)
    assert (refused.status_code, refused.json()["context"]) == (400, {"properties": lacking})
    assert refused.json()["message"].endswith("Some required properties were not set.")
    made = send("POST", f"/crm/v3/objects/{kind}", {"properties": enough})
    assert made.status_code == 201
    assert send("PATCH", f"/crm/v3/objects/{kind}/{made.json()['id']}", too_little).status_code == 200
    box.settings("hubspot", require_minimum=False)
    assert send("POST", f"/crm/v3/objects/{kind}", too_little).status_code == 201


def test_a_change_of_email_frees_the_old_one(write, send, box):
    """The old address belongs to nobody then, and another contact may have it."""
    write({"email": "new@example.com"})
    assert kept(box, "hs_email_domain") == "example.com"
    made = send("POST", "/crm/v3/objects/contacts", {"properties": {"email": "ann@example.com"}})
    assert made.status_code == 201


def test_times_of_change(write, box):
    """A write moves lastmodifieddate and updatedAt, and never createdate."""
    fake = box.fake("hubspot")
    fake.settings.clock = lambda: datetime(2030, 1, 1, tzinfo=UTC).timestamp()
    created = kept(box, "createdate")
    _, record = write({"firstname": "Ann"})
    assert record["updatedAt"] == record["properties"]["lastmodifieddate"] == "2030-01-01T00:00:00.000Z"
    assert record["createdAt"] == record["properties"]["createdate"] == created
