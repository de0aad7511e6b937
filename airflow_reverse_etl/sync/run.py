"""The whole way of a run, on one page: query → stage → plan → delivery → state and report."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import tenacity

from airflow_reverse_etl.errors import (
    BatchRejectedError,
    ConfigurationError,
    FatalError,
    PatienceSpentError,
    RetryableError,
    SyncError,
)
from airflow_reverse_etl.model import (
    Destination,
    Finder,
    JobType,
    KeyForm,
    Limitations,
    Log,
    Rows,
    Settings,
    StorePath,
    Target,
)
from airflow_reverse_etl.sync import folders, lease, plan, report, settle, stage
from airflow_reverse_etl.sync.canonical import quoted
from airflow_reverse_etl.sync.delivery import Delivery, Fate
from airflow_reverse_etl.sync.journal import EVERY_SECONDS, Journal
from airflow_reverse_etl.sync.lease import Lease
from airflow_reverse_etl.sync.mapping import Columns, Mapped, map_columns, wanted_fields
from airflow_reverse_etl.sync.pace import SharedPace
from airflow_reverse_etl.sync.plan import Plan
from airflow_reverse_etl.sync.report import Ledger, Report
from airflow_reverse_etl.sync.stage import Stage, Staged
from airflow_reverse_etl.sync.state import State, identity

if TYPE_CHECKING:
    import pyarrow as pa

CHECK_ATTEMPTS = 4
"""Tries of the check before a row moves: nothing is lost by failing early, and Airflow tries again later."""


@dataclass(frozen=True)
class Ended:
    """The end of a run: the report, and the error that the task must fail with, if any."""

    report: Report
    error: BaseException | None = None


@dataclass(frozen=True)
class Prepared:
    """All that is known when the first batch may go."""

    at_rest: Stage
    staged: Staged
    planned: Plan
    target: Target
    mapped: Mapped
    state: State
    pace: SharedPace


@dataclass(frozen=True)
class Sync:
    """All that a run needs: what to do, where from, where to, and where to remember it.

    :param query: opens the query; the rows are read while it is open.
    :param run: the Airflow run and, for a mapped task, its index: the name of the run's folder.
    :param owner: the task instance, for the lease; by default the run.
    """

    settings: Settings
    query: Callable[[], AbstractContextManager[Rows]]
    destination: Destination
    store: StorePath
    run: str
    limits: Limitations
    log: Log
    owner: str = ""

    def execute(self) -> Ended:
        """Carry out one run. Never raises what went wrong: the report comes with it."""
        done = Report(
            sync_id=self.settings.sync_id,
            run=self.run,
            destination=self.settings.destination,
            object=self.settings.object,
            job_type=self.settings.job_type.value,
            started_at=report.now(),
        )
        try:
            with _private_files(), lease.held(*self._holder(), self.limits.max_wait, self.log) as holding:
                error = self._run(done, holding)
        except BaseException as interruption:  # noqa: BLE001  handed to the caller, who raises it after the report
            return self._ended(done, interruption)
        return self._ended(done, error)

    def _ended(self, done: Report, error: BaseException | None) -> Ended:
        error = _plain(error)
        if error and not done.summary:
            done.summary = str(error) if isinstance(error, SyncError) else f"stopped by {type(error).__name__}"
        done.calls, done.finished_at = self._calls(), done.finished_at or report.now()
        return Ended(done, error)

    def _holder(self) -> tuple[StorePath, str, str]:
        return self.store, self.settings.sync_id, self.owner or self.run

    def _run(self, done: Report, holding: Lease) -> BaseException | None:
        with Stage(self.limits) as at_rest:
            ready = self._prepare(at_rest)  # the warehouse is let go here: a delivery may take hours
            return self._carry_out(done, ready, holding) if ready else self._nothing(done)

    def _prepare(self, at_rest: Stage) -> Prepared | None:
        """Read the query and plan what is to be sent; None if it has no rows."""
        with self.query() as result:
            columns, rows = Columns(tuple(result.schema.names)), _peeked(result)
            if rows is None:
                return None
            pace = SharedPace(self.destination.capabilities.rate, self.limits.max_wait)
            if hasattr(self.destination, "pace"):  # else the engine takes a slot for each send
                self.destination.pace = pace
            target = self._check(columns)
            mapped = map_columns(columns, self.settings, target)
            self.log(f"key: {target.key or 'none'} ← {mapped.key_column}; fields: {mapped.described() or 'none'}")
            state = State(self.store, self.settings.sync_id)
            state.open(target, self.settings.job_type)
            if state.set_aside:
                self.log(state.set_aside)
            state.check_mapping(mapped, every_column=self._every_column)
            staged = stage.load(at_rest, rows, mapped, target)
        state.load(at_rest, target.key_form)
        settle.settle(at_rest, state, target, self.settings.job_type, destination=self.destination, log=self.log)
        fresh = int(at_rest.one("SELECT count(*) FROM state")) == 0
        planned = plan.make(at_rest, staged, mapped, self.settings, fresh=fresh)
        return Prepared(at_rest, staged, planned, target, mapped, state, pace)

    @property
    def _every_column(self) -> bool:
        return self.settings.fields is None

    def _carry_out(self, done: Report, ready: Prepared, holding: Lease) -> BaseException | None:
        """Send the plan, and remember what came of it whatever happens meanwhile."""
        folder, at_rest, planned = self._folder(done), ready.at_rest, ready.planned
        folders.upload(planned.path, folder / "plan.parquet")
        written = Journal(self.store / folders.part(self.settings.sync_id), folder, self.run, self._about(ready))
        ledger = Ledger(at_rest.folder, written)
        ledger.take_invalid(at_rest, self.settings.job_type, [field.name for field in planned.fields])
        delivery = Delivery(self.destination, ready.pace, holding.lost.is_set, stopped_by=planned.stopped_by)
        interruption: BaseException | None = None
        began = time.time()
        numbers = itertools.count(1)
        try:
            for operation, removing in _order_of_work(self.settings):
                work = plan.batches(
                    planned,
                    ready.target,
                    self._batch_size(),
                    operation=operation,
                    removing=removing,
                    numbers=numbers,
                )
                at_once = self._announced_at_once() if operation is JobType.CREATE else 0
                work = written.announced(work, at_once) if at_once else work
                delivery.run(work, ledger.take, ahead=at_once != 1)
        except BaseException as error:  # noqa: BLE001  the state must move first; it is raised by the operator
            interruption = error
        try:
            ledger.close()
            self._fill(done, planned, ledger)
            failed = interruption or report.verdict(done, self.settings, delivery.stopped_by)
            accept(at_rest, ledger, planned, self.settings, began)
            ready.state.advance(
                at_rest, ready.target, self.settings.job_type, ready.mapped, every_column=self._every_column
            )
            self._write_files(done, ready, ledger, folder)
            written.close()
        except (SyncError, OSError, duckdb.Error) as error:
            return self._forgotten(done, _plain(error), failed if done.summary else interruption)
        return failed

    def _forgotten(self, done: Report, lost: BaseException, failed: BaseException | None) -> BaseException:
        """Return the error of a run that could not write down what it did.

        A retry compares with the state before it: it repeats updates, upserts and deletes without harm, but creates
        would be made twice.
        """
        created = done.succeeded["create"]
        if created:
            return FatalError(
                f"{created:,} records were created, but the state could not be written: {lost} Another run would "
                f"create them again; `outcomes.parquet` or the application says which they are"
            )
        return failed if failed and not isinstance(failed, RetryableError) else lost

    def _write_files(self, done: Report, ready: Prepared, ledger: Ledger, folder: StorePath) -> None:
        """Put the files for people beside the plan; `report.json` closes the folder."""
        rejected = ready.at_rest.folder / "rejected.csv"
        if report.write_rejected(ready.at_rest, ready.staged, ledger.path, rejected):
            folders.upload(rejected, folder / "rejected.csv")
        folders.upload(ledger.path, folder / "outcomes.parquet")
        done.finished_at = report.now()
        folders.write_json(folder / "report.json", done.as_dict())
        folders.prune(self.store, self.settings.sync_id, self.limits.keep_runs)

    def _fill(self, done: Report, planned: Plan, ledger: Ledger) -> None:
        done.rows, done.missing, done.invalid = planned.rows, planned.missing, planned.invalid
        done.unchanged, done.held, done.calls = planned.unchanged, planned.held, self._calls()
        done.planned.update({verb.value: count for verb, count in planned.planned.items()})
        done.succeeded.update(ledger.succeeded)
        done.rejected, done.unknown = ledger.fates[Fate.REJECTED], ledger.fates[Fate.UNKNOWN]
        done.aborted = ledger.fates[Fate.ABORTED]
        done.errors = ledger.errors()
        done.summary = report.summary(done, removed_note=planned.why_nothing_removed)

    def _calls(self) -> int:
        return int(getattr(self.destination, "calls", 0))

    def _nothing(self, done: Report) -> BaseException | None:
        """End a run whose query returned no rows: no call is made, nothing is removed."""
        folder = self._folder(done)
        if self.settings.job_type is JobType.DELETE:
            forget_all(State(self.store, self.settings.sync_id), self.limits)
        done.summary, done.finished_at = report.summary(done), report.now()
        folders.write_json(folder / "report.json", done.as_dict())
        return None

    def _check(self, columns: Columns) -> Target:
        """Let the destination compare what is asked for with what it has; a passing failure is tried again."""
        settings, can = self.settings, self.destination.capabilities
        default_key = getattr(self.destination, "default_key", None)
        asked = Target(settings.destination, settings.object, settings.key, settings.options)
        job_types = [operation for operation, _ in _order_of_work(settings)]
        refused = [verb.value for verb in job_types if verb not in can.job_types]
        if refused:
            message = f"{settings.destination} cannot {' or '.join(refused)} records; it can {', '.join(can.job_types)}"
            raise ConfigurationError(message)
        wanted = wanted_fields(columns, settings, default_key)
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._is_passing),
            stop=tenacity.stop_after_attempt(CHECK_ATTEMPTS),
            wait=_wait_as_told,
            reraise=True,
        ):
            with attempt:
                try:
                    return self.destination.check(asked, job_types, wanted)
                except BatchRejectedError as error:
                    raise ConfigurationError(str(error), code=error.code) from error
        raise AssertionError  # tenacity returns or raises

    def _is_passing(self, error: BaseException) -> bool:
        if isinstance(error, PatienceSpentError) or not isinstance(error, RetryableError):
            return False
        return (error.retry_after or 0) <= self.limits.max_wait

    def _about(self, ready: Prepared) -> dict[str, Any]:
        """Return what a later run must know if this one dies."""
        return {"target": identity(ready.target, self.settings.job_type), "on_missing": self.settings.on_missing}

    def _announced_at_once(self) -> int:
        """Return how many batches of creates share one note in the journal.

        Where the application can be asked what came of them, as many as its rate allows in 3 seconds; else each has
        its own, so that a kill leaves no more in doubt than was under way.
        """
        can = self.destination.capabilities
        if not isinstance(self.destination, Finder) or can.rate is None:
            return 1
        return max(1, int(can.rate.calls / can.rate.seconds * EVERY_SECONDS))

    def _batch_size(self) -> int:
        most = self.destination.capabilities.call.records
        return min(self.settings.batch_size or most, most)

    def _folder(self, done: Report) -> StorePath:
        try:
            folder = folders.new_run_folder(self.store, self.settings.sync_id, self.run)
        except OSError as error:
            raise folders.unreachable(error, "be written") from error
        done.path = str(folder)
        return folder


def accept(at_rest: Stage, ledger: Ledger, planned: Plan, settings: Settings, began: float) -> None:
    """Make the table `accepted`: how the state changes by what the application accepted, and by nothing else.

    What was sent and never answered may have landed: its fingerprint is forgotten, so that it is sent again whatever
    the row says next time.
    """
    gone = "cleared" if settings.on_missing == "clear" else "gone"
    in_doubt = "o.attempts > 0 AND (o.status = 'aborted' OR o.code = 'NO_OUTCOME')"
    remembered = "('upsert', 'update')"
    at_rest.sql.execute(f"""
        CREATE TABLE accepted AS
        SELECT p.k, p.key,
               CASE WHEN o.status = 'succeeded' AND p.part = 0 THEN CAST(p.fingerprint AS UUID) END AS fingerprint,
               o.destination_id AS id,
               CASE WHEN o.status = 'unknown' THEN 'unknown' WHEN o.status <> 'succeeded' OR p.part = 0 THEN 'ok'
                    ELSE '{gone}' END AS status,
               CASE WHEN o.status = 'unknown' THEN {began!r} END AS since
        FROM read_parquet({quoted(str(planned.path))}) p
        JOIN read_parquet({quoted(str(ledger.path))}) o
          ON o.key = p.key AND o.operation = p.operation AND o.status <> 'invalid'
        WHERE o.status = 'succeeded' OR (o.status = 'unknown' AND o.operation = 'create')
           OR ({in_doubt} AND (p.part = 1 OR o.operation IN {remembered}))
    """)
    if settings.job_type is JobType.DELETE:  # a key that left the query is forgotten, and deleted again if it returns
        at_rest.sql.execute("""
            INSERT INTO accepted SELECT k, key, NULL, NULL, 'gone', NULL FROM state
            WHERE k NOT IN (SELECT k FROM staged WHERE k IS NOT NULL)
        """)


def forget_all(state: State, limits: Limitations) -> None:
    """Forget every key of a delete sync: each has left the query, and is deleted again when it returns."""
    state.open_as_it_is()
    if not state.manifest.number:
        return
    with Stage(limits) as at_rest:
        state.load(at_rest, KeyForm(**state.manifest.key_form))
        at_rest.sql.execute(
            "CREATE TABLE accepted AS SELECT k, key, fingerprint, id, 'gone' AS status, since FROM state"
        )
        state.amend(at_rest)


def _order_of_work(settings: Settings) -> list[tuple[JobType, bool]]:
    """Return the operations of a run, and for each whether `on_missing` added it: removals come last."""
    removal = plan.removal(settings)
    return [(settings.job_type, False), *([(removal, True)] if removal else [])]


@dataclass
class _Peeked:
    """Rows whose first batches were looked at."""

    schema: pa.Schema
    _batches: Iterator[pa.RecordBatch]

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self._batches


def _peeked(rows: Rows) -> Rows | None:
    """Return the rows, or None if there are none: an empty query makes no call at all."""
    batches = iter(rows)
    for batch in batches:
        if batch.num_rows:
            return _Peeked(rows.schema, itertools.chain([batch], batches))
    return None


def _plain(error: BaseException | None) -> Any:
    """Return an error of disk or DuckDB as one of ours; its own words may quote values."""
    if isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException):
        message = (
            f"the rows do not fit on the worker ({type(error).__name__}): "
            f"raise [reverse_etl] stage_memory, or point stage_path to a larger disk"
        )
        return RetryableError(message, code="STAGE")
    if isinstance(error, duckdb.Error):
        return FatalError(f"the rows cannot be compared ({type(error).__name__}); please report it", code="STAGE")
    if isinstance(error, OSError):
        return folders.unreachable(error, "be used")
    return error


def _wait_as_told(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    told = getattr(error, "retry_after", None)
    return float(told) if told is not None else tenacity.wait_random_exponential(multiplier=0.5, max=4)(state)


@contextmanager
def _private_files() -> Iterator[None]:
    """Make what this run writes readable by its own user only: its files hold what applications hold of people."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
