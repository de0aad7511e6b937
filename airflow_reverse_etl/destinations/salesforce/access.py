"""A session with Salesforce on every request: its token, and the host where the org is now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from airflow_reverse_etl.destinations.rest import Bearer
from airflow_reverse_etl.destinations.salesforce.login import Session

if TYPE_CHECKING:
    import requests


class SessionAuth(Bearer):
    """The token of a session, renewed once for all threads; requests follow an org that has moved to another host.

    :param session: to start with.
    :param log_in: opens another one, where the session is not just an id that somebody wrote down.
    :param detoured: calls go to a `base_url`, and carry the org's host as a header only.
    """

    def __init__(self, session: Session, log_in: Callable[[], Session], *, detoured: bool) -> None:
        self.session = session
        self._log_in = log_in
        self._detoured = detoured
        super().__init__(session.token, None if session.kind == "direct" else self._new_token)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put token and host on a request that is about to be sent."""
        if self._detoured:
            request.headers["X-Original-Host"] = self.session.instance
        elif request.url:
            request.url = urlunsplit(urlsplit(request.url)._replace(netloc=self.session.instance))
        return super().__call__(request)

    def _new_token(self) -> str:
        self.session = self._log_in()
        return self.session.token
