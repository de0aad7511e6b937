"""How warehouse values become Salesforce's JSON, and that they arrive unchanged."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from airflow_reverse_etl.destinations.salesforce.encode import CannotEncodeError, writer
from airflow_reverse_etl.model import JobType, Status, Target

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NAIVE = dt.datetime(2026, 7, 1, 12, 30, 15, 123456)


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("string", 'O\'Brien "x" \\ \r\n\t 💚 =1+1 007', '"O\'Brien \\"x\\" \\\\ \\r\\n\\t 💚 =1+1 007"'),
        ("string", 7, '"7"'),
        ("string", Decimal("7.50"), '"7.5"'),
        ("string", Decimal("1E+3"), '"1000"'),
        ("string", 2**63 - 1, '"9223372036854775807"'),
        ("string", 7.0, '"7"'),
        ("string", True, '"true"'),
        ("string", dt.date(2026, 1, 31), '"2026-01-31"'),
        ("string", NEW_YEAR, '"2026-01-01T00:00:00Z"'),
        ("string", NAIVE, '"2026-07-01T10:30:15.123456Z"'),
        ("string", dt.time(12, 30), '"12:30:00"'),
        ("textarea", {"a": [Decimal("1.10"), None, True, "é"]}, '"{\\"a\\":[1.10,null,true,\\"é\\"]}"'),
        ("textarea", [dt.date(2026, 1, 31)], '"[\\"2026-01-31\\"]"'),
        ("email", "Ann@X.com", '"Ann@X.com"'),
        ("picklist", 5, '"5"'),
        ("some new type", "x", '"x"'),
        ("double", Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
        ("double", Decimal("0.10"), "0.10"),
        ("double", Decimal("1E-7"), "0.0000001"),
        ("double", 0.1, "0.1"),
        ("double", 1e22, "10000000000000000000000"),
        ("double", 2**63 - 1, "9223372036854775807"),
        ("double", "007.50", "7.50"),
        ("double", "+.5", "0.5"),
        ("currency", "-3", "-3"),
        ("percent", 12.5, "12.5"),
        ("int", 7, "7"),
        ("int", Decimal("7.00"), "7"),
        ("int", 7.0, "7"),
        ("int", "-7", "-7"),
        ("int", -(2**31 - 1), "-2147483647"),
        ("long", 2**63 - 1, "9223372036854775807"),
        ("boolean", True, "true"),
        ("boolean", False, "false"),
        ("boolean", 1, "true"),
        ("boolean", Decimal(0), "false"),
        ("date", dt.date(2026, 1, 31), '"2026-01-31"'),
        ("date", dt.date(1, 1, 1), '"0001-01-01"'),
        ("date", "2026-01-31", '"2026-01-31"'),
        ("date", NEW_YEAR, '"2026-01-01"'),
        ("date", "2026-01-01T00:00:00Z", '"2026-01-01"'),
        ("date", dt.datetime(2026, 1, 1, 1, tzinfo=BERLIN), '"2026-01-01"'),
        ("datetime", NEW_YEAR, '"2026-01-01T00:00:00.000Z"'),
        ("datetime", NAIVE, '"2026-07-01T10:30:15.123Z"'),
        ("datetime", dt.date(2026, 1, 1), '"2026-01-01T00:00:00.000Z"'),
        ("datetime", "2026-01-01", '"2026-01-01T00:00:00.000Z"'),
        ("datetime", "2026-01-01T01:00:00+01:00", '"2026-01-01T00:00:00.000Z"'),
        ("datetime", "2026-01-01 01:00:00", '"2026-01-01T00:00:00.000Z"'),
        ("datetime", dt.datetime(2026, 3, 29, 2, 30), '"2026-03-29T01:30:00.000Z"'),
        ("datetime", dt.datetime(2026, 10, 25, 2, 30), '"2026-10-25T00:30:00.000Z"'),
        ("time", dt.time(9, 5, 1, 250000), '"09:05:01.250Z"'),
        ("time", "09:05", '"09:05:00.000Z"'),
        ("multipicklist", ["a", "b c"], '"a;b c"'),
        ("multipicklist", "a;b", '"a;b"'),
        ("multipicklist", [], "null"),
        ("multipicklist", ["a", None], '"a"'),
        ("reference", "001000000000001", '"001000000000001"'),
        ("base64", b"\x00\xff", '"AP8="'),
        ("base64", "AP8=", '"AP8="'),
    ],
)
def test_what_is_written(kind, value, written):
    """Every value of a type that fits is written exactly, as JSON."""
    found = writer(kind, BERLIN)(value)
    assert found == written
    json.loads(found)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", b"bytes"),
        ("string", "a\0b"),
        ("email", {"a": 1}),
        ("picklist", ["a"]),
        ("double", "many"),
        ("double", "1e5"),
        ("double", "1,000"),
        ("double", " 1"),
        ("double", "NaN"),
        ("double", True),
        ("double", float("nan")),
        ("double", float("inf")),
        ("double", Decimal("NaN")),
        ("double", Decimal("1E+400")),
        ("double", dt.date(2026, 1, 1)),
        ("int", 7.5),
        ("int", Decimal("7.01")),
        ("int", 2**31),
        ("long", 2**63),
        ("boolean", "true"),
        ("boolean", "1"),
        ("boolean", 2),
        ("date", "31.1.2026"),
        ("date", "2026-02-30"),
        ("date", dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)),
        ("date", dt.datetime(2026, 1, 1)),
        ("date", 20260101),
        ("datetime", "soon"),
        ("datetime", 1767225600),
        ("datetime", dt.datetime(1, 1, 1)),
        ("datetime", dt.time(12)),
        ("time", "noon"),
        ("time", dt.time(12, tzinfo=dt.UTC)),
        ("time", 12),
        ("multipicklist", ["a;b"]),
        ("multipicklist", [b"a"]),
        ("reference", 12),
        ("base64", 12),
    ],
)
def test_what_is_refused(kind, value):
    """What is none of the type is refused, and the reason does not quote it."""
    with pytest.raises(CannotEncodeError) as refused:
        writer(kind, BERLIN)(value)
    assert repr(value) not in str(refused.value)


def test_values_arrive_unchanged(box, sync):
    """One record of every type, written and read back."""
    row = {
        "Name": '  O\'Brien \\ 💚 "=1+1"  '.strip(),
        "AnnualRevenue": Decimal("12345678901234.00"),
        "NumberOfEmployees": Decimal("7.00"),
        "aps__c": 0.1,
        "Active__c": True,
        "Tier__c": "Gold",
        "Regions__c": ["North", "East"],
        "Discount__c": Decimal("12.50"),
        "Score_Date__c": dt.date(2026, 2, 28),
        "Scored_At__c": dt.datetime(2026, 2, 28, 12, 30, 15, 123000, tzinfo=dt.UTC),
        "Opens_At__c": dt.time(9, 30),
        "Notes__c": "line 1\r\nline 2\ttab é" + "x" * 1000,
        "Website": "https://example.com/?a=1&b='2'",
    }
    (outcome,) = sync("upsert", "Account", {"k": row}, key="External_Id__c")
    assert outcome.status is Status.SUCCEEDED
    (held,) = box.records("salesforce", "Account")
    expected = row | {
        "AnnualRevenue": 12345678901234,
        "NumberOfEmployees": 7,
        "Regions__c": "North;East",
        "Discount__c": 12.5,
        "Score_Date__c": "2026-02-28",
        "Opens_At__c": "09:30:00.000Z",
    }
    del expected["Scored_At__c"]
    assert {name: held[name] for name in expected} == expected
    assert str(held["Scored_At__c"]).startswith("2026-02-28T12:30:15.")


def test_numbers_travel_with_all_their_digits(box, hook, sync):
    """No number passes through a float on its way: the body holds the digits of the warehouse."""
    hook.check(Target("salesforce", "Account"), [JobType.UPDATE], ["Name"])
    sent = []
    hook.org.rest.session.hooks["response"].append(lambda answer, **_: sent.append(answer.request.body))
    sync("create", "Account", {"k": {"Name": "A", "aps__c": Decimal("1234567890123.123456789012345678901")}})
    assert b'"aps__c":1234567890123.123456789012345678901' in sent[-1]


def test_naive_timestamps_are_in_the_zone_of_the_options(box, sync):
    """`options.timezone` says what a timestamp without a zone means; without it, UTC."""
    rows = {"k": {"Name": "A", "Scored_At__c": dt.datetime(2026, 7, 1, 12)}}
    sync("upsert", "Account", rows, key="External_Id__c", timezone="Europe/Berlin")
    assert str(box.records("salesforce", "Account")[0]["Scored_At__c"]).startswith("2026-07-01T10:00:00")
    sync("upsert", "Account", rows, key="External_Id__c")
    assert str(box.records("salesforce", "Account")[0]["Scored_At__c"]).startswith("2026-07-01T12:00:00")
