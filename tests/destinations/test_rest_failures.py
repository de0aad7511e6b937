"""Below HTTP, against real servers and sockets: what a call without a good answer has done, and may be made again."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from pathlib import Path

import pytest
from http_script import HTML, Client, Reply, Server, failure, serving

from airflow_reverse_etl.destinations import rest as rest_module
from airflow_reverse_etl.destinations.base import SyncHook
from airflow_reverse_etl.destinations.rest import Rest
from airflow_reverse_etl.errors import FatalError, RetryableError, UnknownOutcomeError


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_a_server_that_is_not_there_was_never_reached(client: Client, counted: SyncHook) -> None:
    """Connection refused: the call may be made again, and was counted."""
    error = failure(client(f"http://127.0.0.1:{closed_port()}"))
    assert (type(error), error.code) == (RetryableError, "UNREACHABLE")  # type: ignore[attr-defined]
    assert "refused" in str(error)
    assert counted.calls == 1


def test_a_name_that_nobody_has_was_never_reached(client: Client) -> None:
    """A host name that does not resolve: the call may be made again."""
    error = failure(client("http://acme.invalid"))
    assert (type(error), error.code) == (RetryableError, "UNREACHABLE")  # type: ignore[attr-defined]


def test_a_proxy_that_is_not_there_was_never_passed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call did not get further than the proxy: it may be made again."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert type(failure(client("http://acme.example"))) is RetryableError


def test_a_connection_that_is_never_made_was_never_reached(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that does not answer the knock: the call may be made again."""
    monkeypatch.setattr(rest_module, "CONNECT_SECONDS", 0.3)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for knock in waiting:  # fill the queue: whoever knocks now hears nothing
            knock.setblocking(False)
            knock.connect_ex(busy.getsockname())
        error = failure(client(f"http://127.0.0.1:{busy.getsockname()[1]}"))
        for knock in waiting:
            knock.close()
    assert type(error) is RetryableError


def test_an_answer_that_never_comes_leaves_the_outcome_open(server: Server, client: Client) -> None:
    """A read that times out: the call may have been carried out."""
    over = threading.Event()
    server.script = lambda request: Reply() if over.wait(5) else None
    error = failure(client(read_seconds=0.3))
    over.set()
    assert (type(error), error.code) == (UnknownOutcomeError, "NO_ANSWER")  # type: ignore[attr-defined]


LOST = {
    "hung up": None,
    "truncated": Reply(200, b'{"results": [1, 2, 3]}', cut=5),
    "no byte of the body": Reply(200, b'{"results": []}', cut=15),
    "half a JSON": Reply(200, b'{"results": [1, 2'),
    "HTML": Reply(200, HTML, {"Content-Type": "text/html"}),
    "HTML called JSON": Reply(200, b"\n  " + HTML, {"Content-Type": "application/json"}),
    "text": Reply(200, b"OK", {"Content-Type": "text/plain"}),
    "no gzip": Reply(200, b"not compressed at all", {"Content-Encoding": "gzip"}),
    "bad chunks": Reply(200, b"zz\r\nnot a chunk\r\n", {"Transfer-Encoding": "chunked"}),
}


@pytest.mark.parametrize("name", LOST)
def test_an_answer_that_cannot_be_read_leaves_the_outcome_open(server: Server, rest: Rest, name: str) -> None:
    """A good status whose body is lost or is no JSON proves nothing; the message quotes none of it."""
    server.script = lambda request: LOST[name]
    error = failure(rest)
    assert type(error) is UnknownOutcomeError
    assert "Acme" in str(error)
    assert "Sign in" not in str(error)


@pytest.mark.parametrize("name", LOST)
def test_a_read_whose_answer_is_lost_may_be_made_again(server: Server, rest: Rest, name: str) -> None:
    """What changes nothing may be asked again."""
    server.script = lambda request: LOST[name]
    with pytest.raises(RetryableError):
        rest.read("GET", "things")


def test_html_in_place_of_json_asks_for_the_address(server: Server, rest: Rest) -> None:
    """The likeliest reason for a page is a wrong address, and the sentence says which one it was."""
    server.says(Reply(200, HTML))
    assert server.url in str(failure(rest))
    assert "HTML" in str(failure(rest))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a certificate for 127.0.0.1 that nobody has reason to trust, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


def test_a_certificate_that_nobody_trusts_is_final(client: Client, certificate: Path) -> None:
    """TLS that fails is configuration: no retry helps, and the token was not sent."""
    with serving(certificate) as secure:
        error = failure(client(secure.url))
        assert secure.seen == []
    assert (type(error), error.code) == (FatalError, "TLS")  # type: ignore[attr-defined]
    assert "certificate" in str(error)


def test_https_to_a_plain_http_server_is_final(server: Server, client: Client) -> None:
    """The scheme of the address is wrong: no retry helps."""
    error = failure(client(server.url.replace("http://", "https://")))
    assert (type(error), error.code) == (FatalError, "TLS")  # type: ignore[attr-defined]


def test_an_address_that_is_none_is_final(client: Client) -> None:
    """A port that is no number: no retry helps."""
    assert type(failure(client("http://127.0.0.1:eighty"))) is FatalError
