"""The HTTP side: login, quota, checks, the call itself on a draft, and a memory of what was asked."""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from airflow_reverse_etl.destinations.google_sheets.sandbox import faults, mask
from airflow_reverse_etl.destinations.google_sheets.sandbox.auth import EMAIL, Accounts
from airflow_reverse_etl.destinations.google_sheets.sandbox.book import Book
from airflow_reverse_etl.destinations.google_sheets.sandbox.call import Answer, Call
from airflow_reverse_etl.destinations.google_sheets.sandbox.check import check_body, check_query
from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import ApiError, malformed, no_permission, not_found
from airflow_reverse_etl.destinations.google_sheets.sandbox.faults import Fault
from airflow_reverse_etl.destinations.google_sheets.sandbox.grid import Tab
from airflow_reverse_etl.destinations.google_sheets.sandbox.methods import Found, find
from airflow_reverse_etl.destinations.google_sheets.sandbox.quota import Quota
from airflow_reverse_etl.destinations.google_sheets.sandbox.settings import Settings

if TYPE_CHECKING:
    from starlette.requests import Request

VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
JSON_TYPE = "application/json; charset=UTF-8"
TOO_LARGE = "<html><title>Error 413 (Request Entity Too Large)!!1</title><p>Your request was too large."
NO_SUCH_URL = "<html><title>Error 404 (Not Found)!!1</title><p>The requested URL was not found on this server."


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request that came in, and the status that it got."""

    verb: str
    path: str  # from /v4/ on, decoded
    query: tuple[tuple[str, str], ...]
    body: bytes
    status: int

    def json(self) -> Any:
        """The decoded body; None if there was none."""
        return msgspec.json.decode(self.body) if self.body else None


class Service:
    """All state of the sandbox and the endpoints that work on it. One event loop serves them: there are no locks."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew: one spreadsheet with one empty tab, default settings, nothing counted, no access token valid."""
        self.settings = Settings()
        self.accounts = Accounts(self.settings)
        self.quota = Quota(self.settings)
        self.violations: list[dict[str, object]] = []
        self.requests: deque[Recorded] = deque()
        self.largest_body = 0
        self.large_bodies = 0
        self._kept_bytes = 0
        first = Book(self.settings.spreadsheet_id, self.settings, EMAIL)
        first.add(Tab(0, "Sheet1"))
        self._default = first.spreadsheet_id
        self.books = {first.spreadsheet_id: first}

    def routes(self) -> list[BaseRoute]:
        """Routes relative to the mount point."""
        return [
            Route("/token", self.token, methods=["POST"]),
            Route("/v4/{rest:path}", self.api, methods=VERBS),
            Route("/{rest:path}", self.nowhere, methods=VERBS),
        ]

    def book(self, spreadsheet_id: str) -> Book | None:
        """A spreadsheet; the default one goes by the id in the settings."""
        if spreadsheet_id == self.settings.spreadsheet_id:
            spreadsheet_id = self._default
        return self.books.get(spreadsheet_id)

    async def token(self, request: Request) -> Response:
        """The OAuth 2 token endpoint."""
        form = dict(parse_qsl((await request.body()).decode()))
        fault = _fault(request)
        failed = faults.server_error(fault, after=False)
        status, reply = faults.INVALID_GRANT
        if failed is not None:
            status, reply = failed.code, {"error": "internal_failure", "error_description": failed.message}
        elif fault.get("mode") != "invalid_grant":
            status, reply = self.accounts.grant(form, str(request.url.replace(query="", fragment="")))
        if reply.get("error") == "unsupported_grant_type":
            self._violated(request, status, str(reply["error_description"]))
        await asyncio.sleep(self.settings.latency_seconds)
        return Response(msgspec.json.encode(reply), status, media_type=JSON_TYPE)

    async def nowhere(self, request: Request) -> Response:
        """Any other address."""
        self._violated(request, 404, "The requested URL was not found on this server.")
        return HTMLResponse(NO_SUCH_URL, 404)

    async def api(self, request: Request) -> Response:
        """Every call of the Sheets API."""
        body = await request.body()
        self._weigh(body)
        rows = 0
        if len(body) > self.settings.max_body_bytes:
            response: Response = HTMLResponse(TOO_LARGE, 413)
            self._violated(request, 413, "Request Entity Too Large")
        else:
            try:
                found = find(*_address(request))
                if found is None:
                    return await self.nowhere(request)
                with _without_collector():
                    answer = self._serve(request, found, body)
                rows = answer.rows
                response = Response(msgspec.json.encode(answer.body), 200, media_type=JSON_TYPE)
            except ApiError as error:
                response = Response(msgspec.json.encode(error.body()), error.code, error.headers, JSON_TYPE)
                if error.malformed:
                    self._violated(request, error.code, error.message)
        self._record(request, body, response.status_code)
        await asyncio.sleep(self.settings.latency_seconds + rows * self.settings.seconds_per_row)
        return response

    def _serve(self, request: Request, found: Found, body: bytes) -> Answer:
        """Carry out one call; a write takes effect as a whole, or not at all."""
        fault = _fault(request)
        method = found.method
        if fault.get("mode") == "token_expired":
            self.accounts.revoke()
        refused = faults.refusal(fault, write=method.write)
        if refused is not None:
            raise refused
        self.accounts.check(request.headers.get("authorization"), write=method.write)
        self.quota.take(write=method.write)
        query = check_query(method.name, _query(request, body))
        content = {}
        if method.body:
            content = _decoded(request, body)
            check_body(method.body, content, method.root)
        wanted = mask.answer_mask(str(query["fields"]), method.reply) if query.get("fields") else None
        book = self._open(found.spreadsheet_id, write=method.write)
        if fault.get("mode") in faults.PEOPLE:
            faults.meddle(fault, book := book.draft())
            self.books[book.spreadsheet_id] = book
        draft = book.draft() if method.write else book
        answer = method.handler(Call(draft, found.target, query, content))
        self.books[book.spreadsheet_id] = draft
        failed = faults.server_error(fault, after=True)
        if failed is not None:
            raise failed
        if wanted is None:
            return answer
        return Answer(mask.select(wanted, answer.body), answer.rows)  # type: ignore[arg-type]

    def _open(self, spreadsheet_id: str, *, write: bool) -> Book:
        book = self.book(spreadsheet_id)
        if book is None:
            raise not_found()
        access = self.settings.access
        if access == "none" or (write and access == "reader"):
            raise no_permission()
        return book

    def _weigh(self, body: bytes) -> None:
        self.largest_body = max(self.largest_body, len(body))
        if len(body) > self.settings.advised_body_bytes:
            self.large_bodies += 1

    def _violated(self, request: Request, status: int, reason: str) -> None:
        path = request.url.path
        self.violations.append({"method": request.method, "path": path, "status": status, "reason": reason})

    def _record(self, request: Request, body: bytes, status: int) -> None:
        path = f"/v4/{request.path_params['rest']}"
        query = tuple(request.query_params.multi_items())
        self.requests.append(Recorded(request.method, path, query, body, status))
        self._kept_bytes += len(body)
        settings = self.settings
        while len(self.requests) > settings.kept_requests or (
            self._kept_bytes > settings.kept_request_bytes and len(self.requests) > 1
        ):
            self._kept_bytes -= len(self.requests.popleft().body)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the garbage collector out: it would run over the 100,000 small objects of a body again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _fault(request: Request) -> Fault:
    fault = request.scope.get("sandbox.fault")
    return fault if isinstance(fault, Mapping) else {}


def _overridden(request: Request) -> bool:
    """Whether a GET too long for an address travels as a form, as Google's own clients send it."""
    return request.method == "POST" and request.headers.get("x-http-method-override", "").upper() == "GET"


def _address(request: Request) -> tuple[str, str]:
    return "GET" if _overridden(request) else request.method, request.path_params["rest"]


def _query(request: Request, body: bytes) -> list[tuple[str, str]]:
    pairs = list(request.query_params.multi_items())
    if _overridden(request):
        pairs += parse_qsl(body.decode(), keep_blank_values=True)
    return pairs


def _decoded(request: Request, body: bytes) -> Any:
    """The JSON of a request.

    :raises ApiError: 400 if it is none, NaN and Infinity included.
    """
    if not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise malformed(f"Invalid content type {kind!r}: the body must be application/json.")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        shown = body[:60].decode(errors="replace")
        message = f"Invalid JSON payload received. Unexpected token.\n{shown}\n^"
        raise malformed(message, [("", message)]) from error
