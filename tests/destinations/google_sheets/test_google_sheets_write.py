"""Updates and upserts: rows are found by their key, and nothing else in the spreadsheet is touched."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from airflow_reverse_etl.destinations.google_sheets import view
from airflow_reverse_etl.errors import BatchRejectedError, ConfigurationError, FatalError, RetryableError

TAB = "Ann's scores"
DATE = {"type": "DATE", "pattern": "dd.mm.yyyy"}


def test_an_update_writes_the_mapped_cells_and_no_others(sheet):
    """Columns of people beside and between ours, formulas, blank rows, formats and other tabs stay as they are."""
    sheet.fill(
        [None, "id", "note", "name", None, "score", "sum"],
        ["x", "a", "mine", "old", "w", 1, "=F2*2"],
        [],
        ["x", "b", "=1+1", "old", "w", 2, "=F4*2"],
        ["x", "c", "mine", "old", "w", 3, "=F5*2"],
    )
    sheet.fake._tab(TAB, None).formats.change(
        sheet.fake._tab(TAB, None).whole, lambda _: {"textFormat": {"bold": True}}
    )
    other = sheet.cells("Sheet1")
    job = sheet.job("update", ["id", "score", "name"], key="id")
    job.land([{"id": "c", "name": "C", "score": 30}, {"id": "a", "name": "A", "score": 10}])
    assert sheet.cells() == [
        [None, "id", "note", "name", None, "score", "sum"],
        ["x", "a", "mine", "A", "w", 10, "Loading..."],
        [],
        ["x", "b", 2, "old", "w", 2, "Loading..."],
        ["x", "c", "mine", "C", "w", 30, "Loading..."],
    ]
    assert sheet.fake.look(TAB, "D2") == {"textFormat": {"bold": True}}
    assert sheet.cells("Sheet1") == other
    assert len(sheet.writes()) == 1


def test_an_upsert_changes_what_is_there_and_adds_the_rest_below(sheet):
    """The key of a row that is there is not written again: a person may have made it look otherwise."""
    sheet.fill(["id", "name"], [7, "old"], ["b", "old"])
    job = sheet.job("upsert", ["id", "name"])
    job.land([{"id": "7", "name": "seven"}, {"id": "c", "name": "new"}, {"id": "d", "name": "new"}])
    assert sheet.cells() == [["id", "name"], [7, "seven"], ["b", "old"], ["c", "new"], ["d", "new"]]
    assert [part["range"] for part in sheet.sent()["data"]] == ["'Ann''s scores'!B2:B2", "'Ann''s scores'!A4:B5"]


def test_many_rows_are_one_call(sheet):
    """Rows of one batch travel together, scattered or not; neighbours share a range."""
    sheet.fill(["id", "a", "b"], *([n, 0, 0] for n in range(1, 301)))
    job = sheet.job("update", ["id", "a", "b"], key="id")
    job.land([{"id": n, "a": n, "b": n} for n in (5, 1, 2, 3, 300, 100)])
    assert len(sheet.writes()) == 1
    assert [part["range"].partition("!")[2] for part in sheet.sent()["data"]] == [
        "B2:C4",
        "B6:C6",
        "B101:C101",
        "B301:C301",
    ]
    assert [row for row in sheet.cells()[1:] if row[1]] == [[n, n, n] for n in (1, 2, 3, 5, 100, 300)]


def test_small_gaps_between_columns_are_bridged_and_wide_ones_are_not(sheet):
    """What lies between stays: a bridged cell is left alone."""
    sheet.fill(["id", "a", None, "b", *[None] * 5, "c"], ["1", 0, "x", 0, "y", "y", "y", "y", "y", 0])
    sheet.job("update", ["id", "a", "b", "c"], key="id").land([{"id": "1", "a": 1, "b": 2, "c": 3}])
    assert sheet.sent()["data"] == [
        {"range": "'Ann''s scores'!B2:D2", "values": [[1, None, 2]]},
        {"range": "'Ann''s scores'!J2:J2", "values": [[3]]},
    ]
    assert sheet.cells()[1] == ["1", 1, "x", 2, "y", "y", "y", "y", "y", 3]


def test_an_update_without_a_row_is_not_found(sheet):
    """The others are written; no row is made."""
    sheet.fill(["id", "name"], ["a", "old"])
    job = sheet.job("update", ["id", "name"], key="id")
    assert job.codes([{"id": "zz", "name": "x"}, {"id": "a", "name": "new"}]) == {"zz": "NOT_FOUND", "a": ""}
    assert sheet.cells() == [["id", "name"], ["a", "new"]]
    assert job.codes([{"id": "zz", "name": "x"}]) == {"zz": "NOT_FOUND"}
    assert len(sheet.writes()) == 1


@pytest.mark.parametrize("job", ["update", "upsert", "create"])
def test_a_key_in_several_rows_is_ambiguous(sheet, job):
    """The message says where; none of the rows is written."""
    rows = [["id", "name"], *(["a", n] for n in range(6)), ["b", "old"]]
    sheet.fill(*rows)
    outcome, _ = sheet.job(job, ["id", "name"]).send([{"id": "a", "name": "x"}, {"id": "zz", "name": "x"}])
    assert outcome.code == "AMBIGUOUS_KEY"
    assert outcome.message == "the key stands in 6 rows of the tab (2, 3, 4, 5, 6, ...): make it unique there"
    assert sheet.cells()[: len(rows)] == rows


def test_null_empties_a_cell_and_skip_leaves_it_alone(sheet):
    """'' empties it, too; a row of nothing but skipped values is not written at all."""
    sheet.fill(["id", "a", "b", "c"], ["1", "x", "x", "x"], ["2", "x", "x", "x"])
    job = sheet.job("upsert", ["id", "a", "b", "c"])
    rows = [{"id": "1", "a": None, "b": "", "c": None}, {"id": "2", "a": "y", "b": "y", "c": "y"}]
    job.land(rows, {"a": pa.string()}, skip=["c"])
    assert sheet.cells()[1:] == [["1", None, None, "x"], ["2", "y", "y", "y"]]
    before = len(sheet.calls())
    job.land([{"id": "1", "c": None}], {"c": pa.string()}, skip=["c"])
    assert len(sheet.calls()) == before
    job.land([{"id": "3", "c": None}], {"c": pa.string()}, skip=["c"])
    assert sheet.cells()[3] == ["3"]


def test_an_upsert_of_keys_alone_makes_rows(sheet):
    """And does nothing to rows that are there."""
    sheet.fill(["id", "name"], ["a", "x"])
    job = sheet.job("upsert", ["id"])
    job.land([{"id": "a"}])
    assert sheet.writes() == []
    job.land([{"id": "a"}, {"id": "b"}])
    assert sheet.cells() == [["id", "name"], ["a", "x"], ["b"]]


def test_new_fields_become_columns_right_of_everything(sheet):
    """Also right of a column that a person keeps without a header; the grid grows; the header is text."""
    sheet.fill(["id", "name"], ["a", "x", None, "a person's"], columns=4, rows=3)
    job = sheet.job("upsert", ["id", "name", "=1+1", "score "])
    job.land([{"id": "a", "name": "y", "=1+1": "f", "score ": 7}])
    assert sheet.cells() == [["id", "name", None, None, "=1+1", "score"], ["a", "y", None, "a person's", "f", 7]]
    assert sheet.grid() == (3, 6)
    job.land([{"id": "a", "name": "z", "=1+1": "g", "score ": 8}])
    assert sheet.cells()[1] == ["a", "z", None, "a person's", "g", 8]
    assert len([call for call in sheet.writes() if call.endswith("/:batchUpdate") or call == "POST :batchUpdate"]) == 1


def test_an_empty_tab_gets_key_and_fields_as_its_header(sheet):
    """In the order of the task: the key first."""
    sheet.fill(columns=2, rows=1)
    sheet.job("upsert", ["name", "id", "score"], key="id").land([{"id": "a", "name": "x", "score": 1}])
    assert sheet.cells() == [["id", "name", "score"], ["a", "x", 1]]
    assert sheet.grid() == (2, 3)


def test_a_tab_may_be_wide(sheet):
    """Beyond column ZZ, and beyond the grid."""
    names = [f"f{n}" for n in range(800)]
    sheet.fill(["id", *names[:700]], columns=701)
    sheet.job("upsert", ["id", *names]).land([{"id": "a", **dict.fromkeys(names, 1)}])
    assert sheet.cells() == [["id", *names], ["a", *[1] * 800]]
    assert sheet.sent()["data"][0]["range"].endswith("!A2:ADU2")


def test_the_index_is_kept_from_batch_to_batch(sheet):
    """Rows that one batch added are found by the next, without another look."""
    sheet.fill(["id", "name"], ["a", "x"])
    job = sheet.job("upsert", ["id", "name"])
    job.land([{"id": "b", "name": "1"}, {"id": "c", "name": "1"}])
    job.land([{"id": "c", "name": "2"}, {"id": "d", "name": "2"}])
    assert sheet.cells() == [["id", "name"], ["a", "x"], ["b", "1"], ["c", "2"], ["d", "2"]]
    assert len([call for call in sheet.calls() if "A2:A" in call]) == 1


def test_rows_that_a_person_inserts_between_batches_are_noticed(sheet, monkeypatch):
    """After some seconds the end of the tab is looked at: it has moved, so the keys are read again."""
    sheet.fill(["id", "name"], ["a", "x"], ["b", "x"])
    job = sheet.job("update", ["id", "name"], key="id")
    job.land([{"id": "a", "name": "1"}])
    monkeypatch.setattr(view, "FRESH_SECONDS", 0.0)
    tab = sheet.fake._tab(TAB, None)
    tab.insert("ROWS", 1, 1, None)
    job.land([{"id": "b", "name": "2"}])
    assert sheet.cells() == [["id", "name"], [], ["a", "1"], ["b", "2"]]
    reads = len(sheet.calls())
    job.land([{"id": "b", "name": "3"}])
    assert sheet.calls()[reads:] == ["GET /values/'Ann''s scores'!A4:Z", "POST /values:batchUpdate"]
    assert sheet.cells()[3] == ["b", "3"]


def test_a_sort_is_noticed_after_half_a_minute(sheet, monkeypatch):
    """The end of the tab has not moved, but by then the keys are read again in any case, and the header with them."""
    sheet.fill(["id", "name"], ["a", "x"], ["b", "x"])
    job = sheet.job("update", ["id", "name"], key="id")
    job.land([{"id": "a", "name": "1"}])
    monkeypatch.setattr(view, "STALE_SECONDS", 0.0)
    sheet.put("A1", ["name", "id"], ["x", "b"], ["1", "a"])
    job.land([{"id": "b", "name": "2"}])
    assert sheet.cells() == [["name", "id"], ["2", "b"], ["1", "a"]]


def test_a_tab_that_was_checked_long_ago_is_looked_at_again(sheet, monkeypatch):
    """Staging a long query takes minutes: header and grid are read anew before the first write."""
    sheet.fill(["id", "name"], ["a", "x"])
    job = sheet.job("update", ["id", "name"], key="id")
    sheet.put("A1", ["name", "id"], ["x", "a"])
    monkeypatch.setattr(view, "STALE_SECONDS", 0.0)
    job.land([{"id": "a", "name": "1"}])
    assert sheet.cells() == [["name", "id"], ["1", "a"]]


@pytest.mark.parametrize("changed", ["key", "name", "Id"])
def test_a_header_that_is_renamed_meanwhile_stops_the_run(sheet, monkeypatch, changed):
    """Going on would make every row anew, or a second column; also when a second column of that name appears."""
    sheet.fill(["id", "name"], ["a", "x"])
    job = sheet.job("upsert", ["id", "name"])
    job.land([{"id": "a", "name": "1"}])
    monkeypatch.setattr(view, "STALE_SECONDS", 0.0)
    sheet.put("A1", {"key": ["key", "name"], "name": ["id", "title"], "Id": ["id", "name", "id"]}[changed])
    with pytest.raises(FatalError, match=r"header of the tab .* was changed meanwhile") as hit:
        job.send([{"id": "a", "name": "2"}, {"id": "b", "name": "2"}])
    assert hit.value.code == "HEADER_CHANGED"
    assert len(sheet.writes()) == 1


def test_a_tab_that_is_renamed_meanwhile_stops_the_run(sheet, monkeypatch):
    """Even where a missing tab may be made: half of the rows would be in one, half in the other."""
    sheet.fill(["id", "name"], ["a", "x"])
    job = sheet.job("upsert", ["id", "name"], create_tab=True)
    job.land([{"id": "a", "name": "1"}])
    monkeypatch.setattr(view, "STALE_SECONDS", 0.0)
    sheet.fake._tab(TAB, None).title = "Other"
    with pytest.raises(ConfigurationError, match="has no tab"):
        job.send([{"id": "a", "name": "2"}])


def test_a_grid_that_shrank_meanwhile_is_looked_at_again(sheet):
    """Google refuses the range; the same batch goes again after another look, and is not halved."""
    sheet.fill(["id", "name"], *([f"k{n}", "x"] for n in range(9)), rows=10)
    job = sheet.job("update", ["id", "name"], key="id")
    job.land([{"id": "k0", "name": "1"}])
    tab = sheet.fake._tab(TAB, None)
    tab.delete("ROWS", 1, 5)
    with pytest.raises(RetryableError) as hit:
        job.send([{"id": "k8", "name": "2"}, {"id": "k0", "name": "2"}])
    assert hit.value.retry_after == 0
    assert job.codes([{"id": "k8", "name": "2"}, {"id": "k0", "name": "2"}]) == {"k8": "", "k0": "NOT_FOUND"}
    assert sheet.cells()[-1] == ["k8", "2"]


def test_a_tab_that_is_deleted_meanwhile_stops_the_run(sheet):
    """The refusal makes us look, and then there is no such tab."""
    sheet.fill(["id", "name"], ["a", "x"])
    job = sheet.job("update", ["id", "name"], key="id")
    job.land([{"id": "a", "name": "1"}])
    sheet.fake._tab(TAB, None).title = "Gone"
    with pytest.raises(RetryableError, match="Unable to parse range"):
        job.send([{"id": "a", "name": "2"}])
    with pytest.raises(ConfigurationError, match="has no tab"):
        job.send([{"id": "a", "name": "2"}])


@pytest.mark.parametrize("mode", ["drop_after_commit", "drop_before"])
def test_an_upsert_whose_answer_was_lost_is_sent_again_without_doubling(sheet, box, mode):
    """The engine repeats it, and the hook looks where the rows are before it writes."""
    sheet.fill(["id", "name"], ["b", "old"], rows=2)
    for path in (":batchUpdate$", "values:batchUpdate$"):
        box.faults("google_sheets", mode, path=path, nth=1)
    table = pa.table({"id": ["a", "b", "c"], "name": ["1", "2", "3"]})
    ended = sheet.run("upsert", table)
    assert (ended.error, ended.report.succeeded["upsert"]) == (None, 3)
    assert sheet.cells() == [["id", "name"], ["b", "2"], ["a", "1"], ["c", "3"]]
    assert box.faults("google_sheets") == []


def test_a_batch_that_is_too_large_is_refused_before_anything_is_written(sheet):
    """The engine halves it; a single record that is too large stands alone."""
    names = [f"f{n}" for n in range(45)]
    sheet.fill(["id", *names], columns=50)
    job = sheet.job("upsert", ["id", *names])
    large = dict.fromkeys(names, "x" * 49_000)
    with pytest.raises(BatchRejectedError, match="bytes are more than the 2,000,000") as hit:
        job.send([{"id": "a", **large}, {"id": "b", **dict.fromkeys(names, "")}])
    assert hit.value.code == "TOO_LARGE"
    assert job.codes([{"id": "a", **large}]) == {"a": "TOO_LARGE"}
    assert sheet.writes() == []
    fresh = sheet.job("upsert", ["id", *names])
    before = len(sheet.calls())
    with pytest.raises(BatchRejectedError, match="bytes are more than"):
        fresh.send([{"id": key, **large} for key in "abcdef"])
    assert len(sheet.calls()) == before  # it is not even made to Python objects
    ended = sheet.run(
        "upsert", pa.table({"id": ["a", "b"], **{name: ["x" * 49_000, "y"] for name in names}}), max_rejected=1
    )
    assert (ended.error, ended.report.rejected, ended.report.succeeded["upsert"]) == (None, 1, 1)
    assert ended.report.errors[0]["code"] == "TOO_LARGE"
    assert [row[0] for row in sheet.cells()] == ["id", "b"]


def test_dates_in_a_column_of_dates_keep_the_format_that_people_chose(sheet):
    """A look at the column is enough; nothing is formatted."""
    sheet.fill(["id", "day"], ["a", 40_000], ["b", 40_000])
    sheet.dress("B2:B1000", DATE)
    sheet.job("update", ["id", "day"], key="id").land([{"id": "b", "day": dt.date(2026, 11, 20)}])
    assert sheet.cells()[2] == ["b", 46346]
    assert sheet.fake.look(TAB, "B3") == {"numberFormat": DATE}
    assert sheet.writes() == ["POST /values:batchUpdate"]


def test_an_update_with_dates_formats_the_rows_that_are_there(sheet):
    """A column of numbers becomes one of dates, down to the last row, its header left alone; once in a run."""
    sheet.fill(["id", "day", "at", "clock"], *([str(n), 1, 1, 1] for n in range(3)))
    job = sheet.job("update", ["id", "day", "at", "clock"], key="id")
    row = {"day": dt.date(2026, 11, 20), "at": dt.datetime(2026, 11, 20, 6), "clock": dt.time(18)}
    job.land([{"id": "1", **row}])
    job.land([{"id": "2", **row}])
    assert [sheet.fake.look(TAB, f"{column}3")["numberFormat"] for column in "BCD"] == [
        {"type": "DATE", "pattern": "yyyy-mm-dd"},
        {"type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm:ss"},
        {"type": "TIME", "pattern": "hh:mm:ss"},
    ]
    assert [sheet.fake.look(TAB, cell) for cell in ("B1", "B5", "A3")] == [{}, {}, {}]
    assert sheet.writes() == ["POST :batchUpdate", "POST /values:batchUpdate", "POST /values:batchUpdate"]
    assert len([call for call in sheet.calls() if call == "GET "]) == 2
