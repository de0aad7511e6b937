"""What a request to `/services/data` passes on its way to an endpoint: length, session, version, path, verb, quota."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import msgspec
from starlette.responses import Response

from airflow_reverse_etl.destinations.salesforce.sandbox import (
    discovery,
    faults,
    query,
    reading,
    single,
    sobject_collections,
)
from airflow_reverse_etl.destinations.salesforce.sandbox.call import Call, Reply
from airflow_reverse_etl.destinations.salesforce.sandbox.errors import (
    ApiError,
    not_found,
    session_expired,
    wrong_verb,
)

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_reverse_etl.destinations.salesforce.sandbox.org import Org

Endpoint = Callable[[Call], Reply]

# Path below the version -> verb -> endpoint. Where several paths fit, the first one counts.
ENDPOINTS: Mapping[str, Mapping[str, Endpoint]] = {
    "": {"GET": discovery.resources},
    "limits": {"GET": discovery.limits},
    "query": {"GET": query.query},
    "queryAll": {"GET": query.query_all},
    "query/{locator}": {"GET": query.query_more},
    "sobjects": {"GET": discovery.objects},
    "sobjects/{object}": {"GET": discovery.basic, "POST": single.create},
    "sobjects/{object}/describe": {"GET": discovery.describe},
    "sobjects/{object}/{id}": {"GET": single.by_id, "PATCH": single.by_id, "DELETE": single.by_id},
    "sobjects/{object}/{field}/{value}": {"GET": single.by_key, "PATCH": single.by_key, "DELETE": single.by_key},
    "composite/sobjects": {
        "POST": sobject_collections.create,
        "PATCH": sobject_collections.update,
        "DELETE": sobject_collections.delete,
    },
    "composite/sobjects/{object}": {"GET": reading.get_records, "POST": reading.post_records},
    "composite/sobjects/{object}/{field}": {"PATCH": sobject_collections.upsert},
}
_PATHS = [(tuple(path.split("/")) if path else (), verbs) for path, verbs in ENDPOINTS.items()]
_ROOT = b"/services/data"
_WORTH_COMPRESSING = 1024
_HEADERS = {
    "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}


class Gate:
    """The data API of one org; `endpoint` answers every request below `/services/data`."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._numbers = itertools.count()

    async def endpoint(self, request: Request) -> Response:
        """Answer one request."""
        org = self._org
        settings = org.settings
        body = await request.body()
        number = next(self._numbers)
        org.running[number] = time.monotonic()
        try:
            if settings.latency_seconds:
                await asyncio.sleep(settings.latency_seconds)
            reply = self._reply(request, body)
            if settings.row_seconds and reply.rows:
                await asyncio.sleep(settings.row_seconds * reply.rows)
        finally:
            org.running.pop(number, None)
        if request.method != "GET" and reply.rows:
            request.scope["sandbox.records"] = reply.rows
        return self._response(request, reply)

    async def nowhere(self, request: Request) -> Response:
        """Answer a request to an address that the sandbox does not have at all."""
        return self._response(request, self._refused(request, not_found(violation=True)))

    def _reply(self, request: Request, body: bytes) -> Reply:
        try:
            return self._answer(request, body)
        except ApiError as error:
            return self._refused(request, error)

    def _refused(self, request: Request, error: ApiError) -> Reply:
        if error.violation:
            reason = f"{error.code}: {error.message.strip()}"
            self._org.violated(request.method, request.url.path, error.status, reason)
        return Reply(error.body(), error.status, error.headers)

    def _answer(self, request: Request, body: bytes) -> Reply:
        self._check_length(request)
        parts = _parts(request)
        # The server leaves the body out of an answer to HEAD.
        method = "GET" if request.method == "HEAD" else request.method
        if not parts:
            return self._versions(method)
        fault = request.scope.get("sandbox.fault")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}
        self._check_session(headers)
        faults.before_call(fault, self._org)
        version = self._version(parts[0])
        endpoint, at = _find(method, parts[1:])
        self._check_quota()
        asked = dict(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))
        return endpoint(Call(self._org, version, method, at, asked, headers, body, fault))

    def _check_length(self, request: Request) -> None:
        line = len(request.scope["raw_path"]) + len(request.scope["query_string"])
        most = self._org.settings.uri_bytes
        if line > most:
            raise ApiError(414, "URI_TOO_LONG", f"The URI is longer than {most} bytes", violation=True)
        together = line + sum(len(name) + len(value) + 4 for name, value in request.scope["headers"])
        if together > most:
            message = f"The URI and the headers together are longer than {most} bytes"
            raise ApiError(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", message, violation=True)

    def _versions(self, method: str) -> Reply:
        if method != "GET":
            raise wrong_verb(method, ("HEAD", "GET"))
        return Reply(discovery.versions(self._org.settings))

    def _check_session(self, headers: Mapping[str, str]) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        live = self._org.sessions.accept(token.strip(), headers.get("x-original-host"))
        if scheme not in {"Bearer", "OAuth"} or not live:
            raise session_expired()

    def _version(self, part: str) -> float:
        settings = self._org.settings
        whole, point, rest = part.removeprefix("v").partition(".")
        if not (part.startswith("v") and point and rest == "0" and whole.isdigit()):
            raise not_found(violation=True)
        version = float(whole)
        if version < settings.oldest_version:
            message = f"The REST API version {part} is no longer available"
            raise ApiError(410, "GONE", message, violation=True)
        if version > settings.newest_version:
            raise not_found(violation=True)
        return version

    def _check_quota(self) -> None:
        org = self._org
        settings = org.settings
        if len(org.running) > settings.long_requests:
            before = time.monotonic() - settings.long_request_seconds
            if sum(started < before for started in org.running.values()) >= settings.long_requests:
                message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
                raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", message)
        if not org.usage.count():
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def _response(self, request: Request, reply: Reply) -> Response:
        usage = self._org.usage
        headers = {**_HEADERS, "Sforce-Limit-Info": f"api-usage={usage.used}/{usage.allowed}", **reply.headers}
        if reply.body is None:
            return Response(None, reply.status, headers)
        content = msgspec.json.encode(reply.body)
        headers["Content-Type"] = "application/json;charset=UTF-8"
        wanted = "gzip" in request.headers.get("accept-encoding", "")
        if wanted and self._org.settings.gzip_replies and len(content) >= _WORTH_COMPRESSING:
            content = gzip.compress(content, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        return Response(content, reply.status, headers)


def _parts(request: Request) -> list[str]:
    """Split the path below `/services/data`; a %2F inside an external id is no separator."""
    _, found, rest = request.scope["raw_path"].partition(_ROOT)
    if not found:
        raise not_found(violation=True)
    below = rest.decode("latin-1").strip("/")
    return [unquote(part) for part in below.split("/")] if below else []


def _find(method: str, parts: list[str]) -> tuple[Endpoint, dict[str, Any]]:
    for names, verbs in _PATHS:
        if len(names) == len(parts) and all(
            name == part or name[:1] == "{" for name, part in zip(names, parts, strict=True)
        ):
            if method not in verbs:
                raise wrong_verb(method, tuple(verbs))
            return verbs[method], {name[1:-1]: part for name, part in zip(names, parts, strict=True) if name[:1] == "{"}
    raise not_found(violation=True)
