"""A whole run against an application in memory: what is sent, what is remembered, and how it ends."""

from __future__ import annotations

import json
import stat
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from toy import Toy, poison, run

from airflow_reverse_etl.errors import (
    ConfigurationError,
    FatalError,
    PatienceSpentError,
    RetryableError,
    UnknownOutcomeError,
)
from airflow_reverse_etl.model import Batch, KeyForm, RecordOutcome, Status, succeeded

ROWS = [{"id": i, "name": f"n{i}", "score": i / 2} for i in range(250)]


def raising(error: Exception):
    def fault(batch: Batch) -> None:
        raise error

    return fault


def files(store: Path, name: str) -> list[Path]:
    return sorted(store.rglob(name))


def test_every_row_lands_and_an_unchanged_second_run_makes_no_call(tmp_path: Path) -> None:
    """The application holds exactly the query, and what did not change is not sent again."""
    toy = Toy()
    first = run(toy, ROWS, tmp_path)
    assert first.error is None
    assert first.report.succeeded["upsert"] == first.report.rows == 250
    assert {int(key): record["name"] for key, record in toy.records.items()} == {r["id"]: r["name"] for r in ROWS}
    calls = toy.calls
    second = run(toy, ROWS, tmp_path, run="run-2")
    assert (second.report.unchanged, toy.calls) == (250, calls)
    assert second.error is None


def test_only_rows_that_changed_are_sent(tmp_path: Path) -> None:
    """One changed and one new row are one batch of two records."""
    toy = Toy()
    run(toy, ROWS, tmp_path)
    toy.batches.clear()
    changed = [*ROWS[:-1], {**ROWS[-1], "name": "other"}, {"id": 900, "name": "new", "score": 1.0}]
    assert run(toy, changed, tmp_path, run="2").report.planned["upsert"] == 2
    assert toy.batches == [("upsert", ["249", "900"])]


def test_a_change_in_an_unmapped_column_sends_nothing(tmp_path: Path) -> None:
    """Only mapped fields make a row different."""
    toy = Toy()
    run(toy, ROWS, tmp_path, fields=["name"])
    other = [{**row, "score": -1.0} for row in ROWS]
    assert run(toy, other, tmp_path, run="2", fields=["name"]).report.unchanged == 250


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (pa.array([1, 2]), pa.array([1.0, 2.0])),
        (pa.array([Decimal("1.00"), Decimal("2.50")]), pa.array([1.0, 2.5])),
        (pa.array([Decimal("1.00")]), pa.array([Decimal("1.0000")])),
        (pa.array([0.0000001]), pa.array([Decimal("0.00000010")])),
        (pa.array([1e300, -0.0]), pa.array([1e300, 0.0])),
        (pa.array([0], pa.timestamp("us", "UTC")), pa.array([0], pa.timestamp("ms", "Europe/Berlin"))),
        (pa.array([0], pa.timestamp("us")), pa.array([0], pa.timestamp("us", "UTC"))),
    ],
)
def test_a_changed_representation_is_no_change(tmp_path: Path, before: pa.Array, after: pa.Array) -> None:
    """The same value in another type, scale or zone is the same value."""
    toy = Toy()
    for name, values in (("1", before), ("2", after)):
        ended = run(toy, pa.table({"id": pa.array(range(len(values))), "value": values}), tmp_path, run=name)
        assert ended.error is None
    assert ended.report.unchanged == len(after)


def test_null_empty_and_absent_are_three_different_things(tmp_path: Path) -> None:
    """NULL clears, '' is a value, and nulls='skip' leaves the field out of the record."""
    toy = Toy()
    run(toy, [{"id": 1, "a": "x", "b": "x"}], tmp_path)
    rows = pa.table({"id": [1], "a": pa.array([None], pa.string()), "b": pa.array([None], pa.string())})
    fields = {"a": "a", "b": {"column": "b", "nulls": "skip"}}
    run(toy, rows, tmp_path, run="2", fields=fields)
    assert toy.records["1"] == {"id": 1, "a": None, "b": "x"}
    run(toy, [{"id": 1, "a": "", "b": "x"}], tmp_path, run="3", fields=fields)
    assert toy.records["1"]["a"] == ""


def test_rows_that_share_a_key_or_have_none_are_not_guessed_about(tmp_path: Path) -> None:
    """None of the rows that share a key is sent, nor one without a key; the others land, and the task fails."""
    toy = Toy(key_form=KeyForm(trim=True, fold=True))
    keys = ["Ann@x.com", "ann@x.com ", "bob@x.com", None, "", "  "]
    ended = run(toy, [{"id": key, "name": "n"} for key in keys], tmp_path)
    assert set(toy.records) == {"bob@x.com"}
    assert ended.report.invalid == 5
    assert isinstance(ended.error, FatalError)
    assert {(e["code"], e["count"]) for e in ended.report.errors} == {("DUPLICATE_KEY", 2), ("EMPTY_KEY", 3)}


@pytest.mark.parametrize(
    ("form", "keys", "sent"),
    [
        (KeyForm(prefix=15), ["001000000000001AAA", "001000000000001", "001000000000002AAA"], 1),
        (KeyForm(prefix=15), ["00100000000000aAAA", "00100000000000AAAA"], 2),
        (KeyForm(), ["7", "007", "7.0"], 3),
        (KeyForm(number=True), ["7", "007", "7.0"], 0),
    ],
)
def test_keys_are_one_where_the_application_sees_one(tmp_path: Path, form: KeyForm, keys: list[str], sent: int) -> None:
    """Whether two texts are one record is the application's rule, not ours."""
    toy = Toy(key_form=form)
    run(toy, [{"id": key, "name": "n"} for key in keys], tmp_path)
    assert len(toy.records) == sent


def test_integral_decimals_and_integers_are_one_key(tmp_path: Path) -> None:
    """A key that was 1 and becomes 1.00 is still that record."""
    toy = Toy()
    run(toy, pa.table({"id": [1], "a": ["x"]}), tmp_path)
    ended = run(toy, pa.table({"id": pa.array([Decimal("1.00")]), "a": ["x"]}), tmp_path, run="2")
    assert ended.report.unchanged == 1


def test_a_float_is_refused_as_a_key_with_a_way_out(tmp_path: Path) -> None:
    """A column type that has no single spelling cannot hold keys; the message says to cast it."""
    ended = run(Toy(), pa.table({"id": [1.5], "a": ["x"]}), tmp_path)
    assert isinstance(ended.error, ConfigurationError)
    assert "cast(id as varchar)" in str(ended.error)


def test_unreadable_values_make_only_their_row_invalid(tmp_path: Path) -> None:
    """NaN and infinity are never sent, never zero, and never lost from the totals."""
    toy = Toy()
    rows = pa.table({"id": [1, 2, 3], "score": [float("nan"), float("inf"), 1.0]})
    ended = run(toy, rows, tmp_path)
    assert set(toy.records) == {"3"}
    assert ended.report.errors[0] | {"message": ""} == {
        "code": "CANNOT_READ",
        "fields": ["score"],
        "message": "",
        "count": 2,
    }


def test_a_bad_row_is_named_and_tried_again_until_it_lands(tmp_path: Path) -> None:
    """The others land, the bad one is refused in the application's words, and goes out again next run."""
    toy = Toy()
    toy.refuse = lambda key, record: "BAD" if key == "3" else None
    ended = run(toy, ROWS[:10], tmp_path)
    assert (ended.report.rejected, len(toy.records)) == (1, 9)
    assert isinstance(ended.error, FatalError)
    assert "max_rejected" in str(ended.error)
    toy.refuse = lambda key, record: None
    toy.batches.clear()
    assert run(toy, ROWS[:10], tmp_path, run="2").error is None
    assert toy.batches == [("upsert", ["3"])]


@pytest.mark.parametrize(
    ("limit", "fails"), [(0, True), ("1", True), (2, False), ("20%", False), (0.1, True), (1.0, False), (1, True)]
)
def test_max_rejected_decides_whether_refusals_fail_the_task(tmp_path: Path, limit: object, fails: bool) -> None:
    """Two of ten rows are refused: rows, shares and percent are told apart."""
    toy = Toy()
    toy.refuse = lambda key, record: "BAD" if key in "34" else None
    assert bool(run(toy, ROWS[:10], tmp_path, max_rejected=limit).error) is fails


def test_a_run_in_which_nothing_is_accepted_is_red(tmp_path: Path) -> None:
    """A green task that did nothing is the worst; only max_rejected=100% allows it."""
    toy = Toy()
    toy.refuse = lambda key, record: "BAD"
    assert isinstance(run(toy, ROWS[:10], tmp_path, max_rejected=10).error, FatalError)
    assert run(toy, ROWS[:10], tmp_path, run="2", max_rejected="100%").error is None


def test_values_are_taken_out_of_the_words_of_the_application(tmp_path: Path) -> None:
    """The report groups by message and holds no value; the run's files hold the application's words in full."""
    toy = Toy()
    toy.refuse = lambda key, record: "BAD"
    rows = [{"id": f"key-{i}", "name": f"secret-{i}", "score": i} for i in range(5)]
    ended = run(toy, rows, tmp_path, max_rejected="100%")
    text = json.dumps(ended.report.as_dict())
    assert "secret" not in text
    assert "key-" not in text
    assert ended.report.errors[0]["count"] == 5
    outcomes = pq.read_table(files(tmp_path, "outcomes.parquet")[0]).to_pylist()
    assert "secret-0" in outcomes[0]["message"]


def test_a_batch_refused_without_a_culprit_is_halved_until_it_stands_alone(tmp_path: Path) -> None:
    """One poisoned record among a hundred costs about 2 log2(100) calls, and the other 99 land."""
    toy = Toy()
    toy.faults = [poison("42")] * 100
    ended = run(toy, ROWS[:100], tmp_path, max_rejected=1)
    assert (len(toy.records), ended.report.rejected, ended.error) == (99, 1, None)
    assert ended.report.errors[0]["code"] == "POISON"
    assert toy.calls <= 1 + 2 * 7


def test_what_is_surely_not_applied_is_sent_again(tmp_path: Path) -> None:
    """A call that the application put off is repeated, and counted."""
    toy = Toy()
    toy.faults = [raising(RetryableError("wait", retry_after=0.01))] * 3
    ended = run(toy, ROWS[:10], tmp_path)
    assert (len(toy.records), toy.calls, ended.report.calls, ended.error) == (10, 4, 4, None)


def test_records_that_failed_in_passing_are_sent_again_alone(tmp_path: Path) -> None:
    """A lock on one record costs one more small batch, not the whole one."""

    def locked(batch: Batch) -> list[RecordOutcome]:
        rest = Toy.apply(toy, batch)
        return [RecordOutcome(o.key, Status.RETRYABLE, None, "LOCKED", "locked") if o.key == "3" else o for o in rest]

    toy = Toy()
    toy.faults = [locked]
    ended = run(toy, ROWS[:10], tmp_path)
    assert ended.error is None
    assert toy.batches[1:] == [("upsert", ["3"])]
    outcomes = {o["key"]: o["attempts"] for o in pq.read_table(files(tmp_path, "outcomes.parquet")[0]).to_pylist()}
    assert (outcomes["3"], outcomes["4"]) == (2, 1)


def test_a_lost_answer_is_sent_again_for_upserts_and_never_for_creates(tmp_path: Path) -> None:
    """What may have been applied twice without harm is; a create ends unknown, is held, and is not sent again."""
    upserts = Toy()
    upserts.faults = [raising(UnknownOutcomeError("lost"))]
    assert run(upserts, ROWS[:5], tmp_path / "a").error is None
    creates = Toy()

    def applied_then_lost(batch: Batch) -> None:
        creates.apply(batch)
        message = "lost"
        raise UnknownOutcomeError(message)

    creates.faults = [applied_then_lost]
    ended = run(creates, ROWS[:5], tmp_path / "b", job_type="create")
    assert isinstance(ended.error, FatalError)
    assert ended.report.unknown == 5
    again = run(creates, ROWS[:5], tmp_path / "b", run="2", job_type="create")
    assert (again.report.held, again.report.planned["create"], max(creates.created.values())) == (5, 0, 1)
    resent = run(creates, ROWS[:5], tmp_path / "b", run="3", job_type="create", on_unknown="resend")
    assert (resent.report.held, resent.report.succeeded["create"]) == (0, 5)


def test_silence_is_not_success(tmp_path: Path) -> None:
    """A destination that returns too few outcomes, or in another order, stops the run; creates are in doubt."""
    for broken in (lambda batch: [], lambda batch: [succeeded(key) for key in reversed(batch.keys)]):
        toy = Toy()
        toy.faults = [broken]
        ended = run(toy, ROWS[:5], tmp_path / str(id(broken)), job_type="create")
        assert isinstance(ended.error, FatalError)
        assert ended.report.unknown == 5


def test_spent_patience_aborts_the_rest_and_keeps_what_landed(tmp_path: Path) -> None:
    """Airflow may retry: what landed is remembered, and the retry sends only the rest."""
    toy = Toy()
    toy.faults = [lambda batch: None, lambda batch: None]
    toy.faults += [raising(PatienceSpentError("the daily quota is spent"))] * 10
    ended = run(toy, ROWS, tmp_path, batch_size=20)
    assert isinstance(ended.error, RetryableError)
    assert "daily quota" in str(ended.error)
    landed = len(toy.records)
    assert landed == ended.report.succeeded["upsert"] == 250 - ended.report.aborted > 0
    toy.faults = []
    toy.batches.clear()
    assert run(toy, ROWS, tmp_path, run="2").error is None
    assert sum(len(keys) for _, keys in toy.batches) == 250 - landed


def test_a_longer_wait_than_the_run_has_patience_for_ends_it_at_once(tmp_path: Path) -> None:
    """Nobody waits an hour in a worker slot."""
    toy = Toy()
    toy.faults = [raising(RetryableError("come back later", retry_after=3600))]
    ended = run(toy, ROWS[:5], tmp_path, max_wait=1)
    assert isinstance(ended.error, RetryableError)
    assert "max_wait" in str(ended.error)
    assert ended.report.aborted == 5


def test_a_fatal_error_stops_the_run_and_rejects_no_row(tmp_path: Path) -> None:
    """Revoked credentials are not the rows' fault: what was not sent is aborted."""
    toy = Toy()
    toy.faults = [raising(FatalError("the token was revoked", code="REVOKED"))] * 10
    ended = run(toy, ROWS, tmp_path)
    assert isinstance(ended.error, FatalError)
    assert (ended.report.rejected, ended.report.aborted) == (0, 250)


def test_an_interruption_keeps_what_landed_and_is_raised_again(tmp_path: Path) -> None:
    """A kill or a timeout in the middle loses no outcome."""

    class Interruption(BaseException):
        pass

    toy = Toy()

    def interrupt(batch: Batch) -> None:
        raise Interruption

    toy.faults = [lambda batch: None, interrupt]
    toy.capabilities = Toy.capabilities.__class__(Toy.capabilities.job_types, Toy.capabilities.call, concurrency=1)
    ended = run(toy, ROWS, tmp_path)
    assert isinstance(ended.error, Interruption)
    assert len(toy.records) == ended.report.succeeded["upsert"]
    toy.faults = []
    assert run(toy, ROWS, tmp_path, run="2").report.unchanged == ended.report.succeeded["upsert"]


def test_a_query_without_rows_makes_no_call(tmp_path: Path) -> None:
    """Zero rows are a success of zero, whatever else is asked for."""
    toy = Toy()
    empty = pa.table({"id": pa.array([], pa.int64()), "name": pa.array([], pa.string())})
    run(toy, ROWS[:5], tmp_path)
    calls = toy.calls
    ended = run(toy, empty, tmp_path, run="2", on_missing="delete")
    assert (ended.error, ended.report.rows, toy.calls, len(toy.records)) == (None, 0, calls, 5)
    assert "no rows" in ended.report.summary


def test_duplicate_columns_are_an_error_that_names_them(tmp_path: Path) -> None:
    """Which of two columns is meant is not ours to guess, and case does not tell them apart."""
    rows = pa.Table.from_arrays([pa.array([1]), pa.array(["a"]), pa.array(["b"])], names=["id", "name", "NAME"])
    ended = run(Toy(), rows, tmp_path)
    assert isinstance(ended.error, ConfigurationError)
    assert "NAME" in str(ended.error)


def test_repointing_starts_from_nothing_and_says_so(tmp_path: Path) -> None:
    """Another account, object, key or job type is another target: all goes, nothing is removed, once it is said."""
    toy = Toy()
    run(toy, ROWS[:5], tmp_path)
    for number, change in enumerate(({}, {"object": "other"}, {"key": "name"}, {"job_type": "update", "key": "name"})):
        toy.account = "toy-2"
        log: list[str] = []
        ended = run(toy, ROWS[:3], tmp_path, run=f"again-{number}", log=log, **{"on_missing": "delete", **change})
        assert sum(ended.report.planned.values()) == 3
        assert any("set aside" in line for line in log)
        log.clear()
        run(toy, ROWS[:3], tmp_path, run=f"once-{number}", log=log, **change)
        assert not any("set aside" in line for line in log)


def test_create_is_made_once_per_key(tmp_path: Path) -> None:
    """A created row that changes is not created again; changes_only=False says otherwise."""
    toy = Toy()
    run(toy, ROWS[:3], tmp_path, job_type="create")
    changed = [{**row, "name": "other"} for row in ROWS[:4]]
    assert run(toy, changed, tmp_path, run="2", job_type="create").report.unchanged == 3
    assert toy.created == {"0": 1, "1": 1, "2": 1, "3": 1}
    run(toy, changed, tmp_path, run="3", job_type="create", changes_only=False)
    assert toy.created["0"] == 2


def test_a_delete_is_forgotten_when_the_row_leaves_and_done_again_when_it_returns(tmp_path: Path) -> None:
    """A delete sync deletes what comes back, also after a day without rows."""
    toy = Toy(key_is_written=False)
    empty = pa.table({"id": pa.array([], pa.int64())})
    for day, (rows, deletes) in enumerate([([1, 2], 2), ([1, 2], 0), ([1], 0), ([1, 2], 1), (empty, 0), ([1], 1)]):
        table = rows if isinstance(rows, pa.Table) else pa.table({"id": rows})
        ended = run(toy, table, tmp_path, run=str(day), job_type="delete", key=None)
        assert (ended.error, ended.report.succeeded["delete"]) == (None, deletes)


def test_missing_records_are_deleted_last_or_cleared(tmp_path: Path) -> None:
    """Only what this sync wrote and no row names any more is removed, after everything else was sent."""
    toy = Toy()
    toy.records["human"] = {"name": "made by hand"}
    run(toy, ROWS[:20], tmp_path)
    toy.batches.clear()
    ended = run(toy, [*ROWS[5:20], ROWS[30]], tmp_path, run="2", on_missing="delete")
    assert ended.report.missing == ended.report.succeeded["delete"] == 5
    assert [operation for operation, _ in toy.batches] == ["upsert", "delete"]
    assert "human" in toy.records
    ended = run(toy, ROWS[6:20], tmp_path, run="3", on_missing="clear")
    assert (ended.report.missing, toy.records["5"]["name"], toy.records["5"]["score"]) == (2, None, None)
    assert run(toy, ROWS[5:20], tmp_path, run="4", on_missing="clear").report.planned["upsert"] == 1


def test_max_missing_stops_before_the_first_call(tmp_path: Path) -> None:
    """An incremental query with on_missing='delete' must not empty the application."""
    toy = Toy()
    run(toy, ROWS, tmp_path)
    calls = toy.calls
    ended = run(toy, [{**ROWS[0], "name": "x"}], tmp_path, run="2", on_missing="delete")
    assert isinstance(ended.error, ConfigurationError)
    assert "max_missing" in str(ended.error)
    assert (toy.calls, ended.report.aborted, ended.report.missing) == (calls, 250, 249)
    assert run(toy, [ROWS[0]], tmp_path, run="3", on_missing="delete", max_missing=249).report.missing == 249


def test_an_empty_key_among_the_rows_stops_removals_and_says_why(tmp_path: Path) -> None:
    """A row whose key was lost could be any record: nothing is removed in that run."""
    toy = Toy()
    run(toy, ROWS[:5], tmp_path)
    rows = pa.Table.from_pylist([*ROWS[1:5], {"id": None, "name": "?", "score": 0.0}])
    ended = run(toy, rows, tmp_path, run="2", on_missing="delete", max_rejected=1)
    assert (ended.report.missing, len(toy.records)) == (0, 5)
    assert "empty key" in ended.report.summary


def test_positional_mapping_is_logged_kept_and_guarded(tmp_path: Path) -> None:
    """Fields none of which is a column are matched in order; other columns next time are an error, not a surprise."""
    toy = Toy(key_is_written=False)
    log: list[str] = []
    run(toy, [{"ACCOUNT": 1, "APS": 5}], tmp_path, fields=["aps__c"], key=None, job_type="upsert" and "update", log=log)
    assert any("aps__c ← APS, by position" in line for line in log)
    ended = run(toy, [{"ACCOUNT": 1, "CHURN": 5}], tmp_path, run="2", fields=["aps__c"], key=None, job_type="update")
    assert isinstance(ended.error, ConfigurationError)
    assert "CHURN" in str(ended.error)


def test_a_list_that_matches_partly_is_an_error_that_lists_the_columns(tmp_path: Path) -> None:
    """Some fields found and others not: nothing is guessed."""
    ended = run(Toy(), ROWS[:2], tmp_path, fields=["name", "scores"])
    assert isinstance(ended.error, ConfigurationError)
    assert "scores" in str(ended.error)
    assert "id, name, score" in str(ended.error)


def test_a_new_column_is_news_where_every_column_is_written(tmp_path: Path) -> None:
    """fields=None never writes a column that nobody decided about."""
    toy = Toy()
    run(toy, [{"id": 1, "a": 1}], tmp_path)
    ended = run(toy, [{"id": 1, "a": 1, "b": 2}], tmp_path, run="2")
    assert isinstance(ended.error, ConfigurationError)
    assert "b" in str(ended.error)
    assert run(toy, [{"id": 1, "a": 1, "b": 2}], tmp_path, run="3", fields=["a", "b"]).error is None


def test_files_are_private_and_a_second_plan_of_a_run_overwrites_nothing(tmp_path: Path) -> None:
    """Folders 0700, files 0600; the number grows with every fresh plan of the same run."""
    store = tmp_path / "store"
    toy = Toy()
    run(toy, ROWS[:3], store, run="manual/../run")
    run(toy, ROWS[:3], store, run="manual/../run")
    reports = files(store, "report.json")
    assert [path.parent.name for path in reports] == ["1", "2"]
    assert reports[0].parent.parent.name == "manual%2F..%2Frun"
    modes = {stat.S_IMODE(p.stat().st_mode) for p in store.rglob("*") if p.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(p.stat().st_mode) for p in store.rglob("*") if p.is_dir()} == {0o700}


def test_the_report_in_the_folder_is_the_one_returned(tmp_path: Path) -> None:
    """`report.json` says the same as `execute`, and its totals balance."""
    ended = run(Toy(), ROWS[:3], tmp_path)
    assert json.loads(files(tmp_path, "report.json")[0].read_text()) == ended.report.as_dict()
    assert ended.report.imbalance() == ""


def test_rejected_csv_is_safe_to_open_in_a_spreadsheet(tmp_path: Path) -> None:
    """A value that begins like a formula is text in the file for the person who mends the data."""
    toy = Toy()
    toy.refuse = lambda key, record: "BAD" if key == "k1" else None
    run(toy, [{"id": "k1", "name": "=1+1"}, {"id": "k1x", "name": "ok"}, {"id": "", "name": "@x"}], tmp_path)
    text = files(tmp_path, "rejected.csv")[0].read_text()
    assert "'=1+1" in text
    assert "'@x" in text
    assert "ok" not in text.replace("key,status,code,message", "")


def test_a_thousand_columns_of_every_type_arrive_as_they_are(tmp_path: Path) -> None:
    """Values reach the hook exactly: 2^63-1, decimals, emoji, quotes, newlines, instants, lists."""
    import datetime as dt

    values = {
        "big": 2**63 - 1,
        "dec": Decimal("12345678901234567890.123456789012345678"),
        "text": 'O\'Brien "=1+1" \U0001f600\n\r\t\\N \x00 007',
        "long": "x" * 100_000,
        "flag": True,
        "day": dt.date(2024, 2, 29),
        "instant": dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC),
        "naive": dt.datetime(1900, 1, 1, 0, 0, 0, 1),
        "list": ["a", None, 'b"c'],
        "bytes": b"\x00\xff",
    }
    many = {f"c{i}": i for i in range(990)}
    toy = Toy()
    ended = run(toy, pa.Table.from_pylist([{"id": 1, **values, **many}]), tmp_path)
    assert ended.error is None
    assert toy.records["1"] == {"id": 1, **values, **many}
