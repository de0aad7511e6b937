"""The door of this room: a query on an Airflow connection, or rows from Python, become Arrow record batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.errors import ConfigurationError, RetryableError, SyncError
from airflow_reverse_etl.warehouse.failures import cannot_work, quotes_values, sentence
from airflow_reverse_etl.warehouse.query import bare, check_reads
from airflow_reverse_etl.warehouse.stream import Parameters, Stream

if TYPE_CHECKING:
    import pyarrow as pa

    from airflow_reverse_etl.model import Rows

Open = Callable[[Any, str, Parameters | None, int], AbstractContextManager[Stream]]


class WarehouseError(RetryableError):
    """The warehouse could not be reached, refused the query or broke off; the message hides the values of rows."""


@contextmanager
def read(conn_id: str, query: str, parameters: Parameters | None = None, *, batch_rows: int = 10_000) -> Iterator[Rows]:
    """Run a query and give its rows as they come; cursor and connection are closed at the end of the `with` block.

    :param conn_id: an Airflow connection whose hook is a `DbApiHook`.
    :param query: one SELECT; a semicolon at its end is forgiven.
    :param parameters: bind parameters, in the style of the connection's driver.
    :param batch_rows: a batch holds at most so many rows; fewer where rows are long.
    :raises ConfigurationError: no such connection, not one of a database, or a query without columns.
    :raises WarehouseError: what the driver says went wrong, on the way in or while rows are read.
    """
    text = bare(query)
    if not text.strip():
        message = "the query is empty: write a SELECT of the key and the fields to send"
        raise ConfigurationError(message)
    check_reads(text)
    hook = _hook(conn_id)
    with ExitStack() as closing:
        try:
            connection = _connect(hook)
            closing.callback(_close, connection)
            _read_only(connection)
            open_rows = _reader(hook, connection)
            stream = closing.enter_context(open_rows(connection, text, parameters or None, batch_rows))
        except Exception as error:  # noqa: BLE001  drivers have no common ancestor
            raise _failure(conn_id, error) from _cause(error)
        yield Stream(stream.schema, _watched(conn_id, iter(stream)))


def from_python(rows: Any) -> Rows:
    """Return rows that Python holds as a stream.

    :param rows: an iterable of dicts (the columns are those of the first, types may differ from row to row), whatever
        exports an Arrow stream (a table or reader of PyArrow, a DataFrame of Polars), or a DataFrame of pandas.
    :raises ConfigurationError: it is none of these; while reading: a dict has other keys than the first.
    """
    from airflow_reverse_etl.warehouse.python import rows_of

    return rows_of(rows)


def _hook(conn_id: str) -> Any:
    """Return the hook of the connection; the connection itself is looked up once."""
    # Where Airflow 3.1 has them too.
    from airflow.exceptions import AirflowException, AirflowNotFoundException  # type: ignore[attr-defined]
    from airflow.providers.common.sql.hooks.sql import DbApiHook
    from airflow.sdk import BaseHook

    try:
        found: Any = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as error:
        message = f"there is no connection {conn_id!r}: create it in Airflow, or correct warehouse_conn_id"
        raise ConfigurationError(message) from error
    try:
        # The default of BigQuery's hook is a dialect of SQL that nobody writes any more.
        hook = found.get_hook(hook_params={"use_legacy_sql": False} if found.conn_type == "gcpbigquery" else None)
    except (AirflowException, ImportError) as error:
        message = (
            f"the connection {conn_id!r} has no hook ({error}): install the Airflow provider of {found.conn_type!r}"
        )
        raise ConfigurationError(message) from error
    if isinstance(hook, DbApiHook):
        return hook
    message = (
        f"the connection {conn_id!r} (type {found.conn_type!r}) opens {type(hook).__name__}, which is no database hook "
        "(DbApiHook): give warehouse_conn_id a connection of a database, such as postgres, snowflake, duckdb, sqlite "
        "or gcpbigquery (which is BigQuery; google_cloud_platform is not)"
    )
    raise ConfigurationError(message)


def _connect(hook: Any) -> Any:
    if getattr(hook, "conn_type", "") != "sqlite":
        return hook.get_conn()
    from airflow_reverse_etl.warehouse import sqlite

    return sqlite.connect(hook)


def _read_only(connection: Any) -> None:
    """Tell the database to refuse writes, where its driver has a word for that."""
    driver = type(connection).__module__.partition(".")[0]
    if driver == "psycopg":
        connection.read_only = True
    elif driver == "psycopg2":
        connection.set_session(readonly=True)
    elif driver == "sqlite3":
        connection.execute("PRAGMA query_only = ON")


def _reader(hook: Any, connection: Any) -> Open:
    """Return how rows are read, by the type of the connection or the driver behind it; others are not imported."""
    drivers = {kind.__module__.partition(".")[0].lstrip("_") for kind in type(connection).__mro__}
    names = {getattr(hook, "conn_type", ""), *drivers}
    if names & {"postgres", "psycopg", "psycopg2"}:
        from airflow_reverse_etl.warehouse import postgres

        return postgres.open_rows
    if "duckdb" in names:
        from airflow_reverse_etl.warehouse import duckdb

        return duckdb.open_rows
    if "snowflake" in names:
        from airflow_reverse_etl.warehouse import snowflake

        return snowflake.open_rows
    from airflow_reverse_etl.warehouse import cursor

    return cursor.open_rows


def _watched(conn_id: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except Exception as error:  # noqa: BLE001  drivers have no common ancestor
        raise _failure(conn_id, error) from _cause(error)


def _failure(conn_id: str, error: Exception) -> SyncError:
    if isinstance(error, ConfigurationError):
        return error
    if cannot_work(error):
        return ConfigurationError(f"the query cannot work on the connection {conn_id!r}: {sentence(error)}")
    if isinstance(error, SyncError):
        return WarehouseError(f"the warehouse connection {conn_id!r} failed: {error}")
    return WarehouseError(f"the warehouse connection {conn_id!r} failed: {sentence(error)}")


def _cause(error: Exception) -> Exception | None:
    """Return what a log may show as the cause: not an error that quotes a row."""
    return None if quotes_values(error) or isinstance(error, ConfigurationError) else error


def _close(connection: Any) -> None:
    # A connection that is dead already is closed enough.
    with suppress(Exception):
        connection.close()
