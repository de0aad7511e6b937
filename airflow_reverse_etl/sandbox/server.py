"""The sandbox as a test sees it: `with serve() as box`, and the assembly of fakes, faults, control plane and page."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from starlette.applications import Starlette
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, Router

from airflow_reverse_etl.sandbox import api, page
from airflow_reverse_etl.sandbox.control import Control
from airflow_reverse_etl.sandbox.fakes import fake_classes
from airflow_reverse_etl.sandbox.runner import Runner, listen
from airflow_reverse_etl.sandbox.wrapper import Wrapper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from airflow_reverse_etl.sandbox.fakes import Fake
    from airflow_reverse_etl.sandbox.log import Entry

P = ParamSpec("P")
T = TypeVar("T")

_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  what to dial for each
_PATIENCE = 60.0  # seconds for one look into the server; only a fake that blocks its loop can use them up


@contextmanager
def serve(port: int = 0, host: str = "127.0.0.1", *, public_url: str | None = None) -> Iterator[Sandbox]:
    """Serve the fakes of all destinations on one port, from a thread of this process, until the block ends.

    :param port: 0 takes a free one.
    :param host: the address to listen on. Anything but loopback lets other machines in: there are no passwords on it.
    :param public_url: what clients dial, where that differs (a compose service: "http://sandbox:8765").
    :raises OSError: the port is taken, or the host is not an address of this machine.
    """
    fakes = {name: fake() for name, fake in fake_classes().items()}
    listener = listen(host, port)
    control = Control(fakes, (public_url or _dialled(host, listener.getsockname()[1])).rstrip("/"))
    with Runner(application(control), listener) as runner:
        yield Sandbox(control, runner)


def application(control: Control) -> Starlette:
    """Put every fake below its name, and the page and the control plane beside them."""
    routes = [*page.routes(), *api.routes(control), *(_mounted(control, name) for name in control.fakes)]
    nowhere = [f"/{name}" for name in control.fakes]

    async def not_found(request: Request) -> Response:
        message = (
            f"nothing is served at {request.url.path}; the destinations are at {', '.join(nowhere)}, the page at /"
        )
        return JSONResponse({"error": message}, 404)

    every_method = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[*routes, Route("/{path:path}", not_found, methods=every_method)])


class Sandbox:
    """A running sandbox. Every method may be called from any thread, also while requests run, and after its end.

    :raises ValueError: in a sentence that says what there is, for an unknown destination, setting, fault or argument.
    """

    def __init__(self, control: Control, runner: Runner) -> None:
        self._control = control
        self._runner = runner

    def _call(self, verb: Callable[P, T], *args: P.args, **arguments: P.kwargs) -> T:
        # State belongs to the server's loop: a fake is never seen in the middle of a request.
        async def on_the_loop() -> T:
            return verb(*args, **arguments)

        loop = self._runner.loop
        if loop is None:
            return verb(*args, **arguments)
        return asyncio.run_coroutine_threadsafe(on_the_loop(), loop).result(_PATIENCE)

    @property
    def url(self) -> str:
        """Where the sandbox is, for example "http://127.0.0.1:8765"; the page is there too."""
        return self._control.base_url

    @property
    def connections(self) -> dict[str, str]:
        """Name of an environment variable → connection as JSON text: `os.environ.update(box.connections)`."""
        return self._call(self._control.connections)

    @property
    def log(self) -> list[Entry]:
        """The last requests, the oldest first; a copy."""
        return self._call(self._control.log.entries)

    def fake(self, destination: str) -> Fake:
        """Return the fake itself, for what is not offered here; change it only while no request runs."""
        return self._control.fake(destination)

    def objects(self, destination: str) -> dict[str, int]:
        """Return how many live records each object (or tab) holds."""
        return self._call(self._control.objects, destination)

    def records(self, destination: str, object: str) -> list[dict[str, object]]:
        """Return what the application holds in an object now; a copy."""
        return self._call(self._control.records, destination, object)

    def seed(self, destination: str, object: str, records: Sequence[dict[str, object]]) -> list[str]:
        """Put records in by hand, before a test; return their ids in the same order."""
        return self._call(self._control.seed, destination, object, list(records))

    def define(self, destination: str, object: str, *args: object, **arguments: object) -> object:
        """Create an object, a field or a tab; arguments and result are the destination's own (its `Fake.define`)."""
        return self._call(self._control.define, destination, object, *args, **arguments)

    def settings(self, destination: str, **changes: object) -> dict[str, object]:
        """Change limits and switches of a fake (`calls_per_10_seconds=190`); return all of them."""
        return self._call(self._control.settings, destination, **changes)

    def faults(self, destination: str | None = None, mode: str | None = None, **how: Any) -> list[dict[str, object]]:
        """Set a fault, if a mode is given; return all that can still strike.

        :param mode: a generic mode ("drop_after_commit") or one of the destination's own; docs/sandbox.md lists them.
        :param how: `path` (regular expression, searched in the path below the destination's address), `method`, `nth`
            (number or list: which of the matching requests, from 1), `times` (at most so often), `probability`
            (0 to 1, drawn with `seed`); all else are arguments of the mode.
        """
        return self._call(self._control.faults, destination, mode, **how)

    def clear_faults(self, destination: str | None = None, id: int | None = None) -> None:  # noqa: A002  as listed
        """Remove one fault by its id, those of a destination, or all."""
        self._call(self._control.clear_faults, destination, id)

    def violations(self, destination: str | None = None) -> list[dict[str, object]]:
        """Return the requests that the vendor would refuse as malformed: a good client leaves this empty."""
        return self._call(self._control.violations, destination)

    def reset(self, destination: str | None = None) -> None:
        """Forget records, settings, violations, faults and log, of one destination or of all."""
        self._call(self._control.reset, destination)


def _mounted(control: Control, name: str) -> Mount:
    fake = control.fakes[name]
    # No redirect to the path without its last slash: a path that the vendor does not know is an error here too.
    router = Router(fake.routes, redirect_slashes=False, default=_unknown_endpoint(fake))
    # What routing refuses (405) becomes an answer inside the wrapper, so that faults and log see it like any other.
    app = ExceptionMiddleware(router)
    return Mount(f"/{name}", app=Wrapper(name, app, fake.FAULTS, control.active_faults, control.log))


def _unknown_endpoint(fake: Fake) -> ASGIApp:
    async def unknown_endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        reason = "the sandbox fakes no such endpoint"
        fake.violations.append({"method": scope["method"], "path": scope["path"], "status": 404, "reason": reason})
        await JSONResponse({"error": reason}, 404)(scope, receive, send)

    return unknown_endpoint


def _dialled(host: str, port: int) -> str:
    reachable = _ANY_ADDRESS.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
