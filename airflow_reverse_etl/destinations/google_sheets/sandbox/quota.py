"""Requests per minute: Google counts reads and writes apart, for the user and for the project."""

from __future__ import annotations

import time

from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import too_many
from airflow_reverse_etl.destinations.google_sheets.sandbox.settings import Settings


class Quota:
    """Counts requests in windows of a minute that refill all at once.

    `reads`, `writes` and `refused` count since the start; what is refused is not counted as read or write.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.reads = 0
        self.writes = 0
        self.refused = 0
        self._began = 0.0
        self._used = {False: 0, True: 0}  # in this window, by whether it is a write

    def take(self, *, write: bool) -> None:
        """Count a request.

        :raises ApiError: 429 when the user's or the project's minute is used up.
        """
        settings = self.settings
        now = time.monotonic()
        if now - self._began >= settings.window_seconds:
            self._began, self._used = now, {False: 0, True: 0}
        per_user = settings.writes_per_minute if write else settings.reads_per_minute
        per_project = settings.project_writes_per_minute if write else settings.project_reads_per_minute
        limit = min(per_user, per_project)
        if self._used[write] >= limit:
            self.refused += 1
            raise too_many(write=write, per_user=limit == per_user, limit=limit)
        self._used[write] += 1
        if write:
            self.writes += 1
        else:
            self.reads += 1
