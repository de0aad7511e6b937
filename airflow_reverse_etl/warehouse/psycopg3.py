"""What the reader of PostgreSQL asks of psycopg 3, the driver that Airflow takes with SQLAlchemy 2."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from airflow_reverse_etl.warehouse.stream import Parameters


def prepared(connection: Any) -> None:
    """See to it that the driver and the server exchange texts in UTF-8, and that what follows is one transaction."""
    connection.autocommit = True
    connection.execute("SET client_encoding TO 'UTF8'")
    connection.autocommit = False


def composed(connection: Any, query: str, parameters: Parameters | None) -> str:
    """Return the query with its parameters written into it as literals: COPY takes none."""
    if not parameters:
        return query
    # The driver that made the connection is loaded; this room imports none, for each is needed by some users only.
    client_cursor = sys.modules["psycopg"].ClientCursor
    return str(client_cursor(connection).mogrify(query, parameters))


def cursor(connection: Any, name: str | None = None) -> Any:
    """Return a cursor that gives tuples, whatever the connection says; one with a name is kept by the server."""
    named = {"name": name} if name else {}
    return connection.cursor(**named, row_factory=lambda _: tuple)


@contextmanager
def copied(connection: Any, statement: str) -> Iterator[Iterable[bytes]]:
    """Run `COPY ... TO STDOUT` and give its rows as they come, each whole and with its end of line."""
    with cursor(connection) as running, running.copy(statement) as copy:
        yield copy
        if connection.info.transaction_status == connection.info.transaction_status.ACTIVE:
            # Nobody wants the rest: the server need not go on until it notices that the line is dead.
            connection.cancel()
