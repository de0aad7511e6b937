"""JSON over HTTP as the sync hooks need it: with timeouts, a renewed token, and one table from status to error."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from airflow_reverse_etl.errors import (
    BatchRejectedError,
    ConfigurationError,
    FatalError,
    RetryableError,
    SyncError,
    UnknownOutcomeError,
)

CONNECT_SECONDS = 10
RENEWALS = 3
"""How often one call may get a new token: more than once only if other threads have used the last one up."""

READ_SECONDS = 130
"""Longer than any application takes before it gives up itself (HubSpot 100 s), so that we rarely guess."""

STATUS: Mapping[int, type[SyncError]] = {
    400: BatchRejectedError,
    401: FatalError,
    403: FatalError,
    404: FatalError,
    405: FatalError,
    408: RetryableError,
    409: BatchRejectedError,
    410: FatalError,
    413: BatchRejectedError,
    414: BatchRejectedError,
    415: FatalError,
    422: BatchRejectedError,
    423: RetryableError,
    425: RetryableError,
    429: RetryableError,
    503: RetryableError,
}
"""What a status means unless the application's own judge knows better. Every other 3xx and 4xx stops, every other 5xx
leaves open whether the call was applied."""


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers (any case), the JSON body or None, and the beginning of a body that is none."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str = ""


def _printable(token: str) -> str:
    """Return a token that a header can hold; the library's own complaint would quote it.

    :raises ConfigurationError: it holds a control character or blanks.
    """
    text = token.strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        message = "the connection's token holds blanks, line breaks or letters beyond ASCII: paste it once more"
        raise ConfigurationError(message)
    return text


Judge = Callable[[Answer], SyncError | None]
"""Reads an application's refusal: the error that it means, or None to let `STATUS` decide."""


class Bearer(AuthBase):
    """Puts the token on every request, whatever a `.netrc` says, and renews it once for all threads.

    :param token: the token to start with.
    :param renew: fetches a new one; None where the token cannot be renewed.
    """

    def __init__(self, token: str, renew: Callable[[], str] | None = None) -> None:
        self.token = _printable(token)
        self._renew = renew
        self._lock = threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the `Authorization` header."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request

    def renew(self, refused: str) -> bool:
        """Replace a token that was refused; return False where that is impossible.

        :raises FatalError, RetryableError: from the login.
        """
        if self._renew is None:
            return False
        with self._lock:
            if self.token == refused:  # else another thread was faster
                self.token = _printable(self._renew())
        return True


class Rest:
    """An application's API under one address.

    :param url: the address before every path.
    :param auth: see `Bearer`.
    :param slot: taken for each request (`SyncHook.slot`).
    :param judge: the application's own reading of refusals.
    :param name: the application's name, for messages.
    :param threads: how many requests may be under way at once, so that each finds an open connection.
    :param headers: on every request.
    :param session: None makes one; a session that is given keeps its own adapters and proxies.
    :param read_seconds: how long an answer may take.
    """

    def __init__(
        self,
        url: str,
        auth: Bearer,
        slot: Callable[[], AbstractContextManager[None]],
        *,
        judge: Judge | None = None,
        name: str = "the application",
        threads: int = 8,
        headers: Mapping[str, str] | None = None,
        session: requests.Session | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self.url = url.rstrip("/")
        self.auth = auth
        self.name = name
        self._slot = slot
        self._judge = judge
        self._timeout = (CONNECT_SECONDS, read_seconds)
        self.session = session or requests.Session()
        self.session.auth = auth
        self.session.headers.update(headers or {})
        if session is None:
            for scheme in ("https://", "http://"):
                self.session.mount(scheme, HTTPAdapter(pool_maxsize=threads, max_retries=0))

    def read(self, method: str, path: str, **request: Any) -> Answer:
        """Make a call that changes nothing: whatever is lost of it may be asked again.

        :raises FatalError, RetryableError, BatchRejectedError:
        """
        try:
            return self.write(method, path, **request)
        except UnknownOutcomeError as error:
            raise RetryableError(str(error), code=error.code) from error

    def write(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        data: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make a call that may change something.

        :param path: below the address; a full URL is taken as it is.
        :param json_body: sent as JSON; `data` is sent as it is.
        :raises FatalError, RetryableError, UnknownOutcomeError, BatchRejectedError: by what the answer means.
        """
        if json_body is not None:
            data = json.dumps(json_body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        if data is not None:
            headers = {"Content-Type": "application/json", **(headers or {})}
        url = path if "://" in path else f"{self.url}/{path.lstrip('/')}"
        token = self.auth.token
        answer = self._once(method, url, data, params, headers)
        for attempt in range(RENEWALS):  # 401: refused before anything was done
            ours_was_new = attempt > 0 and self.auth.token == token
            if answer.status != 401 or ours_was_new or not self.auth.renew(token):
                break
            token = self.auth.token
            answer = self._once(method, url, data, params, headers)
        if 200 <= answer.status < 300:
            return answer
        raise self._error(answer)

    def _once(
        self,
        method: str,
        url: str,
        data: bytes | None,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        with self._slot():
            try:
                response = self.session.request(
                    method,
                    url,
                    data=data,
                    params=params,
                    headers=headers,
                    timeout=self._timeout,
                    allow_redirects=False,  # a redirected POST becomes a GET and loses its rows
                )
            except requests.RequestException as error:
                raise transport_error(error, self.name) from error
        return self._parse(response)

    def _parse(self, response: requests.Response) -> Answer:
        if not response.content:
            return Answer(response.status_code, response.headers, None)
        try:
            return Answer(response.status_code, response.headers, response.json())
        except ValueError:
            if not 200 <= response.status_code < 300:
                return Answer(response.status_code, response.headers, None, response.text[:500])
            kind = "HTML" if response.text.lstrip()[:1] == "<" else "something that is no JSON"
            message = (
                f"{self.name} answered {response.status_code} with {kind} "
                f"({len(response.content)} bytes); is {self.url} the address of its API?"
            )
            raise UnknownOutcomeError(message, code="NOT_JSON") from None

    def _error(self, answer: Answer) -> SyncError:
        judged = self._judge(answer) if self._judge else None
        return judged or default_error(answer, self.name)


def default_error(answer: Answer, name: str) -> SyncError:
    """Return the error that a status means by itself."""
    kind = STATUS.get(answer.status) or (UnknownOutcomeError if answer.status >= 500 else FatalError)
    said = answer.text.strip().splitlines()[0][:200] if answer.text.strip() else ""
    message = f"{name} answered HTTP {answer.status}" + (f": {said}" if said and said[:1] != "<" else "")
    code = f"HTTP_{answer.status}"
    if kind is RetryableError:
        return RetryableError(message, retry_after=retry_after(answer.headers), code=code)
    return kind(message, code=code)  # type: ignore[call-arg]  # every class of the table takes a code


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a `Retry-After` header asks for (RFC 9110, section 10.2.3: seconds or a date)."""
    written = headers.get("Retry-After")
    if not written:
        return None
    try:
        return max(0.0, float(written))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(written).timestamp() - time.time())
    except ValueError:
        return None


def transport_error(error: requests.RequestException, name: str) -> SyncError:
    """Return what a failure below HTTP means: never sent, perhaps applied, or wrongly configured."""
    cause = _innermost(error)
    if isinstance(error, requests.exceptions.SSLError) and "EOF" not in cause:
        message = f"no secure connection to {name}: {cause}; check the address and the certificate"
        return FatalError(message, code="TLS")
    never_sent = (
        isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError)
        or "NewConnectionError" in repr(error)
        or "NameResolutionError" in repr(error)
    )
    if never_sent:
        return RetryableError(f"{name} cannot be reached: {cause}", code="UNREACHABLE")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return FatalError(f"{name}: {cause}", code="URL")
    return UnknownOutcomeError(f"{name} did not answer: {cause}", code="NO_ANSWER")


def _innermost(error: BaseException) -> str:
    """Return the words of the failure itself; the wrappers around it repeat the URL."""
    while True:
        reason = getattr(error, "reason", None)
        inner = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
        if inner is None:
            return str(error) or type(error).__name__
        error = inner
