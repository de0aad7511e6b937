"""Protected ranges: their rows are refused in Google's words, all others are written, and few calls find that out."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from airflow_reverse_etl.destinations.google_sheets import view
from airflow_reverse_etl.destinations.google_sheets.protection import END, Area, Guarded, Protection
from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import Box
from airflow_reverse_etl.destinations.google_sheets.sandbox.protection import Protection as Guard
from airflow_reverse_etl.errors import FatalError, RetryableError

TAB = "Ann's scores"


def test_rows_of_a_protected_range_are_refused_in_googles_words(sheet):
    """The others are written. The ranges are asked for once, so that no batch is halved down to its single rows."""
    sheet.fill(["id", "name"], *([f"k{n}", "old"] for n in range(100)))
    sheet.fake.protect(TAB, "A11:B20")
    sheet.fake.protect(TAB, "B31:B31")
    sheet.fake.protect(TAB, "A41:A50")
    sheet.fake.protect(TAB, "B1:B100", editors=["reverse-etl@sandbox-project.iam.gserviceaccount.com"])
    ended = sheet.run(
        "update", pa.table({"id": [f"k{n}" for n in range(100)], "name": ["new"] * 100}), key="id", max_rejected=20
    )
    assert ended.error is None
    assert (ended.report.succeeded["update"], ended.report.rejected) == (89, 11)
    assert ended.report.errors[0]["code"] == "INVALID_ARGUMENT"
    assert ended.report.errors[0]["message"].endswith(
        "Please contact the spreadsheet owner to remove protection if you need to edit."
    )
    refused = {*range(9, 19), 29}
    assert [row[1] for row in sheet.cells()[1:]] == ["old" if n in refused else "new" for n in range(100)]
    assert len(sheet.writes()) == 2


def test_protection_is_asked_for_again_when_the_tab_is(sheet, monkeypatch):
    """Rows move, and protected ranges with them."""
    sheet.fill(["id", "name"], *([f"k{n}", "old"] for n in range(9)))
    sheet.fake.protect(TAB, "A3:B3")
    job = sheet.job("update", ["id", "name"], key="id")
    records = [{"id": f"k{n}", "name": "new"} for n in range(9)]
    with pytest.raises(RetryableError, match="protected cell"):
        job.send(records)
    monkeypatch.setattr(view, "STALE_SECONDS", 0.0)
    sheet.fake._tab(TAB, None).insert("ROWS", 1, 1, None)
    codes = job.codes(records)
    assert [key for key, code in codes.items() if code] == ["k1"]
    assert len(sheet.writes()) == 2
    sheet.fake._tab(TAB, None).protections.clear()
    assert set(job.codes(records).values()) == {""}


def test_a_tab_that_is_protected_as_a_whole_is_refused_in_few_calls(sheet):
    """Every row is rejected, and no call is made for each."""
    sheet.fill(["id", "name"], *([f"k{n}", "old"] for n in range(50)))
    sheet.fake.protect(TAB)
    rows = {"id": [f"k{n}" for n in range(60)], "name": ["new"] * 60}
    ended = sheet.run("upsert", pa.table(rows))
    assert isinstance(ended.error, FatalError)
    assert (ended.report.rejected, ended.report.aborted) == (60, 0)
    assert ended.report.calls < 10
    assert {row[1] for row in sheet.cells()[1:]} == {"old"}


def test_the_free_parts_of_a_column():
    """Protected ranges may touch, overlap, lie in one another, in any order, and end with the tab."""
    areas = [(5, 6, 1, 9), (3, 4, 1, 9), (3, 9, 2, 2), (4, 5, 1, 1), (20, END, 1, 1), (1, 99, 5, 5)]
    protection = Protection("", "", tuple(Guarded(Area(*area)) for area in areas))
    assert protection.free(1, 2) == [(2, 2), (7, 19)]
    assert protection.free(1, 4, 8) == [(7, 8)]
    assert protection.free(2, 3, 9) == []
    assert protection.free(3, 1, 30) == [(1, 2), (7, 30)]
    assert protection.free(5, 2) == [(100, END)]
    assert protection.free(10, 2) == [(2, END)]
    assert protection.free(1, 8, 6) == []


def test_a_protected_column_between_ours_is_not_bridged(sheet):
    """Leaving its cells alone within a range might count as an edit."""
    sheet.fill(["id", "a", "formula", "b"], ["1", 0, "=1+1", 0], ["2", 0, "=1+1", 0])
    sheet.fake.protect(TAB, "C1:C1000")
    table = pa.table({"id": ["1", "2", "3"], "a": [1, 2, 3], "b": [1, 2, 3]})
    ended = sheet.run("upsert", table)
    assert (ended.error, ended.report.succeeded["upsert"]) == (None, 3)
    assert sheet.cells()[1:] == [["1", 1, 2, 1], ["2", 2, 2, 2], ["3", 3, None, 3]]


def test_a_header_that_is_protected_cannot_be_extended(sheet):
    """No record is to blame: the run stops, and says why."""
    sheet.fill(["id", "name"], ["a", "old"])
    sheet.fake.protect(TAB, "A1:Z1")
    ended = sheet.run("upsert", pa.table({"id": ["a"], "name": ["new"], "score": [1]}))
    assert isinstance(ended.error, FatalError)
    assert "cannot be made to hold what is to be written: " in str(ended.error)
    assert "protected cell" in str(ended.error)
    assert ended.report.aborted == 1


def test_ranges_that_are_protected_by_a_warning_do_not_count(sheet):
    """A person is asked before an edit, the API is not; and parts of a protected tab may be free."""
    sheet.fill(["id", "name"], ["a", "old"], ["b", "old"])
    guards = sheet.fake._tab(TAB, None).protections
    guards[1] = Guard(1, Box(), warning_only=True)
    guards[2] = Guard(2, Box(), spared=(Box(1, 0, 2, 26),))
    ended = sheet.run("update", pa.table({"id": ["a", "b"], "name": ["new", "new"]}), key="id", max_rejected=1)
    assert (ended.error, ended.report.succeeded["update"], ended.report.rejected) == (None, 1, 1)
    assert sheet.cells()[1:] == [["a", "new"], ["b", "old"]]


@pytest.mark.parametrize("job", ["update", "upsert"])
def test_dates_are_formatted_around_protected_rows(sheet, job):
    """The rows that may be written get the format; the protected ones are refused."""
    sheet.fill(["id", "day"], *([str(n), 1] for n in range(6)), rows=9)
    sheet.fake.protect(TAB, "A4:B5")
    sheet.fake.protect(TAB, "A8:B9")
    table = pa.table({"id": [str(n) for n in range(6)], "day": [dt.date(2026, 11, 20)] * 6})
    ended = sheet.run(job, table, key="id", max_rejected=2)
    assert (ended.error, ended.report.rejected) == (None, 2)
    looks = [bool(sheet.fake.look(TAB, f"B{row}")) for row in range(1, 10)]
    assert looks == [False, True, True, False, False, True, True, False, False]
