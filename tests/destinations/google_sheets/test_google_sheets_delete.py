"""Deletes: the rows of the keys go, and never the row of another, whatever happens to the call."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from airflow_reverse_etl.destinations.google_sheets import hook as hook_module
from airflow_reverse_etl.destinations.google_sheets import view
from airflow_reverse_etl.destinations.google_sheets.tab import Tab
from airflow_reverse_etl.errors import BatchRejectedError, FatalError, RetryableError

TAB = "Ann's scores"
DELETES = "[0-9]:batchUpdate$"


def keys(*names):
    """Return a record for each key."""
    return [{"id": name} for name in names]


def ids(sheet):
    """Return the first column below the header, None for a blank row."""
    return [row[0] if row else None for row in sheet.cells()[1:]]


def test_rows_are_deleted_from_the_bottom_up(sheet):
    """Scattered and neighbouring rows, in any order of the keys, with all that people keep in them; none else."""
    sheet.fill(["id", "name"], *([f"k{n}", n] for n in range(20)), rows=30)
    job = sheet.job("delete", ["id"], key="id")
    job.land(keys("k7", "k0", "k8", "k9", "k19", "k3"))
    assert sheet.cells()[1:] == [[f"k{n}", n] for n in range(20) if n not in (0, 3, 7, 8, 9, 19)]
    assert sheet.grid() == (24, 26)
    starts = [request["deleteDimension"]["range"]["startIndex"] for request in sheet.sent()["requests"]]
    assert starts == sorted(starts, reverse=True)
    assert len(starts) == 5


def test_the_index_is_kept_from_batch_to_batch(sheet):
    """Rows that moved up are found where they are now, without another look; upserts after deletes as well."""
    sheet.fill(["id", "name"], *([f"k{n}", n] for n in range(10)))
    job = sheet.job("delete", ["id"], key="id")
    job.land(keys("k1", "k2"))
    job.land(keys("k4", "k9"))
    job.land(keys("k0", "k5"))
    assert ids(sheet) == ["k3", "k6", "k7", "k8"]
    assert len([call for call in sheet.calls() if "A2:A" in call]) == 1
    upsert = sheet.job("upsert", ["id", "name"], hook=job.hook)
    upsert.land([{"id": "k7", "name": "new"}, {"id": "k10", "name": "new"}])
    assert sheet.cells()[3:] == [["k7", "new"], ["k8", 8], ["k10", "new"]]


def test_on_missing_deletes_after_the_upserts(sheet):
    """One run of the engine: rows that left the query go, others move up and are written where they are."""
    sheet.fill(["id", "name"], ["mine", "a person's"])
    first = pa.table({"id": [f"k{n}" for n in range(8)], "name": ["a"] * 8})
    assert sheet.run("upsert", first, key="id", on_missing="delete").error is None
    second = pa.table({"id": ["k1", "new", "k7"], "name": ["b", "b", "b"]})
    ended = sheet.run("upsert", second, key="id", on_missing="delete")
    assert (ended.error, ended.report.succeeded["delete"], ended.report.succeeded["upsert"]) == (None, 6, 3)
    assert sheet.cells()[1:] == [["mine", "a person's"], ["k1", "b"], ["k7", "b"], ["new", "b"]]


def test_what_is_gone_already_is_deleted(sheet):
    """No call is made where there is nothing to delete."""
    sheet.fill(["id", "name"], ["a", 1])
    job = sheet.job("delete", ["id"], key="id")
    job.land(keys("zz", "yy"))
    assert sheet.writes() == []
    job.land(keys("zz", "a"))
    assert ids(sheet) == []


def test_a_key_in_several_rows_is_not_deleted(sheet):
    """Which of them is meant is not ours to guess; the others go."""
    sheet.fill(["id"], ["a"], ["b"], ["a"])
    assert sheet.job("delete", ["id"], key="id").codes(keys("a", "b")) == {"a": "AMBIGUOUS_KEY", "b": ""}
    assert ids(sheet) == ["a", "a"]


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_all_rows_may_be_deleted(sheet, frozen):
    """Sheets keeps one row that is not frozen: a blank one is left, and new rows go there."""
    sheet.fill(["id", "name"], ["a", 1], ["b", 2], ["c", 3], rows=4)
    sheet.freeze(frozen)
    job = sheet.job("delete", ["id"], key="id")
    job.land(keys("a", "b", "c"))
    assert sheet.cells() == [["id", "name"]]
    assert sheet.grid()[0] <= 2 + (frozen == 2)
    sheet.job("upsert", ["id", "name"], hook=job.hook).land([{"id": "d", "name": 4}])
    assert sheet.cells()[1:] == [["d", 4]]


def test_a_grid_keeps_its_blank_rows(sheet):
    """The blank row that guards a delete goes with it: formats of rows below stay where they are."""
    sheet.fill(["id"], ["a"], ["b"], rows=10)
    sheet.dress("A10:A10", {"type": "DATE", "pattern": "yyyy"})
    job = sheet.job("delete", ["id"], key="id")
    job.land(keys("a"))
    assert sheet.grid() == (9, 26)
    assert sheet.formats("A", 9) == [*[""] * 8, "yyyy"]
    job.land(keys("b"))
    assert sheet.grid() == (8, 26)


@pytest.mark.parametrize("mode", ["drop_after_commit", "drop_before", "deliver_twice"])
@pytest.mark.parametrize("nth", [1, 2, [2, 3]])
def test_a_delete_that_goes_wrong_takes_nothing_of_others(sheet, box, mode, nth):
    """Whichever of its calls loses its answer or arrives twice: in the end the named rows are gone, and only they."""
    sheet.fill(["id", "name"], *([f"k{n}", n] for n in range(10)), rows=11)
    box.faults("google_sheets", mode, path=DELETES, nth=nth)
    ended = sheet.run("delete", pa.table({"id": ["k1", "k2", "k5", "k9"]}), key="id")
    assert (ended.error, ended.report.succeeded["delete"], ended.report.rejected) == (None, 4, 0)
    assert ids(sheet) == ["k0", "k3", "k4", "k6", "k7", "k8"]


def test_a_call_that_is_still_at_work_while_it_is_repeated_takes_nothing_of_others(sheet):
    """The first call arrives last: its guard is gone by then, and Google refuses all of it."""
    sheet.fill(["id", "name"], *([f"k{n}", n] for n in range(10)), rows=11)
    job = sheet.job("delete", ["id"], key="id")
    job.land(keys("k1", "k2"))
    late = sheet.sent()
    job.land(keys("k5"))
    left = ids(sheet)
    answer = job.hook._rest.session.post(
        f"{job.hook._rest.url}/v4/spreadsheets/{job.target.account}:batchUpdate", json=late
    )
    assert answer.status_code == 400
    assert "doesn't exist" in answer.json()["error"]["message"]
    assert ids(sheet) == left == ["k0", "k3", "k4", "k6", "k7", "k8", "k9"]


def test_rows_that_a_person_inserts_between_batches_move_the_others(sheet, monkeypatch):
    """Before a delete the keys are read again after a few seconds already."""
    sheet.fill(["id", "name"], *([f"k{n}", n] for n in range(6)))
    job = sheet.job("delete", ["id"], key="id")
    job.land(keys("k0"))
    monkeypatch.setattr(view, "FRESH_SECONDS", 0.0)
    sheet.put("A2", ["k5", 5], ["k4", 4], ["k3", 3], ["k2", 2], ["k1", 1])
    job.land(keys("k5", "k2"))
    assert ids(sheet) == ["k4", "k3", "k1"]


def test_rows_that_a_person_deleted_meanwhile_are_noticed(sheet):
    """The guard is at another place then: Google refuses the call, and after another look the right rows go."""
    sheet.fill(["id", "name"], *([f"k{n}", n] for n in range(6)), rows=7)
    job = sheet.job("delete", ["id"], key="id")
    job.land(keys("k0"))
    sheet.fake._tab(TAB, None).delete("ROWS", 1, 1)
    with pytest.raises(RetryableError, match="doesn't exist"):
        job.send(keys("k5", "k3"))
    job.land(keys("k5", "k3"))
    assert ids(sheet) == ["k2", "k4"]


def test_a_delete_that_is_refused_again_and_again_is_not_repeated_for_ever(sheet, box):
    """A few looks, then the engine halves the batch, until the row stands alone with Google's words."""
    sheet.fill(["id"], ["a"], ["b"])
    box.faults(
        "google_sheets",
        "status",
        status=400,
        path=DELETES,
        body={"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "No such luck."}},
        nth=[2, 4, 6, 8, 10, 12],
    )
    ended = sheet.run("delete", pa.table({"id": ["a", "b"]}), key="id", max_rejected=2)
    assert ended.report.rejected + ended.report.succeeded["delete"] == 2
    assert {(error["code"], error["message"]) for error in ended.report.errors} == {
        ("INVALID_ARGUMENT", "No such luck.")
    }
    assert ended.report.calls < 40


def test_protected_rows_are_refused_and_the_others_go(sheet):
    """A row goes whole, so that one protected cell of it is enough."""
    sheet.fill(["id", "name"], *([f"k{n}", n] for n in range(6)))
    sheet.fake.protect(TAB, "Z3:Z4")
    ended = sheet.run("delete", pa.table({"id": [f"k{n}" for n in range(4)]}), key="id", max_rejected=2)
    assert (ended.error, ended.report.succeeded["delete"], ended.report.rejected) == (None, 2, 2)
    assert "protected" in ended.report.errors[0]["message"]
    assert ids(sheet) == ["k1", "k2", "k4", "k5"]


def test_very_many_scattered_rows_are_deleted_in_several_calls(sheet, monkeypatch):
    """The engine halves the batch; every row goes all the same."""
    monkeypatch.setattr(hook_module, "MOST_RANGES", 10)
    sheet.fill(["id"], *([f"k{n}"] for n in range(50)))
    with pytest.raises(BatchRejectedError, match="25 separate ranges") as hit:
        sheet.job("delete", ["id"], key="id").send(keys(*(f"k{n}" for n in range(0, 50, 2))))
    assert hit.value.code == "TOO_LARGE"
    ended = sheet.run("delete", pa.table({"id": [f"k{n}" for n in range(0, 50, 2)]}), key="id")
    assert (ended.error, ended.report.succeeded["delete"]) == (None, 25)
    assert ids(sheet) == [f"k{n}" for n in range(1, 50, 2)]


def test_a_spreadsheet_without_a_cell_to_spare_says_so(sheet, box):
    """The guard is a row: where the limit of cells is reached, nothing is deleted."""
    sheet.fill(["id"], ["a"], ["b"], rows=3, columns=1)
    box.settings("google_sheets", max_cells=26_000 + 3)
    with pytest.raises(FatalError, match=r"cannot get the blank row that deletes need at its end: .*26003 cells"):
        sheet.job("delete", ["id"], key="id").send(keys("a"))
    assert ids(sheet) == ["a", "b"]


def test_a_delete_from_an_empty_tab_finds_nothing(sheet):
    """A person emptied it after the check."""
    sheet.fill(["id"], ["a"])
    job = sheet.job("delete", ["id"], key="id")
    sheet.fill()
    job.hook._seen = None
    job.land(keys("a"))
    assert sheet.writes() == []


def test_keys_that_are_dates_are_found_as_text_and_as_real_dates(sheet):
    """And a number that looks like a date written without dashes is a number."""
    sheet.fill(["day"], [46346], ["2026-11-21"], [20261122], [46348], ["2026-02-30"])
    job = sheet.job("delete", ["day"], key="day")
    job.land(
        [{"day": dt.date(2026, 11, 20)}, {"day": dt.date(2026, 11, 21)}, {"day": "20261122"}, {"day": "2026-02-30"}]
    )
    assert ids(sheet) == [46348]


def test_row_arithmetic_after_a_removal():
    """Rows below move up, frozen ones and the last used one too; removed keys are forgotten."""
    tab = Tab("T", 1, rows=12, frozen=3, keys={"a": [2], "b": [4, 9], "c": [5], "d": [10]}, last_row=11)
    tab.remove([5, 2, 9])
    assert tab.keys == {"b": [3], "d": [7]}
    assert (tab.rows, tab.frozen, tab.last_row, tab.next_row) == (9, 2, 8, 9)
