"""The ASGI middleware around each fake: it writes the log and lets faults strike; the fake knows nothing of it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from airflow_reverse_etl.sandbox.exchange import Exchange
from airflow_reverse_etl.sandbox.log import Entry, Log, public_path
from airflow_reverse_etl.sandbox.modes import MODES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from airflow_reverse_etl.sandbox.faults import Fault, Faults

VENDOR_FAULT = "sandbox.fault"
RECORDS = "sandbox.records"


class Wrapper:
    """Serves one destination.

    :param vendor_modes: faults that the fake acts out itself: it finds `{"mode": ..., **arguments}` in its scope.
    """

    def __init__(
        self, destination: str, app: ASGIApp, vendor_modes: Mapping[str, str], faults: Faults, log: Log
    ) -> None:
        self._destination = destination
        self._app = app
        self._vendor_modes = vendor_modes
        self._faults = faults
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        note = _Note(self._destination, scope, self._log)
        exchange = Exchange(self._app, scope, receive, send, note)
        try:
            if exchange.connection.stale:
                note.fault = "stale_keep_alive"
                await exchange.drop()
                return
            fault = self._faults.strike(self._destination, note.method, note.path)
            note.fault = fault.mode if fault else None
            await self._serve(exchange, fault)
        except (ClientDisconnect, asyncio.CancelledError):
            # The client hung up, or the server stops (nobody else cancels a request): there is no one left to answer.
            note(None)
        except Exception:
            note(500)
            raise

    async def _serve(self, exchange: Exchange, fault: Fault | None) -> None:
        if fault is None:
            await exchange.forward()
        elif fault.mode in self._vendor_modes:
            await exchange.forward({VENDOR_FAULT: {"mode": fault.mode, **fault.arguments}})
        else:
            await MODES[fault.mode](exchange, **fault.arguments)


class _Note:
    """Writes one request's line of the log, once, with the status that really went out."""

    def __init__(self, destination: str, scope: Scope, log: Log) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"][len(scope["root_path"]) :]
        self.fault: str | None = None
        self._destination = destination
        self._scope = scope
        self._log = log
        self._arrived = time.time()
        self._started = time.perf_counter()
        self._written = False

    def __call__(self, status: int | None) -> None:
        if self._written:
            return
        self._written = True
        self._log.add(
            Entry(
                time=self._arrived,
                destination=self._destination,
                method=self.method,
                path=public_path(self.path),
                status=status,
                milliseconds=round((time.perf_counter() - self._started) * 1000, 2),
                request_bytes=_announced_length(self._scope),
                records=self._scope.get(RECORDS),
                fault=self.fault,
            )
        )


def _announced_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value)
    return 0 if all(name != b"transfer-encoding" for name, _ in scope["headers"]) else None
