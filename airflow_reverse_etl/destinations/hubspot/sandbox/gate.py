"""Between HTTP and the handlers: who may come in, how fast, in which version; and how the answer goes out."""

from __future__ import annotations

import asyncio
import gzip
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response

from airflow_reverse_etl.destinations.hubspot.sandbox import faults
from airflow_reverse_etl.destinations.hubspot.sandbox.answers import (
    Answer,
    Refusal,
    malformed,
    missing_scopes,
    unauthorized,
)
from airflow_reverse_etl.destinations.hubspot.sandbox.call import Call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from airflow_reverse_etl.destinations.hubspot.sandbox.call import Handler
    from airflow_reverse_etl.destinations.hubspot.sandbox.portal import ObjectType, Portal
    from airflow_reverse_etl.destinations.hubspot.sandbox.settings import Token

    Headers = list[tuple[bytes, bytes]]

_encode = msgspec.json.Encoder().encode
_LEGACY = "v3"
_WORTH_COMPRESSING = 1_000


@dataclass(frozen=True, slots=True)
class Verb:
    """What one HTTP method does on one path.

    :param scope: the scope it needs, with `{object}` for the object of the path; "" for none.
    """

    handle: Handler
    scope: str = ""
    search: bool = False


class Gate:
    """Turns requests into calls, and answers into responses."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def endpoint(self, verbs: Mapping[str, Verb]) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint for one path."""

        async def answer(request: Request) -> Response:
            return await self._answer(request, verbs)

        return answer

    async def _answer(self, request: Request, verbs: Mapping[str, Verb]) -> Response:
        portal = self._portal
        limits = portal.limits
        limits.traffic.begin()
        status = 500
        try:
            body = await request.body()
            visit = _Visit(portal, request, verbs.get(request.method), body)
            response = visit.response(unknown=not verbs)
            status = response.status_code
            request.scope["sandbox.records"] = visit.rows or None
            await _wait(portal, visit.rows)
            return response
        finally:
            limits.traffic.end(status)


async def _wait(portal: Portal, rows: int) -> None:
    settings = portal.settings
    seconds = settings.latency_seconds + rows * settings.latency_per_row_seconds
    if settings.latency_jitter_seconds:
        seconds += portal.random.uniform(0, settings.latency_jitter_seconds)
    if seconds > 0:
        await asyncio.sleep(seconds)


class _Visit:
    """One request on its way through."""

    def __init__(self, portal: Portal, request: Request, verb: Verb | None, body: bytes) -> None:
        self._portal = portal
        self._request = request
        self._verb = verb
        self._body = body
        self._fault: Mapping[str, object] = request.scope.get("sandbox.fault") or {}
        self._token = ""
        self._kind: Token | None = None
        self._call: Call | None = None

    @property
    def rows(self) -> int:
        return self._call.rows if self._call else 0

    def response(self, *, unknown: bool) -> Response:
        correlation_id = str(uuid.uuid4())
        extra: Mapping[str, str] = {}
        try:
            answer = self._handled(unknown=unknown)
        except Refusal as refusal:
            answer, extra = Answer(refusal.status, refusal.body(correlation_id)), refusal.headers
            if refusal.malformed:
                self._violation(refusal)
        if self._call is not None:
            faults.spoil(self._call, answer)
        return self._sent(answer, correlation_id, extra)

    def _handled(self, *, unknown: bool) -> Answer:
        request, verb = self._request, self._verb
        self._authenticate()
        faults.refuse(self._fault)
        self._portal.limits.admit(self._token, self._granted, search=verb is not None and verb.search)
        version = request.path_params.get("version", _LEGACY)
        if unknown or version not in self._portal.settings.versions:
            raise malformed("resource not found", 404, "OBJECT_NOT_FOUND")
        if verb is None:
            raise malformed("Method Not Allowed", 405, "METHOD_NOT_ALLOWED")
        kind = self._object()
        scopes = (verb.scope.format(object="custom" if kind.custom else kind.name),) if verb.scope else ()
        call = self._call = Call(
            self._portal,
            request.method,
            request.url.path,
            version,
            kind,
            request.path_params.get("tail", ""),
            request.query_params,
            self._body,
            self._fault,
        )
        self._authorize(scopes)
        if self._body and not request.headers.get("content-type", "").startswith("application/json"):
            raise malformed("HTTP 415 Unsupported Media Type", 415, None)
        return verb.handle(call)

    @property
    def _granted(self) -> Token:
        if self._kind is None:
            raise unauthorized()
        return self._kind

    def _authenticate(self) -> None:
        scheme, _, token = self._request.headers.get("authorization", "").partition(" ")
        known = self._portal.settings.tokens.get(token.strip())
        if scheme.lower() != "bearer" or known is None:
            raise unauthorized()
        if known.expired:
            raise unauthorized(expired=True)
        self._token, self._kind = token.strip(), known

    def _authorize(self, scopes: tuple[str, ...]) -> None:
        granted = self._granted.scopes
        lacking = granted is not None and not granted.issuperset(scopes)
        if lacking or self._fault.get("mode") == "scopes_missing":
            raise missing_scopes(*scopes)

    def _object(self) -> ObjectType:
        named = self._request.path_params.get("object")
        if named is None:
            return next(iter(self._portal.types.values()))
        return self._portal.type_named(named)

    def _violation(self, refusal: Refusal) -> None:
        self._portal.violations.append(
            {
                "method": self._request.method,
                "path": self._request.url.path,
                "status": refusal.status,
                "reason": refusal.message,
            }
        )

    def _sent(self, answer: Answer, correlation_id: str, extra: Mapping[str, str]) -> Response:
        headers: Headers = [(b"x-hubspot-correlation-id", correlation_id.encode())]
        headers += [(name.encode(), value.encode()) for name, value in extra.items()]
        if self._kind is not None and self._fault.get("mode") != "headers_missing":
            search = self._verb is not None and self._verb.search
            headers += self._portal.limits.headers(self._token, self._kind, search=search)
        content = b""
        if answer.body is not None:
            content = _encode(answer.body)
            headers.append((b"content-type", b"application/json;charset=utf-8"))
            if self._compresses(content):
                content = gzip.compress(content, 1)
                headers.append((b"content-encoding", b"gzip"))
            headers.append((b"content-length", b"%d" % len(content)))
        response = Response(content, answer.status)
        response.raw_headers = headers
        return response

    def _compresses(self, content: bytes) -> bool:
        accepted = self._request.headers.get("accept-encoding", "")
        return self._portal.settings.gzip and len(content) > _WORTH_COMPRESSING and "gzip" in accepted
