"""The control plane under `/_sandbox/`: `Control` as JSON over HTTP, so that a test in any language can steer it."""

from __future__ import annotations

import dataclasses
import inspect
import json
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from airflow_reverse_etl.sandbox.control import Control

    Verb = Callable[..., object]

_WHOLE_NUMBERS = ("limit", "offset", "id", "requests")


def routes(control: Control) -> list[Route]:
    """Return one route for each verb, with its methods."""
    return [
        Route(f"/_sandbox/{name}", _endpoint(verbs), methods=list(verbs)) for name, verbs in _verbs(control).items()
    ]


def _verbs(control: Control) -> dict[str, dict[str, Verb]]:
    return {
        "overview": {"GET": control.overview},
        "connections": {"GET": control.connections},
        "reset": {"POST": control.reset},
        "seed": {"POST": control.seed},
        "define": {"POST": control.define},
        "objects": {"GET": control.objects},
        "records": {"GET": control.records},
        "settings": {"GET": control.settings, "PATCH": control.settings},
        "faults": {"GET": control.faults, "POST": control.faults, "DELETE": control.clear_faults},
        "log": {"GET": lambda destination=None: _log(control, destination), "DELETE": control.log.clear},
        "violations": {"GET": control.violations},
    }


def _log(control: Control, destination: str | None) -> list[dict[str, object]]:
    return [dataclasses.asdict(entry) for entry in control.log.entries(destination)]


def _endpoint(verbs: Mapping[str, Verb]) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        if _is_from_another_site(request):
            return _json({"error": "the control plane takes no requests from other web sites"}, 403)
        verb = verbs["GET" if request.method == "HEAD" else request.method]
        try:
            arguments = await _arguments(request)
            inspect.signature(verb).bind(**arguments)
        except (TypeError, ValueError) as error:
            return _json({"error": f"{request.method} {request.url.path}: {error}"}, 400)
        try:
            return _json(verb(**arguments))
        except ValueError as error:
            return _json({"error": str(error)}, 400)
        except LookupError as error:
            return _json({"error": str(error.args[0]) if error.args else repr(error)}, 404)

    return endpoint


async def _arguments(request: Request) -> dict[str, object]:
    if request.method in ("GET", "HEAD", "DELETE"):
        return {name: int(text) if name in _WHOLE_NUMBERS else text for name, text in request.query_params.items()}
    body = await request.body()
    arguments = json.loads(body) if body else {}
    if not isinstance(arguments, dict):
        message = "the body is a JSON object with the arguments by name"
        raise ValueError(message)  # noqa: TRY004  answered as a bad request, like JSON that cannot be read
    return arguments


def _is_from_another_site(request: Request) -> bool:
    # A browser names the page's site in Origin whenever a script reaches across sites; scripts and curl send none.
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def _json(value: object, status: int = 200) -> Response:
    # default=str: a fake may hold dates or decimals; to a reader their text says enough.
    return Response(
        json.dumps(value, default=str), status, media_type="application/json", headers={"Cache-Control": "no-store"}
    )
