"""The page at `/`: what the applications hold and what was asked of them, for a person. It needs no other site."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

_STATIC = Path(__file__).parent / "static"
_ASSETS = {"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
# Records come from anywhere: even if a value were taken for markup, nothing of it could run or call home.
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'"
_HEADERS = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}


def routes() -> list[Route]:
    """Return the page, its assets, and the place where the fault `redirect` sends clients."""
    return [
        Route("/", _page),
        Route("/_sandbox/static/{name}", _asset),
        Route("/_sandbox/elsewhere", _elsewhere, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]


@cache
def _text(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


async def _page(request: Request) -> Response:  # noqa: ARG001  Starlette calls it so
    return HTMLResponse(_text("page.html"), headers=_HEADERS)


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _ASSETS:
        return Response("no such asset", 404)
    return Response(_text(name), media_type=_ASSETS[name], headers=_HEADERS)


async def _elsewhere(request: Request) -> Response:  # noqa: ARG001  Starlette calls it so
    return HTMLResponse("<!DOCTYPE html><title>Elsewhere</title><p>You were redirected here, away from the API.</p>")
