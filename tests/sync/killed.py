"""A program that creates records and is killed in the middle: `python killed.py FOLDER KILL_AT before|after`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from toy import Toy, run

from airflow_reverse_etl.model import Batch, Capabilities, Found, JobType, Limits, RecordOutcome

ROWS = [{"id": f"k{i}", "name": f"n{i}"} for i in range(40)]


class Lasting(Toy):
    """An application whose records outlive the program, in a file that has a line for each create."""

    capabilities = Capabilities(job_types=frozenset(JobType), call=Limits(records=10), concurrency=1)

    def __init__(self, folder: Path, kill_at: int = 0, when: str = "") -> None:
        super().__init__()
        self._file = folder / "application.jsonl"
        self._kill_at, self._when = kill_at, when

    def apply(self, batch: Batch) -> list[RecordOutcome]:
        doomed = self.calls == self._kill_at
        if doomed and self._when == "before":
            os._exit(9)
        outcomes = super().apply(batch)
        with self._file.open("a") as file:
            file.writelines(json.dumps(key) + "\n" for key in batch.keys)
        if doomed:
            os._exit(9)
        return outcomes

    def created_keys(self) -> list[str]:
        """Return the key of every create that was applied, in order."""
        return [json.loads(line) for line in self._file.read_text().splitlines()] if self._file.exists() else []


class Searchable(Lasting):
    """… that can be asked for a record by its key."""

    def find(self, target: Any, keys: list[str], since: float) -> dict[str, Found]:
        made = self.created_keys()
        return {key: Found(f"id-{key}", since + 1, made.count(key)) for key in keys if key in made}


if __name__ == "__main__":
    home, kind = Path(sys.argv[1]), {"lasting": Lasting, "searchable": Searchable}[sys.argv[4]]
    run(kind(home, int(sys.argv[2]), sys.argv[3]), ROWS, home / "store", run="monday", job_type="create")
