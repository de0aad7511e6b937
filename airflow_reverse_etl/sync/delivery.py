"""Batches out, outcomes in: waits, retries and splits, until every record has exactly one final outcome."""

from __future__ import annotations

import random
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from airflow_reverse_etl.errors import (
    BatchRejectedError,
    FatalError,
    PatienceSpentError,
    RetryableError,
    SyncError,
    UnknownOutcomeError,
)
from airflow_reverse_etl.model import Batch, Destination, RecordOutcome, Status, rejected
from airflow_reverse_etl.sync.pace import SharedPace, Stopped
from airflow_reverse_etl.sync.redact import redact

ATTEMPTS = 8
"""How often a record is sent while the application says "not now" about it alone (locks), or says nothing about it."""

LONGEST_REST = 5.0
"""Seconds at most before records that failed in passing go again: other batches wait behind them."""

FEW = 10
"""Records that may as well go together: fewer in a call would only make more calls."""

LONGEST_WAIT = 30.0
"""Seconds at most before the next attempt where the application names none."""


BROKEN_CONTRACT = "BROKEN_CONTRACT"


class Fate(StrEnum):
    """What finally became of a planned record."""

    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    ABORTED = "aborted"


@dataclass(frozen=True)
class Delivered:
    """The end of one batch: a fate and an outcome for each of its records, in order.

    :param attempts: how often each record was sent.
    :param stop: the error that ends the run, if one does.
    """

    batch: Batch
    fates: Sequence[Fate]
    outcomes: Sequence[RecordOutcome]
    attempts: Sequence[int]
    stop: BaseException | None = None


@dataclass(frozen=True)
class Piece:
    """Some records of a batch that are still to be sent.

    :param attempt: how often the application has judged them, this time included.
    :param put_off: how often the call was put off or its answer lost; waits grow with it.
    """

    rows: tuple[int, ...]
    attempt: int = 1
    put_off: int = 0


class Delivery:
    """Sends the batches of a plan with as many threads as the application takes.

    :param replaced: whether another run has taken this one's place.
    :param stopped_by: why nothing may be sent at all.
    """

    def __init__(
        self,
        destination: Destination,
        pace: SharedPace,
        replaced: Callable[[], bool] = lambda: False,
        *,
        stopped_by: BaseException | None = None,
    ) -> None:
        self._destination = destination
        self._pace = pace
        self._paces_itself = hasattr(destination, "pace")
        self._replaced = replaced
        self.stopped_by = stopped_by

    def run(self, batches: Iterator[Batch], take: Callable[[Delivered], None], *, ahead: bool = True) -> None:
        """Deliver batches and hand the end of each to `take`, on this thread; after a stop the rest is aborted.

        Whatever interrupts this thread (a kill, a timeout, a failing disk) stops the work, but what was under way is
        waited for and handed over before the interruption goes on: it may have landed.

        :param ahead: batches may be fetched before a thread is free for them.
        :raises BaseException: what interrupted this thread. An error of the application is kept in `stopped_by`.
        """
        threads = max(1, self._destination.capabilities.concurrency)
        under_way: set[Future[Delivered]] = set()
        with ThreadPoolExecutor(threads, thread_name_prefix="reverse_etl") as pool:
            try:
                for batch in batches:
                    if self._replaced() and not self.stopped_by:
                        message = "another run of this sync has taken over: this one sends nothing more"
                        self._stop(RetryableError(message, code="REPLACED"))
                    if self.stopped_by:
                        take(aborted(batch, self.stopped_by))
                        continue
                    under_way.add(pool.submit(self._deliver, batch))
                    if len(under_way) >= (threads * 2 if ahead else threads):
                        self._hand_over(under_way, take)
                while under_way:
                    self._hand_over(under_way, take)
            except BaseException as error:
                self._stop(error)
                while under_way:
                    self._hand_over(under_way, take)
                for batch in batches:
                    take(aborted(batch, error))
                raise

    def _hand_over(self, under_way: set[Future[Delivered]], take: Callable[[Delivered], None]) -> None:
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            under_way.discard(future)  # before `take`: whatever fails there, a batch is handed over once
            delivered = future.result()
            if delivered.stop:
                self._stop(delivered.stop)
            take(delivered)

    def _stop(self, error: BaseException) -> None:
        self.stopped_by = self.stopped_by or error
        self._pace.stop()

    def _deliver(self, batch: Batch) -> Delivered:
        """Send one batch until each of its records has a fate. Never raises: the error is part of the result."""
        letter = Letter(batch)
        try:
            while letter.pieces:
                piece = letter.pieces.popleft()
                if piece.attempt > letter.attempt:  # once for all records that failed in passing
                    letter.attempt = piece.attempt
                    self._pace.rest(min(LONGEST_REST, backoff(piece.attempt - 1)))
                self._send(letter, piece)
        except Stopped as stop:
            return letter.end(stop, reason=self.stopped_by, stop=None)
        except BaseException as error:  # noqa: BLE001  whatever goes wrong, every record must end in a fate
            told = without_values(error, values_of(letter.batch))
            return letter.end(error, reason=told, stop=told)
        return letter.end(None, reason=None, stop=None)

    def _send(self, letter: Letter, piece: Piece) -> None:
        """Send some records once and note what came of it; what must go again becomes new pieces."""
        part = letter.part(piece)
        try:
            outcomes = self._call(letter, part, piece)
        except PatienceSpentError:
            raise
        except RetryableError as error:
            letter.again(piece)
            if error.perhaps_applied:
                letter.in_doubt.update(piece.rows)
            self._pause(letter, piece, error, error.retry_after)
        except UnknownOutcomeError as error:
            if not part.operation.replayable:
                letter.settle(piece, Fate.UNKNOWN, error.code or "NO_ANSWER", str(error))
                return
            letter.again(piece)
            self._pause(letter, piece, error, None)
        except BatchRejectedError as error:
            letter.split(piece, error)
        else:
            self._pace.succeeded()
            again = letter.note(piece, outcomes)
            if again:
                letter.resend(again, piece)

    def _pause(self, letter: Letter, piece: Piece, error: SyncError, retry_after: float | None) -> None:
        """Make all threads wait as long as the application asks; one that says "at once" is believed only so far."""
        seconds = retry_after or backoff(piece.put_off + 1)
        reason = redact(str(error), values_of(letter.batch), short=False)
        self._pace.pause(seconds, reason, str(getattr(error, "code", "")))

    def _call(self, letter: Letter, part: Batch, piece: Piece) -> Sequence[RecordOutcome]:
        self._pace.ready()
        letter.sending = piece
        letter.sent.update(piece.rows)
        if self._paces_itself:
            outcomes = self._destination.send(part)
        else:
            with self._pace.slot():
                outcomes = self._destination.send(part)
        if [outcome.key for outcome in outcomes] != part.keys:
            message = (
                f"{type(self._destination).__name__}.send returned {len(outcomes)} outcomes for {len(part)} records, "
                f"or not in their order: silence is not success"
            )
            raise FatalError(message, code=BROKEN_CONTRACT)
        return outcomes


def backoff(attempt: int) -> float:
    """Return seconds before the next attempt: longer each time, and random, so that clients do not march in step."""
    return random.uniform(0.05, min(LONGEST_WAIT, 0.5 * 2**attempt))  # noqa: S311  dice, not secrets


class Letter:
    """One batch on its way: what is still to be sent, and the fates so far. Belongs to one thread."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.pieces = deque([Piece(tuple(range(len(batch))))])
        self.sending: Piece | None = None
        self.attempt = 1
        self.in_doubt: set[int] = set()
        self.sent: Counter[int] = Counter()
        self._fates: dict[int, tuple[Fate, RecordOutcome]] = {}
        self._keys = batch.keys

    def part(self, piece: Piece) -> Batch:
        """Return the records of a piece as a batch."""
        return self.batch if len(piece.rows) == len(self.batch) else self.batch.take(piece.rows)

    def again(self, piece: Piece) -> None:
        """Queue a whole piece once more, before all others."""
        self.sending = None
        self.pieces.appendleft(replace(piece, put_off=piece.put_off + 1))

    def settle(self, piece: Piece, fate: Fate, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        """Give all records of a piece the same fate."""
        self.sending = None
        for row in piece.rows:
            self._fates[row] = (fate, rejected(self._keys[row], code, message, fields))

    def split(self, piece: Piece, error: BatchRejectedError) -> None:
        """Halve what was refused as a whole; a record that stands alone is the culprit."""
        self.sending = None
        if len(piece.rows) == 1:
            self.settle(piece, Fate.REJECTED, error.code or "REJECTED", str(error), error.fields)
            return
        middle = len(piece.rows) // 2
        self.pieces.extendleft(replace(piece, rows=rows) for rows in (piece.rows[middle:], piece.rows[:middle]))

    def note(self, piece: Piece, outcomes: Sequence[RecordOutcome]) -> list[int]:
        """Keep the outcomes that are final; return the rows that must go again."""
        self.sending = None
        again = []
        for row, outcome in zip(piece.rows, map(_never_silent, outcomes), strict=True):
            fate = self._fate(outcome, piece.attempt)
            if fate is None:
                again.append(row)
            else:
                self._fates[row] = (fate, outcome)
        return again

    def _fate(self, outcome: RecordOutcome, attempt: int) -> Fate | None:
        match outcome.status:
            case Status.SUCCEEDED:
                return Fate.SUCCEEDED
            case Status.REJECTED:
                return Fate.REJECTED
            case Status.UNKNOWN if not self.batch.operation.replayable:
                return Fate.UNKNOWN
        return Fate.REJECTED if attempt >= ATTEMPTS else None

    def resend(self, rows: list[int], piece: Piece) -> None:
        """Queue records that failed for a passing reason, in smaller batches: fewer of them fight for one lock."""
        size = max(1, min(len(rows), max(FEW, len(piece.rows) // 2)))
        for start in range(0, len(rows), size):
            self.pieces.append(Piece(tuple(rows[start : start + size]), piece.attempt + 1))

    def end(
        self, error: BaseException | None, *, reason: BaseException | None, stop: BaseException | None
    ) -> Delivered:
        """Return the end of this batch: a record without a fate was not sent, or is in doubt as a create.

        :param error: what ended it.
        :param reason: the same for people to read.
        :param stop: the same if it must end the run.
        """
        doubtful = set() if self.batch.operation.replayable else set(self.in_doubt)
        if error and self.sending and not self.batch.operation.replayable and _perhaps_applied(error):
            doubtful |= set(self.sending.rows)
        fates, outcomes = [], []
        for row, key in enumerate(self._keys):
            open_fate = Fate.UNKNOWN if row in doubtful else Fate.ABORTED
            fate, outcome = self._fates.get(row) or (open_fate, rejected(key, _code(reason), _words(reason)))
            fates.append(fate)
            outcomes.append(outcome)
        return Delivered(self.batch, fates, outcomes, [self.sent[row] for row in range(len(self._keys))], stop)


def _perhaps_applied(error: BaseException) -> bool:
    """Whether the call that ended in this error may have changed something."""
    if isinstance(error, FatalError):
        return error.code == BROKEN_CONTRACT
    return not isinstance(error, RetryableError | Stopped)


def _never_silent(outcome: RecordOutcome) -> RecordOutcome:
    """Give words to an outcome that has none: the report must be able to say what happened."""
    if outcome.status is Status.SUCCEEDED or outcome.code:
        return outcome
    silent = outcome.status is Status.UNKNOWN
    message = outcome.message or ("the answer does not mention this record" if silent else "no reason given")
    return replace(outcome, code="NO_OUTCOME" if silent else "REJECTED", message=message)


def values_of(batch: Batch) -> Iterator[Any]:
    """Return every value of a batch, to be taken out of messages about a whole call."""
    yield from batch.keys
    for record in batch.records():
        yield from record.values()


def without_values(error: BaseException, values: Iterable[Any]) -> BaseException:
    """Return an error whose words hold no value of a record; one that is not ours keeps only its name and place."""
    if isinstance(error, SyncError):
        error.args = (redact(str(error), values, short=False),)
        return error
    if not isinstance(error, Exception):
        return error
    place = traceback.extract_tb(error.__traceback__)[-1]
    message = f"the destination's hook failed with {type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
    return FatalError(message, code=type(error).__name__)


def aborted(batch: Batch, reason: BaseException | None) -> Delivered:
    """Return the end of a batch that was never sent."""
    outcomes = [rejected(key, _code(reason), _words(reason)) for key in batch.keys]
    return Delivered(batch, [Fate.ABORTED] * len(batch), outcomes, [0] * len(batch))


def _code(reason: BaseException | None) -> str:
    return getattr(reason, "code", "") or (type(reason).__name__ if reason else "STOPPED")


def _words(reason: BaseException | None) -> str:
    if isinstance(reason, SyncError):
        return str(reason)
    return f"the run was stopped by {type(reason).__name__}" if reason else "the run was stopped"
