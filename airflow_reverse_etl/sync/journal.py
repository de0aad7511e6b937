"""What a run is about to create and what came of it, written to the store as it happens: a kill leaves a trace.

A marker in `<sync_id>/open/` says that a plan is being carried out. It is written before the first call and removed
when the report is written; one that a later run finds is that of a run that died, and `settle` makes good what it left.
"""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_reverse_etl.model import Batch, StorePath
from airflow_reverse_etl.sync import folders

EVERY_SECONDS = 3.0
"""Outcomes become durable at least so often while batches end."""


class Journal:
    """The journal of one plan.

    :param sync: the folder of the sync.
    :param plan: the folder of the plan.
    :param about: what a later run must know to settle it: the target and what removals mean.
    """

    def __init__(self, sync: StorePath, plan: StorePath, run: str, about: Mapping[str, Any]) -> None:
        self._folder = plan / "journal"
        self._numbers = itertools.count(1)
        self._last = time.monotonic()
        self._marker = sync / "open" / f"{folders.part(run)}~{plan.name}.json"
        self.intends = False
        self._at_once = 0
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (sync / "open").mkdir(mode=0o700, parents=True, exist_ok=True)
        folders.write_json(self._marker, {"run": run, "plan": plan.name, **about})

    def announced(self, batches: Iterator[Batch], at_once: int) -> Iterator[Batch]:
        """Hand on batches of creates; each is written down before it may be sent.

        :param at_once: batches that share one object of the store.
        """
        self.intends = True
        self._at_once = at_once
        while group := list(itertools.islice(batches, at_once)):
            keys = [key for batch in group for key in batch.keys]
            name = f"intent-{next(self._numbers):06d}.json"
            folders.write_json(self._folder / name, {"at": time.time(), "keys": keys}, exclusive=True)
            yield from group

    def is_due(self) -> bool:
        """Whether outcomes have waited long enough; where only the journal knows what was created, they do not wait."""
        return self._at_once == 1 or time.monotonic() - self._last >= EVERY_SECONDS

    def note(self, outcomes: pa.Table) -> None:
        """Make outcomes durable."""
        body = io.BytesIO()
        pq.write_table(outcomes, body)
        with (self._folder / f"outcomes-{next(self._numbers):06d}.parquet").open("xb") as file:
            file.write(body.getvalue())
        self._last = time.monotonic()

    def close(self) -> None:
        """Forget the journal: the report and the state say what came of the plan."""
        self._marker.unlink(missing_ok=True)
        folders.remove(self._folder)


@dataclass(frozen=True)
class Dead:
    """What a run that died has left.

    :param marker: says that it was at work.
    :param about: see `Journal`.
    :param plan: its folder.
    """

    marker: StorePath
    about: Mapping[str, Any]
    plan: StorePath

    def intents(self) -> Iterator[tuple[str, float]]:
        """Return the keys that it was about to create, and when (seconds since the epoch)."""
        for entry in self._entries("intent-"):
            found = folders.read_json(entry)
            yield from ((key, float(found["at"])) for key in found.get("keys", ()))

    def outcomes(self) -> Sequence[StorePath]:
        """Return the files of its outcomes."""
        return self._entries("outcomes-")

    def _entries(self, prefix: str) -> list[StorePath]:
        folder = self.plan / "journal"
        return [entry for entry in folder.iterdir() if entry.name.startswith(prefix)] if folder.exists() else []


def dead(sync: StorePath) -> list[Dead]:
    """Return what runs of this sync left that did not come to their end."""
    markers = list((sync / "open").iterdir()) if (sync / "open").exists() else []
    found = [(marker, folders.read_json(marker)) for marker in markers]
    return [
        Dead(marker, about, sync / "runs" / folders.part(str(about.get("run"))) / str(about.get("plan")))
        for marker, about in found
    ]
