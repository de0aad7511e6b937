"""HubSpot's rate windows, the headers that tell of them, and what a test wants to know of a client's manners."""

from __future__ import annotations

import uuid
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from airflow_reverse_etl.destinations.hubspot.sandbox.answers import Refusal, rate_limited

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.hubspot.sandbox.settings import Settings, Token

WINDOW = 10.0
_PREFIX = b"x-hubspot-ratelimit-"
_SECONDLY = 10  # still sent, and meaningless since long


@dataclass(slots=True)
class Traffic:
    """How clients have behaved since the last reset. A refusal that a fault ordered is a call and an error, no more."""

    calls: int = 0
    """Requests that reached the fake."""

    refused: Counter[str] = field(default_factory=Counter)
    """429 answers that the client provoked, by policy (TEN_SECONDLY_ROLLING, DAILY, SECONDLY)."""

    errors: int = 0
    """Answers with status 400 or above; HubSpot wants them below 5 % of a day's calls."""

    peak_calls: int = 0
    """The most calls of one token, refused ones included, that came within any 10 s. Searches have their own limit."""

    peak_searches: int = 0
    """The most searches that came within any second."""

    in_flight: int = 0
    """Requests that are being answered now."""

    peak_in_flight: int = 0
    """The most requests that were being answered at one time."""

    def begin(self) -> None:
        self.calls += 1
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def end(self, status: int) -> None:
        self.in_flight -= 1
        self.errors += status >= 400


class _Window:
    """Counts events of the last so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()

    def count(self, now: float) -> int:
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        return len(self._times)

    def add(self, now: float) -> int:
        self._times.append(now)
        return self.count(now)


class Limits:
    """Lets calls in or refuses them, and knows what is left."""

    def __init__(self, settings: Settings) -> None:
        self.traffic = Traffic()
        self._settings = settings
        self._accepted: dict[str, _Window] = {}
        self._arrived: dict[str, _Window] = {}
        self._searches = _Window(1.0)
        self._searches_arrived = _Window(1.0)
        self._calls_today = 0
        self._day_ends = 0.0

    def admit(self, token: str, kind: Token, *, search: bool) -> None:
        """Count one call of a token.

        :raises Refusal: a limit is reached; the call is not counted against it.
        """
        now = self._settings.clock()
        self._begin_day(now)
        refusal = self._search(now) if search else self._burst(token, kind, now)
        if refusal is None and kind.kind == "private" and self._calls_today >= self._settings.calls_per_day:
            refusal = rate_limited("DAILY", str(uuid.uuid4()))
        if refusal is not None:
            self.traffic.refused[refusal.rate] += 1
            raise refusal
        self._calls_today += kind.kind == "private"
        if search:
            self._searches.add(now)
        else:
            self._accepted[token].add(now)

    def _burst(self, token: str, kind: Token, now: float) -> Refusal | None:
        arrived = self._arrived.setdefault(token, _Window(WINDOW)).add(now)
        self.traffic.peak_calls = max(self.traffic.peak_calls, arrived)
        accepted = self._accepted.setdefault(token, _Window(WINDOW)).count(now)
        return rate_limited("TEN_SECONDLY_ROLLING", str(uuid.uuid4())) if accepted >= self._most(kind) else None

    def _search(self, now: float) -> Refusal | None:
        self.traffic.peak_searches = max(self.traffic.peak_searches, self._searches_arrived.add(now))
        full = self._searches.count(now) >= self._settings.searches_per_second
        return rate_limited("SECONDLY", "") if full else None

    def _most(self, kind: Token) -> int:
        own = kind.calls_per_10_seconds
        return self._settings.calls_per_10_seconds if own is None else own

    def _begin_day(self, now: float) -> None:
        if now < self._day_ends:
            return
        zone = ZoneInfo(self._settings.time_zone)
        tomorrow = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
        self._day_ends = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).timestamp()
        self._calls_today = 0

    def headers(self, token: str, kind: Token, *, search: bool) -> list[tuple[bytes, bytes]]:
        """Return the headers that tell what is left. A search tells of the day only, an OAuth token never of it."""
        headers = [] if search else self._burst_headers(token, kind)
        if kind.kind == "private":
            left = max(0, self._settings.calls_per_day - self._calls_today)
            headers += _pair(b"daily", self._settings.calls_per_day, left)
        return headers

    def _burst_headers(self, token: str, kind: Token) -> list[tuple[bytes, bytes]]:
        most, window = self._most(kind), self._accepted.get(token)
        used = window.count(self._settings.clock()) if window else 0
        return [
            (_PREFIX + b"max", b"%d" % most),
            (_PREFIX + b"remaining", b"%d" % max(0, most - used)),
            (_PREFIX + b"interval-milliseconds", b"%d" % (WINDOW * 1000)),
            *_pair(b"secondly", _SECONDLY, _SECONDLY - 1),
        ]


def _pair(name: bytes, most: int, left: int) -> list[tuple[bytes, bytes]]:
    return [(_PREFIX + name, b"%d" % most), (_PREFIX + name + b"-remaining", b"%d" % left)]
