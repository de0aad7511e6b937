"""A worker that dies in the middle of a create: what it may have made is never made twice by guess."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from killed import ROWS, Lasting, Searchable
from toy import run

HERE = Path(__file__).parent


def kill(folder: Path, at: int, when: str, kind: str) -> None:
    """Run the program until it dies at its nth call, before or after the application has done it."""
    command = [sys.executable, "-W", "ignore", str(HERE / "killed.py"), str(folder), str(at), when, kind]
    died = subprocess.run(command, check=False, capture_output=True, cwd=HERE)
    assert died.returncode == 9, died.stderr.decode()[-2000:]


@pytest.mark.parametrize("at", [1, 2, 4])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_create_that_cannot_be_looked_up_is_held_and_never_doubled(tmp_path: Path, at: int, when: str) -> None:
    """Only the call that was under way is in doubt; all other rows land exactly once."""
    kill(tmp_path, at, when, "lasting")
    application = Lasting(tmp_path)
    ended = run(application, ROWS, tmp_path / "store", run="monday", job_type="create")
    assert ended.error is None
    assert ended.report.held == 10
    made = application.created_keys()
    assert len(made) == len(set(made)) == (40 if when == "after" else 30)


@pytest.mark.parametrize("at", [1, 3])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_create_that_can_be_looked_up_is_settled(tmp_path: Path, at: int, when: str) -> None:
    """The application is asked: what was made is done, what was not is made; every row lands exactly once."""
    kill(tmp_path, at, when, "searchable")
    application = Searchable(tmp_path)
    ended = run(application, ROWS, tmp_path / "store", run="monday", job_type="create", key="id")
    assert (ended.error, ended.report.held) == (None, 0)
    made = application.created_keys()
    assert sorted(made) == sorted(row["id"] for row in ROWS)
    assert not list((tmp_path / "store" / "dag.task" / "open").iterdir())


def test_a_run_that_ends_leaves_no_journal(tmp_path: Path) -> None:
    """The report and the state say all; nothing is left for a later run to settle."""
    assert run(Lasting(tmp_path), ROWS, tmp_path / "store", job_type="create").error is None
    left = [path for path in (tmp_path / "store").rglob("*") if "journal" in path.parts or "open" in path.parts]
    assert [path for path in left if path.is_file()] == []
