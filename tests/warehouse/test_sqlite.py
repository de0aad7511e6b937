"""SQLite through Airflow's hook, for all databases that are read through a cursor: values of any type in any row."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from reading import execute, kinds, row_of, rows_of, values

from airflow_reverse_etl import warehouse
from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.warehouse import WarehouseError, cursor


def test_types_that_differ_from_row_to_row(sqlite_file: str) -> None:
    """A column of SQLite holds what was put in, row by row, and so it arrives."""
    execute(
        sqlite_file,
        "create table t (id integer, value)",
        """insert into t values (1, 9223372036854775807), (2, 0.1), (3, 'O''Brien'), (4, x'00ff'), (5, null), (6, ''),
           (7, 2.0), (8, '007'), (9, 9e999), (10, '=1+1'), (11, '😀'), (12, -9e999)""",
    )
    found = [value for _, value in rows_of(sqlite_file, "select id, value from t order by id")]
    assert found[0] == 2**63 - 1
    assert float(found[1]) == 0.1
    assert found[2:] == ["O'Brien", b"\x00\xff", None, "", 2, "007", "!Infinity", "=1+1", "😀", "!Infinity"]


def test_every_column_travels_as_canonical_text(sqlite_file: str) -> None:
    """What a column declares binds no row: its kind is mixed, and it is known before the first row."""
    execute(sqlite_file, "create table t (id integer primary key, name text)")
    with warehouse.read(sqlite_file, "select * from t") as rows:
        assert rows.schema.names == ["id", "name"]
        assert kinds(rows) == ["mixed", "mixed"]
        assert list(rows) == []


def test_text_that_is_no_utf8(sqlite_file: str) -> None:
    """SQLite keeps any bytes as text: the cell is marked, the row is there."""
    found = rows_of(sqlite_file, "select 1, cast(x'4fff' as text) union all select 2, cast(x'eda080' as text)")
    assert found == [(1, "!utf8"), (2, "!utf8")]


def test_forms_of_a_query(sqlite_file: str) -> None:
    """A semicolon is forgiven, names may repeat, and a percent sign is a percent sign."""
    assert row_of(sqlite_file, "select 1 as a, 2 as a, '100%' as b; -- bye") == (1, 2, "100%")


def test_parameters(sqlite_file: str) -> None:
    """Parameters are bound by position or by name."""
    assert row_of(sqlite_file, "select ? + 1, ?", [41, "it's"]) == (42, "it's")
    assert row_of(sqlite_file, "select :a || '!'", {"a": "x"}) == ("x!",)


def test_a_thousand_columns(sqlite_file: str) -> None:
    """A wide table is read as it is."""
    assert row_of(sqlite_file, f"select {', '.join(map(str, range(1000)))}") == tuple(range(1000))


def test_rows_may_be_read_on_any_thread(sqlite_file: str) -> None:
    """The engine reads rows on whatever thread it has; SQLite's own connections would refuse."""
    with warehouse.read(sqlite_file, "select 1 union all select 2") as rows, ThreadPoolExecutor(1) as other:
        assert other.submit(values, rows).result() == [(1,), (2,)]


def test_batches_grow_to_what_was_asked_for(sqlite_file: str) -> None:
    """Small rows end up in batches of the size that was asked for, heavy ones in smaller batches."""
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n) select i{} from n"
    with warehouse.read(sqlite_file, numbers.format(""), batch_rows=2000) as rows:
        assert [batch.num_rows for batch in itertools.islice(rows, 6)] == [100, 400, 1600, 2000, 2000, 2000]
    with warehouse.read(sqlite_file, numbers.format(", hex(zeroblob(50000))")) as rows:
        assert max(batch.nbytes for batch in itertools.islice(rows, 6)) < 40 * 2**20


def test_an_error_in_mid_stream(sqlite_file: str) -> None:
    """A row that cannot be computed ends the reading with the database's own words."""
    query = """with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
               select case when i < 900 then i else abs(-9223372036854775807 - 1) end from n"""
    with warehouse.read(sqlite_file, query) as rows:
        batches = iter(rows)
        assert next(batches).num_rows == 100
        with pytest.raises(WarehouseError, match="integer overflow"):
            list(batches)


def test_a_query_that_is_refused(sqlite_file: str) -> None:
    """The error names the connection and repeats what the database says about the query."""
    with pytest.raises(ConfigurationError, match="'test_sqlite': OperationalError: no such table: nowhere"):
        rows_of(sqlite_file, "select * from nowhere")
    with pytest.raises(ConfigurationError, match="begins with CREATE"):
        rows_of(sqlite_file, "create table t (n)")


def test_rows_as_dicts(sqlite_file: str) -> None:
    """Some hooks give rows as dicts: their values are taken in the order of the columns."""
    columns = cursor.rows_of(_DictCursor(), 10)
    assert values(columns) == [(1, "a"), (2, None)]


class _DictCursor:
    """A cursor of PEP 249 with rows like those of `pymssql` with `as_dict`."""

    description = (("id",), ("name",))

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = [{"id": 1, "name": "a"}, {"id": 2, "name": None}]

    def fetchmany(self, size: int) -> list[dict[str, Any]]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows
