"""Remembers the last requests for the page and for tests; bodies, headers and query strings never enter it."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

KEPT = 50_000  # about 15 MB; enough for a load of five million records in calls of a hundred

_TOKEN_IN_PATH = re.compile(r"(?<=tokens/)[^/]+")  # HubSpot's OAuth endpoints carry a token as a part of the path


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and how it was answered.

    :param time: when it arrived, in seconds since 1970.
    :param path: below the destination's address, without the query string, tokens replaced by `…`.
    :param status: of the answer; None when the connection was closed without one.
    :param milliseconds: from the arrival of the request to the first byte of the answer.
    :param request_bytes: length of the body; None when the client did not announce it.
    :param records: records in the request, where the fake counts them (`scope["sandbox.records"]`).
    :param fault: mode of the fault that acted on it.
    """

    time: float
    destination: str
    method: str
    path: str
    status: int | None
    milliseconds: float
    request_bytes: int | None = None
    records: int | None = None
    fault: str | None = None


class Log:
    """The last `KEPT` requests, the oldest first, and how many there were in all."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self.calls: dict[str, int] = {}

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self.calls[entry.destination] = self.calls.get(entry.destination, 0) + 1

    def entries(self, destination: str | None = None) -> list[Entry]:
        return [entry for entry in self._entries if destination in (None, entry.destination)]

    def last(self, count: int) -> list[Entry]:
        """Return the last `count` requests, the newest first, without copying the rest."""
        newest_first = reversed(self._entries)
        return [entry for _, entry in zip(range(count), newest_first, strict=False)]

    def clear(self, destination: str | None = None) -> None:
        kept = [entry for entry in self._entries if destination not in (None, entry.destination)]
        self._entries = deque(kept, maxlen=KEPT)
        self.calls = {name: count for name, count in self.calls.items() if destination not in (None, name)}


def public_path(path: str) -> str:
    """Return a path without the tokens that some endpoints carry in it."""
    return _TOKEN_IN_PATH.sub("…", path) if "tokens/" in path else path
