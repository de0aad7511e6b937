"""SQLite lets only the thread that opened a connection use it, and the engine reads rows on whatever thread it has."""

from __future__ import annotations

import sqlite3
from typing import Any

from airflow_reverse_etl.warehouse.canonical import decoded


def connect(hook: Any) -> sqlite3.Connection:
    """Open the hook's database as its `get_conn` does, but for any thread and for texts that are no UTF-8."""
    address = hook.get_uri().replace("sqlite:///", "file:")
    connection = sqlite3.connect(address, uri=True, check_same_thread=False)
    connection.text_factory = decoded
    return connection
