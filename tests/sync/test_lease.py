"""Two runs of one sync: one sends, the other waits, and a dead one lets go."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from toy import Toy, run

from airflow_reverse_etl.errors import RetryableError
from airflow_reverse_etl.model import Batch
from airflow_reverse_etl.sync import lease

ROWS = [{"id": i, "name": "n"} for i in range(5)]


def test_a_second_run_waits_for_the_first_and_doubles_nothing(tmp_path: Path) -> None:
    """Two runs that create the same rows at the same time create each of them once."""
    toy = Toy()
    began, log = threading.Event(), []

    def slowly(batch: Batch) -> None:
        began.set()
        time.sleep(0.5)

    toy.faults = [slowly]
    first = threading.Thread(target=run, args=(toy, ROWS, tmp_path), kwargs={"run": "1", "job_type": "create"})
    first.start()
    began.wait(10)
    second = run(toy, ROWS, tmp_path, run="2", job_type="create", log=log)
    first.join()
    assert (second.error, second.report.unchanged, set(toy.created.values())) == (None, 5, {1})
    assert any("waiting for the run 1" in line for line in log)


def test_patience_for_another_run_ends_in_a_sentence_that_names_it(tmp_path: Path) -> None:
    """Airflow may try again; nothing was sent meanwhile."""
    toy = Toy()
    with lease.held(tmp_path, "dag.task", "monday", 1, [].append):
        ended = run(toy, ROWS, tmp_path, run="tuesday", max_wait=0.2)
    assert isinstance(ended.error, RetryableError)
    assert "monday" in str(ended.error)
    assert toy.calls == 0


def test_a_later_try_of_the_same_task_instance_takes_over_at_once(tmp_path: Path) -> None:
    """A scheduler that lost sight of a try starts the next; the old one learns that it was replaced."""
    with lease.held(tmp_path, "dag.task", "run-1", 1, [].append):
        assert run(Toy(), ROWS, tmp_path, run="run-1", max_wait=0).error is None


@pytest.mark.parametrize("left", [{"owner": "dead", "token": "x", "until": 0.0}, None])
def test_a_run_that_died_lets_go_by_itself(tmp_path: Path, left: dict[str, object] | None) -> None:
    """A lease that was not renewed is nobody's, nor is one that was cut off while it was written."""
    (tmp_path / "dag.task").mkdir()
    (tmp_path / "dag.task" / "lease").write_text(json.dumps(left) if left else "{")
    assert run(Toy(), ROWS, tmp_path, max_wait=0).error is None


def test_nothing_is_left_of_a_lease_after_the_run(tmp_path: Path) -> None:
    """The next run need not wait, also after one that failed."""
    toy = Toy()
    toy.refuse = lambda key, record: "BAD"
    run(toy, ROWS, tmp_path)
    assert not (tmp_path / "dag.task" / "lease").exists()


def test_a_run_that_lost_its_lease_sends_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zombie beside its retry stops as soon as it knows, and does not move the state."""
    monkeypatch.setattr(lease, "RENEWED_EVERY", 0.05)
    toy = Toy()

    def replaced(batch: Batch) -> None:
        (tmp_path / "dag.task" / "lease").write_text(
            json.dumps({"owner": "retry", "token": "y", "until": time.time() + 60})
        )
        time.sleep(0.3)

    toy.capabilities = Toy.capabilities.__class__(Toy.capabilities.job_types, Toy.capabilities.call, concurrency=1)
    toy.faults = [replaced]
    ended = run(toy, [{"id": i, "name": "n"} for i in range(1000)], tmp_path)
    assert isinstance(ended.error, RetryableError)
    assert "another run" in str(ended.error)
    assert len(toy.records) <= 300
    assert ended.report.imbalance() == ""
