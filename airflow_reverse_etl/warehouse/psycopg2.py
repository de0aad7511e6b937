"""What the reader of PostgreSQL asks of psycopg2, which pushes the rows of a COPY where we would rather pull them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Event, Thread
from typing import Any

from airflow_reverse_etl.warehouse.stream import Parameters

PIECE_BYTES = 16 * 1024
PIECES_WAITING = 64


def prepared(connection: Any) -> None:
    """See to it that the driver and the server exchange texts in UTF-8, and that what follows is one transaction."""
    connection.set_client_encoding("UTF8")
    connection.autocommit = False


def composed(connection: Any, query: str, parameters: Parameters | None) -> str:
    """Return the query with its parameters written into it as literals: COPY takes none."""
    if not parameters:
        return query
    with cursor(connection) as composing:
        return str(composing.mogrify(query, parameters), "utf-8")


def cursor(connection: Any, name: str | None = None) -> Any:
    """Return a cursor that gives tuples, whatever the connection says; one with a name is kept by the server."""
    connection.cursor_factory = None
    return connection.cursor(name)


@contextmanager
def copied(connection: Any, statement: str) -> Iterator[Iterable[bytes]]:
    """Run `COPY ... TO STDOUT` and give its rows as they come, each whole and with its end of line."""
    hand_over = HandOver()

    def push() -> None:
        try:
            with cursor(connection) as running:
                running.copy_expert(statement, hand_over)
            hand_over.finish(None)
        except Exception as error:  # noqa: BLE001  raised again where the rows are read
            hand_over.finish(error)

    pushing = Thread(target=push, name="copy", daemon=True)
    pushing.start()
    try:
        yield hand_over.rows()
    finally:
        if pushing.is_alive():
            connection.cancel()
            hand_over.stop()
        pushing.join()


class HandOver:
    """A file to write into on one thread and rows to read on another, a few pieces apart.

    The driver calls `write` once for each row: libpq never hands out a part of one.
    """

    def __init__(self) -> None:
        self._pieces: Queue[list[bytes] | Exception | None] = Queue(PIECES_WAITING)
        self._piece: list[bytes] = []
        self._bytes = 0
        self._stopped = Event()

    def write(self, row: bytes) -> int:
        """Take a row; waits while the reader is behind.

        :raises BrokenPipeError: the reader went away.
        """
        self._piece.append(row)
        self._bytes += len(row)
        if self._bytes >= PIECE_BYTES:
            self._hand_over()
        return len(row)

    def finish(self, error: Exception | None) -> None:
        """Say that no more rows come, and why."""
        if not self._stopped.is_set():
            self._pieces.put(self._piece)
            self._pieces.put(error)

    def rows(self) -> Iterator[bytes]:
        """Return the rows; raises what stopped the writer."""
        while isinstance(piece := self._pieces.get(), list):
            yield from piece
        if piece is not None:
            raise piece

    def stop(self) -> None:
        """Let the writer go, who may be waiting for room."""
        self._stopped.set()
        while not self._pieces.empty():
            self._pieces.get_nowait()

    def _hand_over(self) -> None:
        if self._stopped.is_set():
            raise BrokenPipeError
        self._pieces.put(self._piece)
        self._piece, self._bytes = [], 0
