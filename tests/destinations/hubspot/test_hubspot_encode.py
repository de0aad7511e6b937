"""How each type of value is written into each type of property."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from airflow_reverse_etl.destinations.hubspot.describe import Property
from airflow_reverse_etl.destinations.hubspot.encode import CannotEncodeError, encode, encoder

UTC = dt.UTC
BERLIN = ZoneInfo("Europe/Berlin")


def written(kind, value, *, field_type="text", zone=UTC, is_json=False):
    """Return a value as a property of some type gets it."""
    name = zone.key if isinstance(zone, ZoneInfo) else "UTC"
    return encoder(Property("p", type=kind, field_type=field_type), ZoneInfo(name), is_json=is_json)(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9_223_372_036_854_775_807, "9223372036854775807"),
        (-5, "-5"),
        (Decimal("7.00"), "7"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.1000"), "0.1"),
        (Decimal("12345678901234567890123456789.123456789"), "12345678901234567890123456789.123456789"),
        (0.1, "0.1"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
        (-0.0, "0"),
        (7.0, "7"),
        ("1,5", "1,5"),
    ],
)
def test_numbers_are_plain_digits(value, text):
    """No exponent, no separator, no trailing zeros, nothing rounded; a text is HubSpot's to judge."""
    assert written("number", value) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", float("nan")),
        ("number", float("inf")),
        ("number", Decimal("NaN")),
        ("number", True),
        ("number", b"1"),
        ("number", dt.date(2026, 1, 1)),
        ("number", [1]),
        ("bool", 2),
        ("bool", Decimal("0.5")),
        ("date", 1_763_596_800_000),
        ("date", dt.time(1)),
        ("date", dt.datetime(2026, 11, 20, 1, tzinfo=UTC)),
        ("datetime", 1_763_596_800_000),
        ("datetime", dt.datetime(1, 1, 1, tzinfo=BERLIN)),
        ("enumeration", ["a"]),
        ("enumeration", {"a": 1}),
        ("string", b"bytes"),
        ("string", float("nan")),
        ("string", [float("inf")]),
    ],
)
def test_what_does_not_fit_is_refused_without_its_value(kind, value):
    """A value that its property's type cannot hold is refused; the sentence names types only."""
    field = Property("p", type=kind)
    with pytest.raises(CannotEncodeError, match=f"the property 'p' of type {kind} cannot take") as caught:
        encode({"p": value}, {"p": encoder(field, ZoneInfo("UTC"))}, {"p": field})
    assert caught.value.field == "p"
    assert "1763596800000" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (1, "true"), (0, "false"), ("TRUE", "true"), ("yes", "yes")]
)
def test_flags_are_true_and_false(value, text):
    """Booleans, and what stands for them in warehouses that have none."""
    assert written("bool", value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (dt.date(2026, 11, 20), "2026-11-20"),
        (dt.datetime(2026, 11, 20, tzinfo=UTC), "2026-11-20"),
        (dt.datetime(2026, 11, 20, 1, tzinfo=BERLIN), "2026-11-20"),
        (dt.datetime(2026, 11, 20), "2026-11-20"),
        ("2026-11-20", "2026-11-20"),
        (dt.date(1, 1, 1), "0001-01-01"),
    ],
)
def test_days_are_iso_dates(value, text):
    """A day is a day; an instant is one at midnight UTC."""
    assert written("date", value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (dt.datetime(2026, 11, 20, 8, 0, 0, 123_999, tzinfo=BERLIN), "2026-11-20T07:00:00.123Z"),
        (dt.datetime(2026, 7, 1, 12), "2026-07-01T10:00:00.000Z"),
        (dt.datetime(2026, 10, 25, 2, 30), "2026-10-25T00:30:00.000Z"),
        (dt.datetime(2026, 3, 29, 2, 30), "2026-03-29T01:30:00.000Z"),
        (dt.date(2026, 11, 20), "2026-11-20T00:00:00.000Z"),
        ("2026-11-20T07:00:00Z", "2026-11-20T07:00:00Z"),
    ],
)
def test_instants_are_utc_to_the_millisecond(value, text):
    """Whatever zone an instant was told in, HubSpot gets UTC; one without zone is in the sync's zone."""
    assert written("datetime", value, zone=BERLIN) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("Pro", "Pro"), (True, "true"), (7, "7"), (Decimal("7.0"), "7"), (dt.date(2026, 1, 2), "2026-01-02")],
)
def test_an_option_is_its_internal_value(value, text):
    """The case of an option counts, so nothing is changed in it."""
    assert written("enumeration", value, field_type="select") == text


@pytest.mark.parametrize(
    ("value", "is_json", "text"),
    [
        (["a", "b"], False, "a;b"),
        ([1, True], False, "1;true"),
        ([], False, ""),
        ("a;b", False, "a;b"),
        ("a", False, "a"),
        ('["a","b"]', True, "a;b"),
        ('"a"', True, "a"),
        ("[a", True, "[a"),
        ("[]", True, ""),
        ('["a"]', False, '["a"]'),
    ],
)
def test_several_options_are_joined(value, is_json, text):
    """Lists become what HubSpot wants, those in JSON columns too."""
    assert written("enumeration", value, field_type="checkbox", is_json=is_json) == text


@pytest.mark.parametrize("value", [";a", ["a;b"], ["a", None], [""], [["a"]], {"a": 1}])
def test_options_that_would_mean_something_else_are_refused(value):
    """A leading semicolon would add in place of setting, an inner one would make two of one."""
    with pytest.raises(CannotEncodeError):
        written("enumeration", value, field_type="checkbox")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("007", "007"),
        (" x ", " x "),
        (Decimal("7.50"), "7.5"),
        (7.0, "7"),
        (False, "false"),
        (dt.date(2026, 11, 20), "2026-11-20"),
        (dt.time(7, 30), "07:30:00"),
        (dt.datetime(2026, 11, 20, 8, tzinfo=BERLIN), "2026-11-20T07:00:00Z"),
        (dt.datetime(2026, 11, 20, 8), "2026-11-20T08:00:00"),
        (
            {"a": [1, Decimal("0.10"), None, True, 'q"é'], "d": dt.date(2026, 1, 2)},
            '{"a":[1,0.1,null,true,"q\\"é"],"d":"2026-01-02"}',
        ),
        ([], "[]"),
    ],
)
@pytest.mark.parametrize("kind", ["string", "phone_number", "json", "something_new"])
def test_text_takes_everything_as_it_is_best_read(kind, value, text):
    """Texts are left alone, other values get their plainest spelling, lists and objects become exact JSON."""
    assert written(kind, value) == text


def test_null_and_the_empty_text_empty_and_the_record_id_is_never_written():
    """'' is what clears a property in HubSpot, of any type."""
    fields = {name: Property(name, type="date") for name in ("a", "b")}
    encoders = {name: encoder(field, ZoneInfo("UTC")) for name, field in fields.items()}
    assert encode({"a": None, "b": "", "hs_object_id": "1"}, encoders, fields) == {"a": "", "b": ""}
