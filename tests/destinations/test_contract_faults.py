"""What every destination promises when calls go wrong: nothing lost, nothing doubled, no success that was none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from airflow_reverse_etl import destinations
from airflow_reverse_etl.errors import RetryableError, SyncError
from airflow_reverse_etl.model import JobType

if TYPE_CHECKING:
    from world import Rows, World

    from airflow_reverse_etl.sync.run import Ended

pytestmark = pytest.mark.parametrize("destination", destinations.names())

Fault = tuple[str, Mapping[str, Any]]

NOT_DONE: Mapping[str, Fault] = {
    "dropped before": ("drop_before", {}),
    "503 as JSON": ("status", {"status": 503, "body": {"message": "try later"}}),
    "503 with Retry-After": ("status", {"status": 503, "headers": {"Retry-After": "1"}}),
    "503 as HTML": ("html", {}),
    "500 as JSON": ("status", {"status": 500, "body": {"message": "oops"}}),
    "502 as HTML": ("html", {"status": 502}),
    "504 without a body": ("status", {"status": 504}),
    "429": ("status", {"status": 429, "body": {"message": "slow down"}}),
    "429 with Retry-After": ("status", {"status": 429, "headers": {"Retry-After": "1"}}),
    "408": ("status", {"status": 408}),
    "200 as HTML": ("html", {"status": 200}),
    "200 without a body": ("empty_body", {"commit": False}),
    "200 as text": ("not_json", {"commit": False}),
    "truncated": ("truncated_body", {"commit": False}),
    "invalid JSON": ("invalid_json", {"commit": False}),
    "other JSON": ("status", {"status": 200, "body": {"status": "OK"}}),
    "a JSON list": ("status", {"status": 200, "body": []}),
    "redirected": ("redirect", {}),
}
"""Faults that keep the request from the application."""

DONE: Mapping[str, Fault] = {
    "dropped after": ("drop_after_commit", {}),
    "late": ("delay", {"seconds": 0.2}),
    "answered late": ("delay_after_commit", {"seconds": 0.2}),
    "500 after all": ("status", {"status": 500, "body": {"message": "oops"}, "commit": True}),
    "502 as HTML after all": ("html", {"status": 502, "commit": True}),
    "200 as HTML after all": ("html", {"status": 200, "commit": True}),
    "done without a body": ("empty_body", {}),
    "done as text": ("not_json", {}),
    "done, truncated": ("truncated_body", {}),
    "done, chunks cut": ("chunked_cut", {}),
    "done, reset": ("reset_mid_body", {}),
    "done, invalid JSON": ("invalid_json", {}),
    "connection stale": ("stale_keep_alive", {"when": "next"}),
    "delivered twice": ("deliver_twice", {}),
}
"""Faults after, or in spite of which, the application does the work."""

FAULTS = {**NOT_DONE, **DONE}
ELSEWHERE = (
    "dropped before",
    "dropped after",
    "500 as JSON",
    "200 as HTML",
    "done without a body",
    "done, truncated",
    "other JSON",
)
"""Faults that strike reads and logins, too, in the long run of the tests."""

JOBS = [job.value for job in JobType]
SAMPLE = {
    ("create", "dropped after"),
    ("create", "200 without a body"),
    ("update", "dropped after"),
    ("update", "other JSON"),
    ("upsert", "dropped after"),
    ("upsert", "503 with Retry-After"),
    ("delete", "dropped after"),
    ("delete", "200 without a body"),
}
"""What every run of the tests looks at; the other pairs are for the long one."""

PAIRS = [
    pytest.param(job, name, id=f"{job}-{name}", marks=[] if (job, name) in SAMPLE else pytest.mark.long)
    for job in JOBS
    for name in FAULTS
]


@pytest.mark.parametrize(("job", "name"), PAIRS)
def test_a_write_that_goes_wrong_loses_and_doubles_nothing(world: World, job: str, name: str) -> None:
    """One write of several meets the fault; after at most one more run the application holds what the query says."""
    promise = Promise(world, job, unique=name == "delivered twice")
    mode, arguments = FAULTS[name]
    world.box.faults(world.destination, mode, path=world.case.writes, times=1, **arguments)
    promise.holds_after(promise.run(max_wait=3))
    assert world.violations() == []


@pytest.mark.parametrize("job", JOBS)
def test_an_application_that_stays_busy_ends_the_run_and_loses_nothing(world: World, job: str) -> None:
    """Patience is spent: every row is aborted, none is rejected, and the next run brings everything to its end."""
    promise = Promise(world, job)
    busy = {"status": 429, "body": {"message": "busy"}, "headers": {"Retry-After": "60"}}
    world.box.faults(world.destination, "status", path=world.case.writes, **busy)
    ended = promise.run()
    assert isinstance(ended.error, RetryableError)
    assert (sum(ended.report.succeeded.values()), ended.report.aborted) == (0, len(promise.rows))
    promise.holds_after(ended)


@pytest.mark.long
@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.parametrize("job", JOBS)
def test_any_request_may_go_wrong(new_world: Callable[[], World], job: str, name: str) -> None:
    """Each request of a run in turn, reads and logins too, meets the fault."""
    mode, arguments = FAULTS[name]
    nth, struck = 0, True
    while struck:
        nth += 1
        world = new_world()
        promise = Promise(world, job)
        world.box.faults(world.destination, mode, nth=nth, **arguments)
        ended = promise.run(max_wait=3)
        struck = not world.box.faults(world.destination)
        promise.holds_after(ended, f"request {nth}")
    assert nth > 3


@pytest.mark.long
@pytest.mark.parametrize("job", JOBS)
def test_the_applications_own_faults_lose_and_double_nothing(new_world: Callable[[], World], job: str) -> None:
    """Each fault that the fake knows of its own application strikes one write."""
    world = new_world()
    own = set(world.box.fake(world.destination).FAULTS) - set(world.case.meddling)
    for mode in sorted(own):
        world = new_world()
        promise = Promise(world, job)
        world.box.faults(world.destination, mode, path=world.case.writes, times=1)
        promise.holds_after(promise.run(max_wait=3), mode)
        assert world.violations() == [], mode


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("job", JOBS)
def test_a_storm_of_faults_loses_and_doubles_nothing(world: World, job: str, seed: int) -> None:
    """Every third request goes wrong, each in another way; after the storm one run brings everything to its end."""
    promise = Promise(world, job)
    storm = ("drop_before", "drop_after_commit", "truncated_body", "empty_body", "reset_mid_body")
    for number, mode in enumerate(storm):
        world.box.faults(world.destination, mode, probability=0.08, seed=seed * 10 + number)
    promise.holds_after(promise.run(batch_size=2, max_wait=20))
    assert world.violations() == []


class Promise:
    """Rows for a job, records that are there before it, and what must be there after it.

    Records are told apart by a text that each row has for itself, so that a create needs no key that the application
    keeps unique: what it would do twice, nobody else prevents.

    :param unique: create by a unique key, for faults that double a request where no client can see it.
    """

    def __init__(self, world: World, job: str, *, unique: bool = False) -> None:
        self._world = world
        self._job = job
        self._name = world.case.texts[0]
        rows, keys = world.texts("new"), world.case.keys
        there = {"create": [], "update": keys[:10], "upsert": keys[:5], "delete": keys[:10]}[job]
        for key in there:
            world.seed(rows.take([key]), **{self._name: f"old {key}"})
        self.rows: Rows = rows.take(keys[:8]) if job == "delete" else rows
        self._texts = {key: shown[self._name] for key, shown in self.rows.shown.items()}
        self._wanted = {f"old {key}" for key in keys[8:10]} if job == "delete" else set(self._texts.values())
        self._parameters: dict[str, Any] = {}
        if job == "create" and not unique:
            self._parameters = {"key": None, "key_column": world.case.key}

    def run(self, **parameters: Any) -> Ended:
        """Run the sync once."""
        return self._world.run(self._job, self.rows, **self._parameters, **parameters)

    def holds_after(self, ended: Ended, when: str = "") -> None:
        """Look whether what was reported is so; run once more without faults, and look whether everything is done.

        A create whose answer was lost is unknown: it is held back, and nobody sends it again.
        """
        world = self._world
        world.box.clear_faults(world.destination)
        assert ended.error is None or isinstance(ended.error, SyncError), f"{when}: {ended.error!r}"
        said = self._said(ended)
        assert not self._false(said), f"{when}: reported as done, and it is not"
        again = self.run()
        held = self._held()
        doubtful = {self._texts[key] for key, status in said.items() if status == "unknown"}
        assert again.report.held == len(doubtful), when
        assert held <= self._wanted, when
        assert self._wanted - held <= doubtful, when
        if self._job != "create":
            assert not doubtful, when
            assert again.error is None, f"{when}: {again.report}"

    def _said(self, ended: Ended) -> dict[str, str]:
        """Return what was reported of each key."""
        outcomes = self._world.outcomes(ended) if ended.report.path else {}
        return {key: outcome["status"] for key, outcome in outcomes.items()}

    def _false(self, said: Mapping[str, str]) -> set[str]:
        """Return the keys that were reported as done, and are not."""
        done = {key for key, status in said.items() if status == "succeeded"}
        held = self._held()
        if self._job == "delete":
            return {key for key in done if f"old {key}" in held}
        return {key for key in done if self._texts[key] not in held}

    def _held(self) -> set[str]:
        """Return the texts that the application holds; one that it holds twice fails the test."""
        return set(self._world.held([], self._name))
