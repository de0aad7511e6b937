"""A small HTTP server whose every answer a test writes, for what no sandbox would say of itself."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from airflow_reverse_etl.destinations.rest import Rest
from airflow_reverse_etl.errors import SyncError

TOKEN = "secret-token-1"
HTML = b"<!DOCTYPE html><html><body>Sign in, please</body></html>"
Client = Callable[..., Rest]
"""Makes a client of the server: `client(url=..., renew=..., ...)`."""


@dataclass(frozen=True)
class Request:
    """What came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What goes out.

    :param cut: announce the whole body, send all but so many bytes of it, and hang up.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0


Script = Callable[[Request], Reply | None]
"""Answers a request; None hangs up without a word."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the client was tired of waiting
            self.close_connection = True

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, dict(self.headers), body)
        with self.server.lock:
            self.server.seen.append(request)
        reply = self.server.script(request)
        if reply is None or reply.cut:
            self.close_connection = True
        if reply is None:
            return
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) - reply.cut])

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Serves on a free port of loopback; `seen` holds what came in, `script` says what goes out."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[Request] = []
        self.lock = threading.Lock()
        self.script: Script = lambda request: Reply()
        self.scheme = "http"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def says(self, reply: Reply) -> None:
        """Answer every request alike."""
        self.script = lambda request: reply

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what some tests are about."""


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    """Serve for as long as the block lasts.

    :param certificate: PEM file with certificate and key; None is plain http.
    """
    server = Server()
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def failure(rest: Rest, method: str = "POST", path: str = "things", **how: Any) -> SyncError:
    """Make a call that must fail; return the error. No error repeats the token."""
    with pytest.raises(SyncError) as raised:
        rest.write(method, path, **how)
    assert TOKEN not in str(raised.value)
    return raised.value
