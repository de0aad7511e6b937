"""All that knows uvicorn: a server in a thread of its own, whose connections a fault can reach."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Self, cast

import uvicorn
from uvicorn.protocols.http import auto

if TYPE_CHECKING:
    from types import TracebackType

    from starlette.types import ASGIApp

CONNECTION = "sandbox.connection"

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: closing sends RST in place of FIN


class Connection:
    """One client's TCP connection, for faults that act below HTTP.

    :param protocol: uvicorn's protocol object; httptools and h11 both keep the socket's `transport` on it.
    """

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol
        self.stale = False

    @property
    def transport(self) -> asyncio.Transport:
        return cast("asyncio.Transport", self._protocol.transport)  # type: ignore[attr-defined]  # set by both

    def close(self) -> None:
        """Close after what was written has been sent."""
        self.transport.close()

    def reset(self) -> None:
        """Close with RST: the client's read fails in place of ending."""
        handle = self.transport.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()


def open_connection(*, app_state: dict[str, Any], **arguments: Any) -> asyncio.Protocol:
    """Build uvicorn's protocol for one client; every request on it finds its `Connection` in `scope["state"]`."""
    state = dict(app_state)
    protocol = auto.AutoHTTPProtocol(app_state=state, **arguments)  # type: ignore[call-arg]  # typed as bare Protocol
    protocol.access_log = False  # type: ignore[attr-defined]  # here, because the Config switch silences the whole process
    state[CONNECTION] = Connection(protocol)
    return protocol


class _Server(uvicorn.Server):
    """Says when it is ready, and on which loop it runs."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Not uvicorn's own, which waits for open requests: a test that ends must not wait for a client that hangs.
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            cast("Any", connection).transport.abort()
        requests = list(self.server_state.tasks)
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)


class Runner:
    """Serves an application from a daemon thread, for as long as the `with` block lasts."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http=cast("type[asyncio.Protocol]", open_connection),
            ws="none",
            lifespan="off",
            log_config=None,  # the logging of the process is not ours to change
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
        )
        self._server = _Server(config)
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name="airflow_reverse_etl.sandbox", daemon=True)

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.ready.wait(0.1):
            if not self._thread.is_alive():
                message = "the sandbox's server ended while it was starting; its log says why"
                raise RuntimeError(message)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._listener.close()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The server's loop, for callers in other threads; None where a plain call is right: on it or after its end."""
        on_it = threading.get_ident() == self._thread.ident
        return None if on_it or not self.alive else self._server.loop


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    :param port: 0 takes a free one.
    :raises OSError: in one sentence: the port is taken, or the host is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]
        message = f"The sandbox cannot listen on {host} port {port}: {reason}. Give another port or host."
        raise OSError(message) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted connections inherit it
    return listener
