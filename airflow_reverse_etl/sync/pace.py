"""One pace and one pause for all threads of a run: the application sees one well-behaved client."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_reverse_etl.errors import PatienceSpentError
from airflow_reverse_etl.model import Rate

MARGIN = 0.02
"""Seconds that a window is taken longer than it is, because clocks and networks are not exact."""


class Stopped(Exception):  # noqa: N818  a signal between threads, not an error
    """The run has been stopped while a thread waited."""


class SharedPace:
    """At most `rate.calls` requests in any window of `rate.seconds`, and none at all while the application says "wait".

    A request holds its place from its start until one window after its end: whenever in between the application counted
    it, no window of the application's own holds more than it allows.

    :param rate: None where the application names none.
    :param patience: seconds that may be waited in one stretch, with no call succeeding in between.
    """

    def __init__(self, rate: Rate | None, patience: float) -> None:
        self._rate = rate
        self._patience = patience
        self._changed = threading.Condition()
        self._under_way = 0
        self._ended: deque[float] = deque()
        self._resume_at = 0.0
        self._waiting_since: float | None = None
        self._stopped = False

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for room; hold it while a request is under way.

        :raises Stopped: the run was stopped meanwhile.
        """
        with self._changed:
            while delay := self._delay():
                self._changed.wait(delay)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._ended.append(time.monotonic())
                self._changed.notify_all()

    def _delay(self) -> float | None:
        """Return how long to wait before looking again; None when there is room."""
        if self._stopped:
            raise Stopped
        now = time.monotonic()
        if now < self._resume_at:
            return self._resume_at - now
        if self._rate is None:
            self._ended.clear()
            return None
        window = self._rate.seconds + MARGIN
        while self._ended and self._ended[0] <= now - window:
            self._ended.popleft()
        if self._under_way + len(self._ended) < max(1, self._rate.calls):
            return None
        return self._ended[0] + window - now if self._ended else window

    def pause(self, seconds: float, reason: str, code: str = "") -> None:
        """Make every thread wait.

        :param reason: what the application said, for the error, and `code` its word for it.
        :raises PatienceSpentError: the wait would end later than the run has patience for.
        """
        now = time.monotonic()
        with self._changed:
            since = self._waiting_since if self._waiting_since is not None else now
            if now + seconds - since > self._patience:
                message = (
                    f"{reason}; waiting {seconds:,.0f} s more would exceed the {self._patience:,.0f} s of "
                    f"[reverse_etl] max_wait"
                )
                raise PatienceSpentError(message, retry_after=seconds, code=code)
            self._waiting_since = since
            self._resume_at = max(self._resume_at, now + seconds)

    def ready(self) -> None:
        """Wait while the application says "wait".

        :raises Stopped: the run was stopped meanwhile.
        """
        with self._changed:
            while not self._stopped and (delay := self._resume_at - time.monotonic()) > 0:
                self._changed.wait(delay)
            if self._stopped:
                raise Stopped

    def rest(self, seconds: float) -> None:
        """Make this thread alone wait.

        :raises Stopped: the run was stopped meanwhile.
        """
        end = time.monotonic() + seconds
        with self._changed:
            while not self._stopped and (delay := end - time.monotonic()) > 0:
                self._changed.wait(delay)
            if self._stopped:
                raise Stopped

    def succeeded(self) -> None:
        """Note that a call came through: patience begins anew."""
        with self._changed:
            self._waiting_since = None

    def stop(self) -> None:
        """Let no further request begin; threads that wait are woken by `Stopped`."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
