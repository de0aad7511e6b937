"""How the tests of this room fill a warehouse, and look at what is read from it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from airflow_reverse_etl import warehouse
from airflow_reverse_etl.model import KIND, from_canonical


def execute(conn_id: str, *statements: str) -> None:
    """Fill a warehouse through its own hook."""
    from airflow.sdk import BaseHook

    with closing(BaseHook.get_hook(conn_id).get_conn()) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


def rows_of(conn_id: str, query: str, parameters: Any = None, **options: Any) -> list[tuple[Any, ...]]:
    """Return what `read` gives, as an application's hook sees it; unreadable cells as the words that stand for them."""
    with warehouse.read(conn_id, query, parameters, **options) as rows:
        return values(rows)


def row_of(conn_id: str, query: str, parameters: Any = None) -> tuple[Any, ...]:
    """Return the only row of a query."""
    [row] = rows_of(conn_id, query, parameters)
    return row


def values(rows: Any) -> list[tuple[Any, ...]]:
    """Return rows as tuples of Python values."""
    found: list[tuple[Any, ...]] = []
    for batch in rows:
        assert batch.schema.equals(rows.schema, check_metadata=True)
        batch.validate(full=True)
        columns = [_cells(field, column.to_pylist()) for field, column in zip(rows.schema, batch.columns, strict=True)]
        found += zip(*columns, strict=True)
    return found


def kinds(rows: Any) -> list[str]:
    """Return what the schema says of each column: its kind if it has one, else its Arrow type."""
    return [(field.metadata or {}).get(KIND, str(field.type).encode()).decode() for field in rows.schema]


def _cells(field: Any, cells: list[Any]) -> list[Any]:
    if (field.metadata or {}).get(KIND) != b"mixed":
        return cells
    return [cell if cell is None or cell.startswith("!") else from_canonical(cell) for cell in cells]
