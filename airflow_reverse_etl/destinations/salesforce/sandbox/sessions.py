"""The sessions of the org: tokens, their end, and the address of the instance that they are good for."""

from __future__ import annotations

import secrets
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.sandbox.settings import Settings

_HOUR = 3600.0


@dataclass
class Session:
    """One token's life: seconds of the monotonic clock when it was last used, and requests since the login."""

    last_used: float
    requests: int = 0


class Sessions:
    """Hands out tokens and knows which are live."""

    def __init__(self, settings: Settings, org_id: str) -> None:
        self._settings = settings
        self._org_id = org_id
        self._live: dict[str, Session] = {}
        self._logins: deque[float] = deque()
        self._moves = 0

    @property
    def host(self) -> str:
        """The host name of the instance, which changes when the org is moved."""
        suffix = f"-{self._moves}" if self._moves else ""
        return f"{self._settings.my_domain}{suffix}.my.salesforce.com"

    def open(self) -> str | None:
        """Log in: give a new token, or None when this hour has seen too many logins."""
        now = time.monotonic()
        while self._logins and now - self._logins[0] > _HOUR:
            self._logins.popleft()
        if len(self._logins) >= self._settings.logins_per_hour:
            return None
        self._logins.append(now)
        token = f"{self._org_id[:15]}!AQ{secrets.token_urlsafe(60)}"
        self._live[token] = Session(now)
        return token

    def accept(self, token: str, host: str | None) -> bool:
        """Tell whether a request with this token may pass, and count it.

        :param host: the host that the client called, if it says so; the instance that the org has left serves nobody.
        """
        session = self._live.get(token)
        if session is None or (host is not None and self._moves and host != self.host):
            return False
        now = time.monotonic()
        limit = self._settings.session_requests
        if now - session.last_used > self._settings.session_seconds or (
            limit is not None and session.requests >= limit
        ):
            del self._live[token]
            return False
        session.last_used = now
        session.requests += 1
        return True

    def close(self, token: str) -> None:
        """End one session."""
        self._live.pop(token, None)

    def close_all(self) -> None:
        """End every session, as an administrator may."""
        self._live.clear()

    def move(self) -> None:
        """Move the org to another instance: old tokens and the old host end."""
        self._moves += 1
        self.close_all()
