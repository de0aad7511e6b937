"""One request and the way its answer takes: what a fault needs to read it, run the fake, answer, or cut the wire."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from starlette.requests import ClientDisconnect

from airflow_reverse_etl.sandbox.runner import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from airflow_reverse_etl.sandbox.runner import Connection

Headers = list[tuple[bytes, bytes]]

_FRAMING = (b"content-length", b"transfer-encoding")
_SOME_JSON = b'{"status": "COMPLETE", "results": []}'


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, held back before it is sent."""

    status: int
    headers: Headers
    body: bytes

    def without(self, *names: bytes) -> Answer:
        return replace(self, headers=[header for header in self.headers if header[0].lower() not in names])

    def with_body(self, body: bytes, content_type: bytes | None = None) -> Answer:
        """Return this answer with another body; its framing and encoding headers follow."""
        bare = self.without(*_FRAMING, b"content-encoding", *([b"content-type"] if content_type else []))
        headers = [*bare.headers, (b"content-length", str(len(body)).encode())]
        if content_type:
            headers.append((b"content-type", content_type))
        return replace(bare, headers=headers, body=body)

    def cuttable(self) -> Answer:
        """Return this answer with at least two bytes to cut between: a 204 becomes a 200 with some JSON."""
        if len(self.body) > 1:
            return self
        return replace(self, status=200).with_body(_SOME_JSON, b"application/json")


class Exchange:
    """What a fault holds in its hands. Exactly one of `forward`, `answer`, `drop` or `cut` ends it.

    :param note: called once with the status that goes out (None: none), before a byte is sent, so that a client that
        has its answer finds it in the log.
    """

    def __init__(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, note: Callable[[int | None], None]
    ) -> None:
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._note = note
        self._untouched = dict(scope)
        self._body: bytes | None = None

    @property
    def connection(self) -> Connection:
        return cast("Connection", self._scope["state"][CONNECTION])

    async def read(self) -> bytes:
        """Read the whole request, so that the fake can be given it later, twice, or never."""
        if self._body is None:
            parts, more = [], True
            while more:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                parts.append(message.get("body", b""))
                more = message.get("more_body", False)
            self._body = b"".join(parts)
        return self._body

    async def forward(self, told: Mapping[str, object] | None = None) -> None:
        """Let the fake answer by itself.

        :param told: put into the scope, for faults that the fake acts out.
        """
        scope = self._fresh_scope()
        scope.update(told or {})
        await self._app(scope, self._receive if self._body is None else self._replay(), self._noting)

    async def commit(self) -> Answer:
        """Let the fake do its work; its answer is held back."""
        status, headers, parts = 500, cast("Headers", []), []

        async def hold(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", []))
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self.read()
        await self._app(self._fresh_scope(), self._replay(), hold)
        return Answer(status, headers, b"".join(parts))

    async def answer(self, answer: Answer) -> None:
        await self._noting({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await self._send({"type": "http.response.body", "body": answer.body})

    async def drop(self) -> None:
        """Close the connection; the client gets not one byte."""
        self._note(None)
        self.connection.close()
        await self._gone()

    async def cut(self, answer: Answer, *, sent: int, reset: bool = False) -> None:
        """Send the first `sent` bytes of the body, then close the connection (`reset`: with RST) before its end."""
        await self._noting({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await self._send({"type": "http.response.body", "body": answer.body[:sent], "more_body": True})
        if reset:
            await asyncio.sleep(0.05)  # the RST would overtake bytes that still wait in the event loop
            self.connection.reset()
        else:
            self.connection.close()
        await self._gone()

    async def _gone(self) -> None:
        # uvicorn answers 500 for an application that returns without an answer, unless it knows that the client left.
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _noting(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._note(message["status"])
        await self._send(message)

    def _fresh_scope(self) -> Scope:
        # Routing writes into the scope; a request that is delivered twice must find its own path again.
        self._scope.update(self._untouched)
        return self._scope

    def _replay(self) -> Receive:
        given = False

        async def receive() -> Message:
            nonlocal given
            if given:
                return await self._receive()
            given = True
            return {"type": "http.request", "body": self._body, "more_body": False}

        return receive
