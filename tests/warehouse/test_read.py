"""The door of the room: connections that are wrong, rows in no hurry and in little memory, and nothing loaded early."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from reading import execute, rows_of

from airflow_reverse_etl import warehouse
from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.warehouse import WarehouseError

ROWS = 300_000
HEAVY = {
    "postgres3": f"select i as id, repeat(chr(65 + i % 26), 1000) as name from generate_series(1, {ROWS}) i",
    "duckdb_file": f"select i as id, repeat(chr((65 + i % 26)::int), 1000) as name from range({ROWS}) t(i)",
    "sqlite_file": f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {ROWS}) "
    "select i as id, hex(zeroblob(500)) as name from n",
}
"""300 MB each."""


def test_importing_the_room_loads_no_library() -> None:
    """Parsing a DAG must stay fast: libraries are loaded when a query is read."""
    heavy = ("duckdb", "pyarrow", "airflow", "psycopg", "psycopg2", "snowflake.connector", "numpy", "pandas", "sqlite3")
    program = f"import sys, airflow_reverse_etl.warehouse; sys.exit(str([m for m in {heavy!r} if m in sys.modules]))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert found.stderr.strip() == "[]"


def test_reading_one_database_loads_no_driver_of_another(sqlite_file: str) -> None:
    """Whoever reads SQLite needs no other database's driver."""
    program = f"""
import sys
from airflow_reverse_etl import warehouse
with warehouse.read({sqlite_file!r}, "select 1") as rows:
    assert [batch.num_rows for batch in rows] == [1]
ours = [m for m in sys.modules if m.startswith("airflow_reverse_etl.warehouse.")]
others = ("postgres", "psycopg3", "psycopg2", "duckdb", "snowflake", "python")
sys.exit(str([m for m in ours if m.rpartition(".")[2] in others] + [m for m in ("duckdb",) if m in sys.modules]))
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert found.stderr.strip().endswith("[]"), found.stderr


@pytest.mark.parametrize("query", ["", "  \n", ";", " ; -- nothing"])
def test_an_empty_query(query: str) -> None:
    """A query without a word is refused before any connection is made."""
    with pytest.raises(ConfigurationError, match="the query is empty: write a SELECT"):
        rows_of("nowhere", query)


def test_a_connection_that_is_not_there() -> None:
    """The error names the connection and says what to do."""
    with pytest.raises(ConfigurationError, match="there is no connection 'nowhere': create it"):
        rows_of("nowhere", "select 1")


def test_a_connection_of_no_database(connect: Any) -> None:
    """The error names the hook and the way out."""
    conn_id = connect("salesforce", login="x")
    with pytest.raises(ConfigurationError, match=r"\(type 'salesforce'\) opens SalesforceHook.*such as postgres"):
        rows_of(conn_id, "select 1")


def test_a_connection_of_an_unknown_type(connect: Any) -> None:
    """A type that no installed provider knows is an error that says what to install."""
    with pytest.raises(ConfigurationError, match=r"has no hook .*install the Airflow provider of 'gcpbigquery'"):
        rows_of(connect("gcpbigquery"), "select 1")


def test_bigquery_speaks_standard_sql(sqlite_file: str, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """BigQuery's hook is told so, for its own default is the old dialect; no other hook is told anything."""
    from airflow.providers.sqlite.hooks.sqlite import SqliteHook
    from airflow.sdk import Connection

    asked = []

    def remember(self: Connection, *, hook_params: Any = None) -> SqliteHook:
        asked.append((self.conn_type, hook_params))
        return SqliteHook(sqlite_file)

    monkeypatch.setattr(Connection, "get_hook", remember)
    assert rows_of(sqlite_file, "select 1") == rows_of(connect("gcpbigquery"), "select 1") == [(1,)]
    assert asked == [("sqlite", None), ("gcpbigquery", {"use_legacy_sql": False})]


def test_a_database_that_cannot_be_reached(connect: Any) -> None:
    """The error is one that Airflow may retry, and keeps the driver's own as its cause."""
    conn_id = connect("postgres", host="127.0.0.1", port=1, login="me", password="hush-hush", schema="x")
    with pytest.raises(WarehouseError, match=r"'test_postgres' failed: .*refused") as caught:
        rows_of(conn_id, "select 1")
    assert caught.value.__cause__ is not None
    assert "hush-hush" not in str(caught.value)


def test_the_query_runs_before_the_first_row_is_asked_for(request: pytest.FixtureRequest) -> None:
    """A query that is wrong fails at the door, whoever reads it."""
    for name in HEAVY:
        with pytest.raises(ConfigurationError):
            warehouse.read(request.getfixturevalue(name), "select nothing from nowhere").__enter__()


@pytest.mark.parametrize("name", HEAVY)
def test_memory_stays_flat(request: pytest.FixtureRequest, name: str) -> None:
    """300 MB of rows pass through less than 100 MB of memory."""
    conn_id = request.getfixturevalue(name)
    count = heaviest = 0
    with warehouse.read(conn_id, HEAVY[name]) as rows:
        batches = iter(rows)
        count += next(batches).num_rows
        before = _resident()
        for batch in batches:
            count += batch.num_rows
            heaviest = max(heaviest, _resident() - before)
    assert count == ROWS
    assert heaviest < 100 * 2**20


@pytest.mark.parametrize("name", HEAVY)
def test_rows_go_into_the_stage_on_any_thread(request: pytest.FixtureRequest, name: str) -> None:
    """DuckDB, in which the engine keeps rows, asks for them on threads of its own: none is lost or doubled."""
    threads: set[int] = set()

    def seen(rows: Any) -> Any:
        for batch in rows:
            threads.add(threading.get_ident())
            yield batch

    with (
        warehouse.read(request.getfixturevalue(name), HEAVY[name], batch_rows=2_000) as rows,
        duckdb.connect() as stage,
    ):
        stage.register("incoming", pa.RecordBatchReader.from_batches(rows.schema, seen(rows)))
        stage.execute("create table staged as select id, md5(name) as m from incoming")
        assert stage.execute("select count(*), count(distinct id), count(distinct m) from staged").fetchone() in [
            (ROWS, ROWS, 26),
            (ROWS, ROWS, 1),
        ]
    assert threads


def test_a_hook_of_another_type_is_known_by_its_driver(duckdb_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks that people derive under another connection type are read like the driver behind them."""
    from airflow.providers.duckdb.hooks.duckdb import DuckDBHook

    execute(duckdb_file, "create table t as select 170141183460469231731687303715884105727::hugeint as n")
    monkeypatch.setattr(DuckDBHook, "conn_type", "motherduck")
    assert rows_of(duckdb_file, "select n from t") == [(2**127 - 1,)]


def _resident() -> int:
    """Return the memory that this process holds, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
