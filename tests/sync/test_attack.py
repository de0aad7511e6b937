"""What a hostile or unlucky day does to a run: nothing may be lost, doubled, removed by mistake, or left behind."""

from __future__ import annotations

import csv
import datetime as dt
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from toy import Table, Toy, run, settings

from airflow_reverse_etl.errors import (
    ConfigurationError,
    FatalError,
    PatienceSpentError,
    RetryableError,
    UnknownOutcomeError,
)
from airflow_reverse_etl.model import Batch, KeyForm, Limitations, Limits, Rate, RecordOutcome, Status
from airflow_reverse_etl.sync.run import Ended, Sync
from airflow_reverse_etl.warehouse import from_python

ROWS = [{"id": f"k{i}", "name": f"n{i}"} for i in range(30)]
WEIGHT = 100_000


def raising(error: BaseException):
    def fault(batch: Batch) -> None:
        raise error

    return fault


def lost(toy: Toy):
    """Apply the batch, and lose the answer."""

    def fault(batch: Batch) -> None:
        toy.apply(batch)
        message = "the answer was lost"
        raise UnknownOutcomeError(message)

    return fault


def paced(toy: Toy, **capabilities: Any) -> Toy:
    toy.capabilities = replace(Toy.capabilities, **capabilities)
    return toy


def sync(toy: Toy, query: Any, store: Path, limits: Limitations | None = None, **parameters: Any) -> Ended:
    """Run one sync of a query that is more than a table."""
    return Sync(settings(**parameters), query, toy, store, "run", limits or Limitations(), lambda line: None).execute()


# --- rows lost or doubled ---------------------------------------------------------------------------------------------


def test_no_value_of_a_refused_row_can_break_the_count(tmp_path: Path) -> None:
    """The first of January of the year 1 is refused like any other: the totals balance and no create is made twice."""
    toy = Toy()
    toy.refuse = lambda key, record: "BAD" if key == "k0" else None
    rows = pa.table({"id": [f"k{i}" for i in range(400)], "since": pa.array([dt.datetime(1, 1, 1)] * 400)})
    first = run(toy, rows, tmp_path, job_type="create", max_rejected=1)
    assert (first.error, first.report.imbalance(), first.report.rejected) == (None, "", 1)
    second = run(toy, rows, tmp_path, run="2", job_type="create", max_rejected=1)
    assert (second.report.unchanged, set(toy.created.values())) == (399, {1})


def test_a_thread_that_dies_loses_no_outcome_of_the_others(tmp_path: Path) -> None:
    """One call ends in something that is no error at all; what the other threads wrote is counted and remembered."""

    class Death(BaseException):
        pass

    toy = Toy()
    everyone = threading.Barrier(4)
    toy.send = lambda batch: (everyone.wait(10), Toy.send(toy, batch))[1]  # type: ignore[method-assign]
    toy.faults = [raising(Death())]
    ended = run(toy, [{"id": i, "name": "n"} for i in range(400)], tmp_path, job_type="create")
    assert isinstance(ended.error, Death)
    assert ended.report.imbalance() == ""
    assert ended.report.succeeded["create"] == len(toy.created)


def test_a_create_that_waited_for_its_turn_is_not_in_doubt(tmp_path: Path) -> None:
    """Revoked credentials stop threads that wait for the pace: nothing was sent, so nothing is unknown or held."""
    toy = paced(Toy(), call=Limits(5), rate=Rate(1, 1.0), concurrency=4)
    toy.faults = [raising(FatalError("the token was revoked"))]
    ended = run(toy, ROWS, tmp_path, job_type="create")
    assert (ended.report.unknown, ended.report.aborted) == (0, 30)
    paced(toy, call=Limits(30), rate=None)
    again = run(toy, ROWS, tmp_path, run="2", job_type="create")
    assert (again.report.held, again.report.succeeded["create"]) == (0, 30)


def test_a_cleared_record_whose_row_returns_is_not_created_again(tmp_path: Path) -> None:
    """on_missing='clear' leaves the record where it is: only on_missing='delete' makes room for a second create."""
    toy = Toy()
    for number, rows in enumerate((ROWS, ROWS[1:], ROWS[1:], ROWS)):
        ended = run(toy, rows, tmp_path, run=str(number), job_type="create", on_missing="clear")
        assert ended.error is None
    assert toy.created["k0"] == 1
    assert [keys for operation, keys in toy.batches if operation == "update"] == [["k0"]]


def test_an_update_that_may_have_landed_is_never_called_unchanged(tmp_path: Path) -> None:
    """A → B is applied but its answer is lost for good; back at A the row is sent, because the application has B."""
    toy = Toy()
    run(toy, [{"id": 1, "v": "A"}], tmp_path)
    toy.faults = [lost(toy), raising(PatienceSpentError("the quota is spent"))]
    run(toy, [{"id": 1, "v": "B"}], tmp_path, run="2")
    assert run(toy, [{"id": 1, "v": "A"}], tmp_path, run="3").error is None
    assert toy.records["1"]["v"] == "A"


def test_a_removal_that_may_have_landed_is_never_called_unchanged(tmp_path: Path) -> None:
    """A delete is applied but its answer is lost for good; when the row comes back, so does the record."""
    toy = Toy()
    run(toy, ROWS[:5], tmp_path)
    toy.faults = [lost(toy), raising(PatienceSpentError("the quota is spent"))]
    run(toy, ROWS[:4], tmp_path, run="2", on_missing="delete")
    run(toy, ROWS[:5], tmp_path, run="3", on_missing="delete")
    assert set(toy.records) == {"k0", "k1", "k2", "k3", "k4"}


# --- removed by mistake -----------------------------------------------------------------------------------------------


def test_another_way_to_compare_keys_removes_nothing_that_is_in_the_query(tmp_path: Path) -> None:
    """An admin makes the key's field ignore case: the state's keys are compared in the new way too."""
    toy = Toy()
    rows = [{"id": "ABC", "name": "x"}, {"id": "DEF", "name": "y"}]
    run(toy, rows, tmp_path)
    toy.key_form = KeyForm(fold=True)
    ended = run(toy, rows, tmp_path, run="2", on_missing="delete")
    assert (ended.report.missing, set(toy.records)) == (0, {"ABC", "DEF"})


def test_a_key_that_cannot_be_read_stops_removals_as_an_empty_one_does(tmp_path: Path) -> None:
    """A row whose key is 0.5 could be any record: nothing is removed in that run."""
    toy = Toy()
    for number, first in enumerate((0, 0.5)):
        rows = [{"id": first if i == 0 else i, "v": "x"} for i in range(5)]
        ended = sync(
            toy, lambda rows=rows: nullcontext(from_python(rows)), tmp_path, on_missing="delete", max_rejected=number
        )
        assert ended.error is None
    assert (ended.report.missing, len(toy.records)) == (0, 5)


# --- matching ---------------------------------------------------------------------------------------------------------


def test_positional_matching_guards_the_key_s_column_too(tmp_path: Path) -> None:
    """Where columns are matched by position, a first column of another name is another key, and an error."""
    toy = Toy(key_is_written=False)
    where = {"fields": ["aps__c"], "key": None, "job_type": "update", "max_rejected": "100%"}
    run(toy, [{"ACCOUNT_ID": 1, "APS": 5}], tmp_path, **where)
    ended = run(toy, [{"PARENT_ID": 1, "APS": 5}], tmp_path, run="2", **where)
    assert isinstance(ended.error, ConfigurationError)
    assert "PARENT_ID" in str(ended.error)


def test_a_listed_key_and_another_key_column_contradict_each_other(tmp_path: Path) -> None:
    """fields=['id'] says that `id` comes from the column `id`, key_column='old' says otherwise: nothing is guessed."""
    toy = Toy()
    ended = run(toy, [{"old": "a", "id": "b", "name": "n"}], tmp_path, fields=["id", "name"], key_column="old")
    assert isinstance(ended.error, ConfigurationError)
    assert toy.records == {}


# --- limits and waits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "bad"), [("29%", 29), ("57%", 57), (0.58, 58), ("7%", 7)])
def test_a_share_of_rows_is_exact(tmp_path: Path, share: object, bad: int) -> None:
    """29 % of 100 rows are 29 rows, whatever binary fractions make of 0.29 * 100."""
    toy = Toy()
    toy.refuse = lambda key, record: "BAD" if int(key) < bad else None
    rows = [{"id": i, "name": "n"} for i in range(100)]
    assert run(toy, rows, tmp_path / "a", max_rejected=share).error is None
    toy.refuse = lambda key, record: None
    run(toy, rows, tmp_path / "b")
    assert run(toy, rows[bad:], tmp_path / "b", run="2", on_missing="delete", max_missing=share).error is None


def test_retry_after_zero_is_no_invitation_to_hammer(tmp_path: Path) -> None:
    """An application that says "again, at once" and means "never" is asked a few times a second, not thousands."""
    toy = Toy()
    toy.faults = [raising(RetryableError("busy", retry_after=0.0))] * 100_000
    assert isinstance(run(toy, ROWS, tmp_path, max_wait=1).error, RetryableError)
    assert toy.calls < 100


def test_calls_that_were_put_off_do_not_use_up_a_record_s_attempts(tmp_path: Path) -> None:
    """Eight refused calls and then one lock: the record is sent again, and lands."""

    def locked(batch: Batch) -> list[RecordOutcome]:
        return [RecordOutcome(key, Status.RETRYABLE, None, "LOCKED", "locked") for key in batch.keys]

    toy = Toy()
    toy.faults = [*[raising(RetryableError("busy", retry_after=0.2))] * 8, locked]
    ended = run(toy, ROWS[:1], tmp_path)
    assert (ended.error, len(toy.records)) == (None, 1)


# --- large, wide, odd -------------------------------------------------------------------------------------------------


class Heavy:
    """A thousand rows that weigh 100 kB each."""

    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for start in range(0, 1000, 50):
            ids = range(start, start + 50)
            yield pa.record_batch([pa.array(ids), pa.array([str(i).rjust(WEIGHT, "x") for i in ids])], self.schema)


def test_long_texts_fit_through_the_stage(tmp_path: Path) -> None:
    """A thousand texts of 100 kB pass through a stage with the memory that it has by default."""
    toy = paced(Toy(), concurrency=1)
    toy.apply = lambda batch: [RecordOutcome(key, Status.SUCCEEDED) for key in batch.keys]  # type: ignore[method-assign]
    ended = sync(toy, lambda: nullcontext(Heavy()), tmp_path)
    assert (ended.error, ended.report.succeeded["upsert"]) == (None, 1000)


def test_rows_that_were_refused_read_like_the_query(tmp_path: Path) -> None:
    """rejected.csv is for a person: values of SQLite and Python, and dates of any warehouse, bear no mark of ours."""
    toy = Toy()
    toy.refuse = lambda key, record: "BAD"
    row = {"id": "k1", "name": "O'Brien", "n": 1.5, "day": dt.date(2026, 1, 2), "when": dt.datetime(2026, 1, 2, 3, 4)}
    sync(toy, lambda: nullcontext(from_python([row])), tmp_path)
    with next(tmp_path.rglob("rejected.csv")).open(encoding="utf-8") as file:
        written = next(csv.DictReader(file))
    assert (written["name"], written["n"], written["day"]) == ("O'Brien", "1.5", "2026-01-02")
    assert written["when"].replace("T", " ").startswith("2026-01-02 03:04")


def test_instants_are_written_down_without_pytz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB needs pytz to turn an instant into Python; we do not depend on it, and a refused row must not."""
    monkeypatch.setitem(sys.modules, "pytz", None)
    toy = Toy()
    toy.refuse = lambda key, record: "BAD" if key == "1" else None
    rows = pa.table({"id": [1, 2], "when": pa.array([0, 1], pa.timestamp("us", "UTC"))})
    assert run(toy, rows, tmp_path, max_rejected=1).error is None
    assert list(tmp_path.rglob("report.json"))


def test_batches_of_a_run_have_numbers_of_their_own(tmp_path: Path) -> None:
    """A removal's batch is not called by the number of an upsert's."""
    toy = Toy()
    run(toy, ROWS, tmp_path)
    run(toy, [*ROWS[2:], {"id": "new", "name": "n"}], tmp_path, run="2", on_missing="delete")
    outcomes = pq.read_table(next((tmp_path / "dag.task" / "runs" / "2").rglob("outcomes.parquet"))).to_pylist()
    numbers = {
        operation: {o["batch"] for o in outcomes if o["operation"] == operation} for operation in ("upsert", "delete")
    }
    assert not numbers["upsert"] & numbers["delete"]


# --- out of sight, out of the way -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "job_type"),
    [
        (UnknownOutcomeError("lost near 'secret-3'"), "create"),
        (PatienceSpentError("quota spent near 'secret-3'"), "upsert"),
        (FatalError("refused near 'secret-3'"), "upsert"),
        (ValueError("cannot encode 'secret-3'"), "upsert"),
    ],
)
def test_words_about_a_whole_call_hold_no_value_either(tmp_path: Path, error: Exception, job_type: str) -> None:
    """A message that ends a call is shown for each record, and in the task's own error: without their values."""
    toy = Toy()
    toy.faults = [raising(error)] * 9
    rows = [{"id": f"k{i}", "name": f"secret-{i}"} for i in range(5)]
    ended = run(toy, rows, tmp_path, job_type=job_type)
    assert "secret" not in str(ended.report.as_dict())
    assert "secret" not in str(ended.error)


def test_the_warehouse_is_let_go_before_the_first_record_is_sent(tmp_path: Path) -> None:
    """A delivery may take hours: no transaction, lock or warehouse slot is held meanwhile."""
    opened: list[str] = []

    @contextmanager
    def query() -> Iterator[Table]:
        opened.append("query")
        yield Table(pa.Table.from_pylist(ROWS))
        opened.clear()

    toy = Toy()
    held: list[list[str]] = []
    toy.faults = [lambda batch: held.append(list(opened))]
    assert sync(toy, query, tmp_path).error is None
    assert held == [[]]


def test_a_stage_that_cannot_be_opened_leaves_nothing_and_names_the_setting(tmp_path: Path) -> None:
    """A wrong `stage_memory` is a configuration error, and its folder is removed."""
    limits = Limitations(stage_path=str(tmp_path / "stage"), stage_memory="lots")
    ended = sync(Toy(), lambda: nullcontext(Table(pa.Table.from_pylist(ROWS))), tmp_path / "store", limits)
    assert isinstance(ended.error, ConfigurationError)
    assert "stage_memory" in str(ended.error)
    assert list((tmp_path / "stage").iterdir()) == []
