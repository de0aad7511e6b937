"""How cells look in the Google Sheets fake: number formats, and the runs that formats are kept in."""

from __future__ import annotations

import random

import pytest
from sheets_api import Api

from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import Area
from airflow_reverse_etl.destinations.google_sheets.sandbox.formats import Formats
from airflow_reverse_etl.destinations.google_sheets.sandbox.protection import shift


@pytest.fixture
def api(box):
    """Return a plain client of the fake."""
    with Api(box) as api:
        yield api


def shown(api, value, kind=None, pattern=None):
    """Return how a value reads in a cell with this number format."""
    if kind is not None:
        look = {"numberFormat": {"type": kind, **({"pattern": pattern} if pattern else {})}}
        place = {"sheetId": 0, "endRowIndex": 1, "endColumnIndex": 1}
        api.changed(
            {"repeatCell": {"range": place, "cell": {"userEnteredFormat": look}, "fields": "userEnteredFormat"}}
        )
    api.write("A1", [[value]])
    return api.read("A1").json()["values"][0][0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (-0.5, "-0.5"),
        (2 / 3, "0.6666666667"),
        (0.1 + 0.2, "0.3"),
        (1234567.891, "1234567.891"),
        (123456789012345, "123456789012345"),
        (10**15, "1E+15"),
        (0.00000123, "1.23E-06"),
        (True, "TRUE"),
        (False, "FALSE"),
        ("=1+1", "=1+1"),
    ],
)
def test_values_read_in_the_automatic_format(api, value, text):
    """Without a format numbers read as the browser shows them."""
    assert shown(api, value) == text


@pytest.mark.parametrize(
    ("value", "kind", "pattern", "text"),
    [
        (46000.75, "DATE_TIME", "yyyy-mm-dd hh:mm:ss.000", "2025-12-09 18:00:00.000"),
        (46000.75, "DATE", "dddd, mmmm d, yyyy", "Tuesday, December 9, 2025"),
        (46000.0625, "TIME", "h:mm am/pm", "1:30 AM"),
        (46000, "DATE", "d mmm yy", "9 Dec 25"),
        (46000, "DATE", '"on" dd\\.mm\\.', "on 09.12."),
        (46000, "DATE", None, "12/9/2025"),
        (2.5, "DATE_TIME", None, "1/1/1900 12:00:00"),
        (-1, "DATE", None, "-1"),
        (1234.5, "NUMBER", None, "1,234.50"),
        (1234.5, "NUMBER", '#,##0.00 "EUR"', "1,234.50 EUR"),
        (-1234.5, "CURRENCY", None, "-$1,234.50"),
        (0.125, "PERCENT", "0.0%", "12.5%"),
        (12345, "SCIENTIFIC", None, "1.23E+04"),
        (7, "NUMBER", "0", "7"),
        (7, "TEXT", None, "7"),
        ("text", "DATE", None, "text"),
    ],
)
def test_values_read_in_their_number_format(api, value, kind, pattern, text):
    """Dates, amounts, percentages and exponents read as en_US shows them; text is no number."""
    assert shown(api, value, kind, pattern) == text


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        (".", "."),
        ("$", "$"),
        ("1,23", "1,23"),
        ("1e999", "1e999"),
        ("2026-13-01", "2026-13-01"),
        ("12:60", "12:60"),
        ("24:00", "24:00"),
        ("13:30 pm", "13:30 pm"),
        ("2026-01-02 soon", "2026-01-02 soon"),
        ("=TRUE", True),
        ("=-(2+3)*2", -10),
        ("=2*", "#ERROR!"),
        ("=1e308*10", "#ERROR!"),
        ("'", ""),
    ],
)
def test_what_reads_like_nothing_else_stays_text(api, typed, value):
    """Typed text that is almost a number, a date or a time is text; formulas compute constants only."""
    api.write("A1:B1", [[typed, 1]], "USER_ENTERED")
    assert api.values("A1:B1") == [[value, 1]]


def test_numbers_among_typed_values_keep_their_type(api):
    """USER_ENTERED parses text only; null skips here too, and columns can be written as columns."""
    api.write("A1", [[1]])
    api.write("A1", [[None, 2, True], ["", 1.0]], "USER_ENTERED", majorDimension="COLUMNS")
    assert api.values("A1:B3") == [[1], [2, 1], [True]]


@pytest.mark.parametrize("seed", range(20))
def test_runs_of_formats_agree_with_a_cell_by_cell_account(seed):
    """Whatever is formatted, inserted and deleted: each cell looks as if it were kept by itself."""
    rng = random.Random(seed)
    formats, account = Formats(), {}
    for _ in range(60):
        at, count = rng.randrange(12), rng.randrange(1, 4)
        step = rng.choice(
            ["change", "change", "insert_rows", "delete_rows", "insert_columns", "delete_columns", "copy"]
        )
        if step == "change":
            area = Area(at, rng.randrange(4), at + rng.randrange(6), rng.randrange(4, 6))
            look = rng.choice([{}, {"a": 1}, {"b": 2}])
            formats.change(area, lambda _, look=look: look)
            account |= {(r, c): look for r in range(area.top, area.bottom) for c in range(area.left, area.right)}
        elif step == "copy":
            other = formats.copy()
            other.change(Area(0, 0, 9, 9), lambda _: {"other": True})
        else:
            account = _moved(formats, account, step, at, count)
        expected = {(r, c): account.get((r, c), {}) for r in range(30) for c in range(20)}
        assert {(r, c): formats.at(r, c) for r, c in expected} == expected
        for column in range(20):
            rows = [r for (r, c), look in account.items() if c == column and look]
            assert formats.last_row(column) == max(rows, default=-1) + 1


def test_a_column_of_one_format_is_one_run():
    """A date column written in chunks, in whatever order, costs no more than one written at once."""
    formats = Formats()
    for top in (0, 20, 10, 5, 30):
        formats.change(Area(top, 1, top + 10, 2), lambda _: {"date": True})
    formats.insert_rows(7, 3, 6)
    assert formats._columns == {1: ((0, 43, 1),)}
    formats.change(Area(0, 0, 50, 5), lambda _: {})
    assert formats._columns == {}


def _moved(formats, account, step, at, count):
    """Insert or delete in both, and return the account as it is then."""
    axis = 0 if step.endswith("rows") else 1
    if step.startswith("delete"):
        getattr(formats, step)(at, count)
        kept = {place: look for place, look in account.items() if not at <= place[axis] < at + count}
        return {_shifted(place, axis, at, -count): look for place, look in kept.items()}
    like = at - 1 if at else None
    new = {}
    for place, look in account.items():
        new[_shifted(place, axis, at, count)] = look
        if place[axis] == like:
            new |= {tuple(i if n == axis else p for n, p in enumerate(place)): look for i in range(at, at + count)}
    getattr(formats, step)(at, count, like)
    return new


def _shifted(place, axis, at, count):
    return tuple(shift(index, at, count) if number == axis else index for number, index in enumerate(place))
