"""All that one sandbox org remembers: data, sessions, counters, query locators, and what clients did wrong."""

from __future__ import annotations

import time
from email.utils import formatdate

from airflow_reverse_etl.destinations.salesforce.sandbox.locators import Locators
from airflow_reverse_etl.destinations.salesforce.sandbox.sessions import Sessions
from airflow_reverse_etl.destinations.salesforce.sandbox.settings import Settings
from airflow_reverse_etl.destinations.salesforce.sandbox.store import Store

_DAY = 86_400.0


class Usage:
    """Counts the API requests of 24 hours."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._since = time.monotonic()
        self.used = 0

    @property
    def allowed(self) -> int:
        """Requests that 24 hours allow."""
        return self._settings.daily_api_requests

    def count(self) -> bool:
        """Count a request; False when it is one too many, and then it is not counted."""
        if time.monotonic() - self._since > _DAY:
            self._since, self.used = time.monotonic(), 0
        if self.used >= self.allowed:
            return False
        self.used += 1
        return True

    def jump(self, share: float) -> None:
        """Have that share of the requests used up, as if other clients of the org had been busy."""
        self.used = max(self.used, int(self.allowed * share))


class Org:
    """The state behind the endpoints. `reset` makes everything anew; who holds the org keeps it."""

    def __init__(self) -> None:
        self.violations: list[dict[str, object]] = []
        self.schema_time = 0
        self.reset()

    def reset(self) -> None:
        """Go back to the state of a new org."""
        self.violations.clear()
        self.settings = Settings()
        self.store = Store(self.settings)
        self.sessions = Sessions(self.settings, self.store.org_id)
        self.usage = Usage(self.settings)
        self.locators = Locators(self.settings)
        self.running: dict[int, float] = {}
        self.schema_changed()

    def schema_changed(self) -> None:
        """Let clients that remember a describe see that it is out of date."""
        # HTTP dates have whole seconds: each change moves the date, also twice in one second.
        self.schema_time = max(int(time.time()), self.schema_time + 1)
        self.last_modified = formatdate(self.schema_time, usegmt=True)

    def violated(self, method: str, path: str, status: int, reason: str) -> None:
        """Note a request that no correct client sends."""
        self.violations.append({"method": method, "path": path, "status": status, "reason": reason})
