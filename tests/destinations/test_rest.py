"""JSON over HTTP, against a real server: what is sent, what each answer means, whose token it is, and who counts."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from email.utils import format_datetime
from pathlib import Path

import pytest
from http_script import HTML, TOKEN, Client, Reply, Request, Server, failure

from airflow_reverse_etl.destinations.base import SyncHook
from airflow_reverse_etl.destinations.rest import Answer, Rest
from airflow_reverse_etl.errors import BatchRejectedError, FatalError, RetryableError, SyncError, UnknownOutcomeError

AT_ONCE = 16

# --- what is sent ----------------------------------------------------------------------------------------------------


def test_a_request_carries_token_json_and_parameters(server: Server, rest: Rest) -> None:
    """JSON goes out as UTF-8 with every digit, below the address, with the token and its own headers."""
    body = {"name": "Žofie 😀", "number": 2**63 - 1, "none": None}
    answer = rest.write("POST", "/v1/things", json_body=body, params={"a": "b c"}, headers={"X-Mine": "1"})
    assert (answer.status, answer.body) == (200, {})
    (sent,) = server.seen
    assert (sent.method, sent.path) == ("POST", "/v1/things?a=b+c")
    assert json.loads(sent.body) == body
    assert "😀".encode() in sent.body
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["X-Mine"] == "1"


def test_bytes_are_sent_as_they_are(server: Server, rest: Rest) -> None:
    """`data` is the body, for hooks that write JSON of their own."""
    rest.write("PATCH", "things", data=b'{"n":1.10}')
    assert (server.seen[0].method, server.seen[0].body) == ("PATCH", b'{"n":1.10}')


def test_netrc_does_not_replace_the_token(
    server: Server, rest: Rest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `.netrc` of the worker that names the host is not asked."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    rest.read("GET", "things")
    assert server.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_the_proxy_of_the_environment_is_used(server: Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that reaches the world through a proxy reaches the application through it, with the token."""
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    client("http://acme.example").read("GET", "things")
    assert server.seen[0].path == "http://acme.example/things"
    assert server.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_redirect_is_not_followed(server: Server, rest: Rest) -> None:
    """A redirected POST would become a GET and lose its rows: the call stops, and the token goes nowhere else."""
    for status in (301, 302, 303, 307, 308):
        for body in (b"", HTML):
            server.says(Reply(status, body, {"Location": f"{server.url}/elsewhere"}))
            assert type(failure(rest)) is FatalError
    assert {request.path for request in server.seen} == {"/things"}


def test_connections_are_kept_open(server: Server, rest: Rest) -> None:
    """Many calls of one thread share a connection."""
    ports = set()
    finish = server.finish_request
    server.finish_request = lambda request, address: (ports.add(address), finish(request, address))  # type: ignore[method-assign]
    for _ in range(5):
        rest.read("GET", "things")
    assert (len(server.seen), len(ports)) == (5, 1)


# --- what a status means ---------------------------------------------------------------------------------------------

STATUSES = {
    BatchRejectedError: (400, 409, 413, 414, 422),
    FatalError: (300, 304, 401, 402, 403, 404, 405, 406, 410, 415, 418, 431, 451, 499),
    RetryableError: (408, 423, 425, 429, 503),
    UnknownOutcomeError: (500, 501, 502, 504, 505, 507, 520, 524, 599),
}


@pytest.mark.parametrize(("kind", "status"), [(kind, status) for kind, many in STATUSES.items() for status in many])
def test_a_status_means_the_same_whatever_comes_with_it(server: Server, rest: Rest, kind: type, status: int) -> None:
    """The table from status to error, with a JSON, an HTML, a text and no body; HTML is never quoted."""
    for body in (b'{"message": "no"}', HTML, b"plain words", b"", b'{"message": '):
        server.says(Reply(status, b"" if status == 304 else body))
        error = failure(rest)
        assert type(error) is kind
        assert error.code == f"HTTP_{status}"  # type: ignore[attr-defined]  # all four have it
        assert f"HTTP {status}" in str(error)
        assert "Acme" in str(error)
        assert "Sign in" not in str(error)
    if status != 304:
        server.says(Reply(status, b"plain words"))
        assert "plain words" in str(failure(rest))


@pytest.mark.parametrize("status", [200, 201, 202, 207])
def test_every_good_status_is_an_answer(server: Server, rest: Rest, status: int) -> None:
    """JSON, headers in any case, and the status come back."""
    server.says(Reply(status, b'{"n": 1}', {"X-Limit": "7"}))
    answer = rest.write("POST", "things")
    assert (answer.status, answer.body, answer.headers["x-limit"]) == (status, {"n": 1}, "7")


def test_nothing_is_an_answer_too(server: Server, rest: Rest) -> None:
    """204 has no body; what that means is the hook's to say."""
    server.says(Reply(204, b""))
    assert (rest.write("DELETE", "things").status, rest.write("DELETE", "things").body) == (204, None)


def test_the_applications_own_judge_comes_first(server: Server, client: Client) -> None:
    """What the judge says counts; where it says nothing, the table does. It is given status, headers and body."""
    asked: list[Answer] = []

    def judge(answer: Answer) -> SyncError | None:
        asked.append(answer)
        return RetryableError("locked", code="LOCKED") if answer.body == {"code": "LOCKED"} else None

    rest = client(judge=judge)
    server.says(Reply(403, b'{"code": "LOCKED"}', {"X-Limit": "7"}))
    assert str(failure(rest)) == "locked"
    server.says(Reply(403, b'{"code": "OTHER"}'))
    assert type(failure(rest)) is FatalError
    assert (asked[0].status, asked[0].headers["x-limit"]) == (403, "7")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("written", "least", "most"),
    [
        ("3", 3, 3),
        (" 120 ", 120, 120),
        ("0", 0, 0),
        ("0.5", 0.5, 0.5),
        ("-5", 0, 0),
        ("in:+90", 80, 90),
        ("in:-90", 0, 0),
        ("soon", None, None),
        ("", None, None),
        ("2026-01-01", None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    server: Server, rest: Rest, status: int, written: str, least: float | None, most: float | None
) -> None:
    """RFC 9110: a number of seconds, or a date; what is neither says nothing."""
    if written.startswith("in:"):
        then = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=int(written[3:]))
        written = format_datetime(then, usegmt=True)
    server.says(Reply(status, b"", {"Retry-After": written}))
    error = failure(rest)
    assert isinstance(error, RetryableError)
    if least is None or most is None:
        assert error.retry_after is None
    else:
        assert error.retry_after is not None
        assert least <= error.retry_after <= most


# --- tokens ----------------------------------------------------------------------------------------------------------


class Logins:
    """An application that takes only its newest token."""

    def __init__(self, valid: str = "secret-token-2") -> None:
        self.valid = valid
        self.count = 0

    def renew(self) -> str:
        """Log in."""
        self.count += 1
        return "secret-token-2"

    def __call__(self, request: Request) -> Reply:
        good = request.headers["Authorization"] == f"Bearer {self.valid}"
        return Reply() if good else Reply(401, b'{"message": "expired"}')


def test_an_expired_token_is_renewed_and_the_call_made_again(server: Server, client: Client, counted: SyncHook) -> None:
    """A 401 leads to one login and the same request with the new token, which later calls use at once."""
    logins = server.script = Logins()
    rest = client(renew=logins.renew)
    assert rest.write("POST", "things", json_body={"n": 1}).status == 200
    assert rest.write("POST", "things", json_body={"n": 2}).status == 200
    assert logins.count == 1
    assert [json.loads(request.body)["n"] for request in server.seen] == [1, 1, 2]
    assert counted.calls == 3


def test_sixteen_threads_log_in_once(server: Server, client: Client, counted: SyncHook) -> None:
    """All threads are refused at the same moment; one logs in, the others wait for it and use its token."""
    logins = Logins()
    together = threading.Barrier(AT_ONCE)

    def script(request: Request) -> Reply:
        if request.headers["Authorization"] == f"Bearer {TOKEN}":
            together.wait(10)
        return logins(request)

    server.script = script
    rest = client(renew=logins.renew, threads=AT_ONCE)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda n: rest.write("POST", f"things/{n}"), range(AT_ONCE)))
    assert [answer.status for answer in answers] == [200] * AT_ONCE
    assert logins.count == 1
    assert counted.calls == len(server.seen) == 2 * AT_ONCE


def test_a_second_401_is_final(server: Server, client: Client) -> None:
    """A new token that is refused, too, was not the trouble: one login, two requests, stop."""
    logins = server.script = Logins(valid="what nobody has")
    assert type(failure(client(renew=logins.renew))) is FatalError
    assert (logins.count, len(server.seen)) == (1, 2)


def test_a_token_that_cannot_be_renewed_is_final_at_once(server: Server, rest: Rest) -> None:
    """Without a login there is nothing to try."""
    server.says(Reply(401, b""))
    assert type(failure(rest)) is FatalError
    assert len(server.seen) == 1


@pytest.mark.parametrize("error", [FatalError("revoked"), RetryableError("login is down")])
def test_a_login_that_fails_says_what_it_means(server: Server, client: Client, error: SyncError) -> None:
    """The login's own error comes through; the next call tries again."""

    def renew() -> str:
        raise error

    server.says(Reply(401, b""))
    rest = client(renew=renew)
    assert failure(rest) is error
    assert failure(rest) is error


# --- counting --------------------------------------------------------------------------------------------------------


def test_every_request_is_counted_once(server: Server, client: Client, counted: SyncHook) -> None:
    """`calls` is the number of requests of all threads, whatever came of them."""
    server.script = lambda request: Reply(503 if request.path.endswith("7") else 200)
    rest = client(threads=AT_ONCE)

    def call(number: int) -> None:
        with suppress(RetryableError):
            rest.write("POST", f"things/{number}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(call, range(160)))
    assert counted.calls == len(server.seen) == 160


def test_a_slot_is_held_while_a_request_is_under_way(server: Server, client: Client, counted: SyncHook) -> None:
    """The engine's pace is asked before each request, and told of its end, also where it fails."""

    class Pace:
        def __init__(self) -> None:
            self.events: list[str] = []

        @contextmanager
        def slot(self) -> Iterator[None]:
            self.events.append("taken")
            try:
                yield
            finally:
                self.events.append("given back")

    pace = counted.pace = Pace()
    rest = client()
    server.script = lambda request: pace.events.append("request") or Reply()
    rest.read("GET", "things")
    server.script = lambda request: pace.events.append("request")
    failure(rest)
    assert pace.events == ["taken", "request", "given back"] * 2
