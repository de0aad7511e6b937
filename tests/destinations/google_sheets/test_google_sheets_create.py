"""Creates: new rows go to explicit ranges below everything, so that a lost answer doubles nothing."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from airflow_reverse_etl.destinations.google_sheets import view
from airflow_reverse_etl.errors import FatalError, RetryableError

TAB = "Ann's scores"
GERMAN = {"type": "DATE", "pattern": "dd.mm.yyyy"}
GROW, WRITE = "[0-9]:batchUpdate$", "values:batchUpdate$"


def rows(*keys):
    """Return a record for each key."""
    return [{"id": key, "name": f"name {key}"} for key in keys]


def landed(*keys):
    """Return the rows of these records as cells."""
    return [[key, f"name {key}"] for key in keys]


def test_new_rows_go_below_the_last_used_one_and_the_grid_grows(sheet):
    """One call for the grid, one for the cells; the ranges are named, so that both can be repeated."""
    sheet.fill(["id", "name"], *landed("a"), rows=2)
    sheet.job("create", ["id", "name"]).land(rows("b", "c"))
    assert sheet.cells() == [["id", "name"], *landed("a", "b", "c")]
    assert sheet.grid() == (4, 26)
    assert sheet.writes() == ["POST :batchUpdate", "POST /values:batchUpdate"]
    assert sheet.sent()["data"][0]["range"] == "'Ann''s scores'!A3:B4"


def test_what_people_keep_below_is_never_overwritten(sheet):
    """Rows without a key, in whatever column, and formulas that show nothing."""
    sheet.fill(["id", "name"], *landed("a"), [], [], [None, None, None, "a person's total"], [], ["", None, '=""'])
    sheet.job("create", ["id", "name"]).land(rows("b"))
    assert sheet.cells()[4] == [None, None, None, "a person's total"]
    assert sheet.cells()[7] == ["b", "name b"]


def test_blank_rows_in_the_middle_stay_blank(sheet):
    """They may be a person's way to part things."""
    sheet.fill(["id", "name"], *landed("a"), [], *landed("b"))
    sheet.job("create", ["id", "name"]).land(rows("c"))
    assert sheet.cells() == [["id", "name"], *landed("a"), [], *landed("b", "c")]


def test_a_key_that_stands_in_the_tab_is_refused(sheet):
    """As text or as a number; it is never adopted, and the other rows land."""
    sheet.fill(["id", "name"], ["a", "a person's"], [7, "a person's"])
    job = sheet.job("create", ["id", "name"])
    outcomes = job.send(rows("a", "b", "7"))
    assert [outcome.code for outcome in outcomes] == ["ALREADY_EXISTS", "", "ALREADY_EXISTS"]
    assert outcomes[0].message == "a row with this key stands in the tab already (row 2)"
    assert job.codes(rows("b")) == {"b": "ALREADY_EXISTS"}
    assert sheet.cells() == [["id", "name"], ["a", "a person's"], [7, "a person's"], *landed("b")]


def test_rows_go_below_what_is_frozen(sheet):
    """Two frozen rows are a header and something that belongs to it."""
    sheet.fill(["id", "name", "day"], rows=3)
    sheet.freeze(2)
    sheet.job("create", ["id", "name", "day"]).land([{"id": "a", "name": "x", "day": dt.date(1900, 1, 1)}])
    assert sheet.cells() == [["id", "name", "day"], [], ["a", "x", 2]]
    assert sheet.formats("C", 3) == ["", "", "yyyy-mm-dd"]


def test_a_tab_of_one_row_grows(sheet):
    """It has room for its header only."""
    sheet.fill(["id", "name"], rows=1, columns=2)
    sheet.job("create", ["id", "name"]).land(rows("a"))
    assert sheet.cells() == [["id", "name"], *landed("a")]


def test_a_missing_tab_is_made_with_the_first_row(sheet):
    """In the size that is needed, its header frozen, in the same call as the header."""
    job = sheet.job("create", ["id", "name", "day"], object="New", create_tab=True)
    job.land([{"id": "a", "name": "x", "day": dt.date(2026, 11, 20)}])
    job.land([{"id": "b", "name": "x", "day": dt.date(2026, 11, 21)}])
    assert sheet.cells("New") == [["id", "name", "day"], ["a", "x", 46346], ["b", "x", 46347]]
    assert sheet.fake._tab("New", None).frozen_rows == 1
    assert sheet.grid("New")[1] == 3
    assert sheet.fake.look("New", "C3") == {"numberFormat": {"type": "DATE", "pattern": "yyyy-mm-dd"}}
    assert sheet.writes()[:2] == ["POST :batchUpdate", "POST /values:batchUpdate"]


@pytest.mark.parametrize("mode", ["drop_after_commit", "deliver_twice"])
@pytest.mark.parametrize("create_tab", [False, True])
def test_a_create_whose_answer_was_lost_is_repeated_without_doubling(sheet, box, mode, create_tab):
    """At the call that makes room, at the one that writes, at both: in the end every row stands there once."""
    if not create_tab:
        sheet.fill(["id", "name"], rows=2)
    for path in (GROW, WRITE):
        box.faults("google_sheets", mode, path=path, nth=1)
    table = pa.table({"id": ["a", "b", "c"], "name": ["name a", "name b", "name c"]})
    ended = sheet.run("create", table, options={"create_tab": create_tab})
    assert (ended.error, ended.report.succeeded["create"], ended.report.unknown) == (None, 3, 0)
    assert sheet.cells() == [["id", "name"], *landed("a", "b", "c")]
    assert box.faults("google_sheets") == []


@pytest.mark.parametrize("mode", ["internal", "unavailable", "deadline"])
@pytest.mark.parametrize("after", [False, True])
def test_an_error_of_the_server_leaves_open_whether_rows_were_made(sheet, box, mode, after):
    """5xx, with the work done or not: the hook looks, and every row is made once."""
    sheet.fill(["id", "name"])
    box.faults("google_sheets", mode, path=WRITE, nth=1, after=after)
    table = pa.table({"id": ["a", "b"], "name": ["name a", "name b"]})
    ended = sheet.run("create", table)
    assert (ended.error, ended.report.succeeded["create"]) == (None, 2)
    assert sheet.cells() == [["id", "name"], *landed("a", "b")]


def test_after_a_lost_answer_a_persons_row_is_not_overwritten(sheet, box):
    """Rows that did not arrive are written below what a person added in the meantime."""
    sheet.fill(["id", "name"], *landed("a"))
    job = sheet.job("create", ["id", "name"])
    box.faults("google_sheets", "drop_before", path=WRITE, nth=1)
    with pytest.raises(RetryableError):
        job.send(rows("b", "c"))
    sheet.put("A3", ["mine", "a person's"])
    job.land(rows("b", "c"))
    assert sheet.cells() == [["id", "name"], *landed("a"), ["mine", "a person's"], *landed("b", "c")]


def test_after_a_lost_answer_rows_that_moved_are_found(sheet, box):
    """A person sorts them: they are found by their keys, and written once more in place."""
    sheet.fill(["id", "name"], *landed("a"))
    job = sheet.job("create", ["id", "name"])
    box.faults("google_sheets", "drop_after_commit", path=WRITE, nth=1)
    with pytest.raises(RetryableError):
        job.send(rows("b", "c"))
    sheet.put("A2", *landed("c", "a", "b"))
    job.land(rows("b", "c"))
    assert sheet.cells() == [["id", "name"], *landed("c", "a", "b")]


def test_only_rows_that_may_have_been_written_are_taken_for_ours(sheet, box):
    """An answer that was lost while room was made says nothing of rows: a key that turns up then is a person's."""
    sheet.fill(["id", "name"], rows=1)
    job = sheet.job("create", ["id", "name"])
    box.faults("google_sheets", "drop_after_commit", path=GROW, nth=1)
    with pytest.raises(RetryableError):
        job.send(rows("a", "b"))
    sheet.put("A2", ["a", "a person's"])
    assert job.codes(rows("a", "b")) == {"a": "ALREADY_EXISTS", "b": ""}
    assert sheet.cells() == [["id", "name"], ["a", "a person's"], *landed("b")]


def test_a_create_that_was_refused_leaves_no_doubt(sheet, box):
    """Nothing was applied: a key that turns up later is a person's. And what has landed is in doubt no more."""
    sheet.fill(["id", "name"])
    job = sheet.job("create", ["id", "name"])
    box.faults("google_sheets", "quota", path=WRITE, nth=1)
    with pytest.raises(RetryableError):
        job.send(rows("a"))
    sheet.put("A2", ["a", "a person's"])
    job.hook._seen[1]._stale = True
    assert job.codes(rows("a")) == {"a": "ALREADY_EXISTS"}
    box.faults("google_sheets", "drop_after_commit", path=WRITE, nth=1)
    with pytest.raises(RetryableError):
        job.send(rows("b"))
    job.land(rows("b"))
    assert job.codes(rows("b")) == {"b": "ALREADY_EXISTS"}


def test_a_persons_row_that_is_typed_meanwhile_is_seen(sheet, monkeypatch):
    """Seconds after the last look, the end of the tab is looked at before new rows are put there."""
    sheet.fill(["id", "name"])
    job = sheet.job("create", ["id", "name"])
    job.land(rows("a"))
    monkeypatch.setattr(view, "FRESH_SECONDS", 0.0)
    sheet.put("A3", ["b", "a person's"], [None, "another"])
    assert job.codes(rows("b", "c")) == {"b": "ALREADY_EXISTS", "c": ""}
    assert sheet.cells() == [["id", "name"], *landed("a"), ["b", "a person's"], [None, "another"], *landed("c")]


def test_an_empty_tab_that_stays_empty_is_not_taken_for_changed(sheet, monkeypatch):
    """Its end is looked at as well."""
    sheet.fill()
    job = sheet.job("upsert", ["id", "name"])
    monkeypatch.setattr(view, "FRESH_SECONDS", 0.0)
    job.codes([{"id": "x" * 50_001, "name": "too long"}])
    reads = len(sheet.calls())
    job.codes([{"id": "x" * 50_001, "name": "too long"}])
    assert sheet.calls()[reads:] == ["GET /values/'Ann''s scores'!A1:Z"]


def test_rows_made_later_get_the_date_format_of_the_column(sheet):
    """The person's own where there is one; also in a grid that has to grow again and again."""
    sheet.fill(["id", "day", "at"], ["a", 40_000, 40_000], ["b", 40_000, 40_000], rows=4)
    sheet.dress("B2:B3", GERMAN)
    job = sheet.job("create", ["id", "day", "at"])
    for n in range(5):
        at = dt.datetime(2026, 11, 20, 12)
        job.land([{"id": f"{n}{m}", "day": at.date(), "at": at} for m in range(2)])
    last = len(sheet.cells())
    assert last == 13
    assert sheet.formats("B", last) == ["", *["dd.mm.yyyy"] * (last - 1)]
    assert sheet.formats("C", last) == ["", *["yyyy-mm-dd hh:mm:ss"] * (last - 1)]


def test_a_column_that_is_formatted_below_only_gets_the_same_above(sheet):
    """The format that a person chose for rows to come is the column's."""
    sheet.fill(["id", "day"], ["a", 40_000], rows=10)
    sheet.dress("B3:B10", GERMAN)
    sheet.job("upsert", ["id", "day"]).land([{"id": key, "day": dt.date(2026, 11, 20)} for key in "abc"])
    assert sheet.formats("B", 10) == ["", *["dd.mm.yyyy"] * 9]


def test_the_dates_of_new_keys_are_shown_as_dates(sheet):
    """A key may be a date: new rows hold a real one."""
    sheet.fill(["day", "n"])
    sheet.job("upsert", ["day", "n"]).land([{"day": dt.date(2026, 11, 20), "n": 1}])
    assert sheet.cells() == [["day", "n"], [46346, 1]]
    assert sheet.formats("A", 2) == ["", "yyyy-mm-dd"]


def test_room_for_many_rows_takes_few_calls(sheet):
    """The grid grows by as much as the run has written, while batches are full; the last one takes what it needs."""
    sheet.fill(["id", "name"], rows=2)
    job = sheet.job("create", ["id", "name"])
    for batch in range(9):
        job.land(rows(*(f"{batch}-{n}" for n in range(200))))
    job.land(rows("the", "last"))
    assert len(sheet.cells()) == 1 + 9 * 200 + 2
    assert sheet.writes().count("POST /values:batchUpdate") == 10
    assert sheet.writes().count("POST :batchUpdate") <= 5
    assert sheet.grid()[0] <= 2 * 9 * 200 + 200


def test_a_full_spreadsheet_is_a_sentence(sheet, box):
    """Ten million cells are the limit; rows made ahead are left out before it is reached."""
    sheet.fill(["id", "name"], rows=2, columns=2)
    box.settings("google_sheets", max_cells=26_000 + 2 * 252)
    job = sheet.job("create", ["id", "name"])
    job.land(rows(*(f"a{n}" for n in range(100))))
    job.land(rows(*(f"b{n}" for n in range(100))))
    assert sheet.grid() == (201, 2)
    with pytest.raises(
        FatalError, match=r"cannot be made to hold what is to be written: .*above the limit of 26504 cells"
    ):
        job.send(rows(*(f"c{n}" for n in range(100))))
    assert len(sheet.cells()) == 201


@pytest.mark.parametrize("job", ["create", "upsert"])
def test_a_large_load_takes_few_calls_and_small_bodies(sheet, job):
    """30,000 rows through the engine: one call for 14,300, none above 2 MB, each row where it belongs."""
    count = 30_000
    table = pa.table({"id": pa.array(range(count)), "name": [f"customer {n}" for n in range(count)], "n": range(count)})
    sheet.fill(["id", "name"])
    ended = sheet.run(job, table)
    assert (ended.error, ended.report.succeeded[job]) == (None, count)
    assert len(sheet.writes()) <= 5
    assert sheet.cells()[1:] == [[n, f"customer {n}", n] for n in range(count)]


def test_a_hundred_thousand_rows_take_ten_write_calls(sheet):
    """Eight columns: a create of all, an upsert that changes all; 5,000 changed rows take ten calls, reads included."""
    count = 100_000

    def table(salt, every=1):
        return pa.table(
            {
                "id": pa.array(range(count)),
                "name": [f"Customer {n}" for n in range(count)],
                "email": [f"customer{n}@example.com" for n in range(count)],
                "amount": [n + (salt if n % every == 0 else 0) + 0.25 for n in range(count)],
                "active": [n % 2 == 0 for n in range(count)],
                "since": [dt.date(2020, 1, 1) + dt.timedelta(days=n % 2000) for n in range(count)],
                "seen": [dt.datetime(2026, 1, 1) + dt.timedelta(seconds=n) for n in range(count)],
                "city": ["Berlin"] * count,
            }
        )

    sheet.fill(["id"])
    ended = sheet.run("create", table(0))
    assert (ended.error, ended.report.succeeded["create"], len(sheet.cells())) == (None, count, count + 1)
    assert len(sheet.writes()) <= 10
    before = len(sheet.writes())
    ended = sheet.run("upsert", table(1, 20), sync_id="other")
    assert (ended.error, len(sheet.writes()) - before <= 10) == (None, True)
    ended = sheet.run("upsert", table(2, 20), sync_id="other")
    assert (ended.report.succeeded["upsert"], ended.report.calls <= 10) == (5_000, True)
    assert {row[3] - row[0] for row in sheet.cells()[1:]} == {0.25, 2.25}
