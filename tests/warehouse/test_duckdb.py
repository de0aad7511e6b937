"""DuckDB through Airflow's hook: Arrow where Arrow keeps the value, DuckDB's own text where it would not."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from decimal import Decimal

import duckdb
import pytest
from reading import kinds, row_of, rows_of, values

from airflow_reverse_etl import warehouse
from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.warehouse import WarehouseError

UTC = dt.UTC
NAIVE = dt.datetime.fromisoformat("2024-01-01 10:00:00.123456")


def test_numbers_are_exact(duckdb_file: str) -> None:
    """Integers of every width, decimals with their scale, and integers that Arrow has no type for."""
    found = row_of(
        duckdb_file,
        """select (-128)::tinyint, 9223372036854775807, 18446744073709551615::ubigint, 1.50::decimal(38,2),
                  170141183460469231731687303715884105727::hugeint, 340282366920938463463374607431768211455::uhugeint,
                  -123456789012345678901234567890123456789012345::bignum, sum(x)::hugeint, 0.1::double, null::hugeint
           from (values (1), (2)) as t(x)""",
    )
    assert found == (
        *(-128, 2**63 - 1, 2**64 - 1, Decimal("1.5"), 2**127 - 1, 2**128 - 1),
        *(-123456789012345678901234567890123456789012345, 3, 0.1, None),
    )


def test_what_is_no_number_stays_itself(duckdb_file: str) -> None:
    """NaN and infinity arrive as such in a column of doubles; the engine refuses the row."""
    nan, infinite = row_of(duckdb_file, "select 'nan'::double, '-inf'::float")
    assert math.isnan(nan)
    assert infinite == -math.inf


def test_texts_and_nulls(duckdb_file: str) -> None:
    """Every text comes back as it is, and NULL is not the empty text."""
    texts = ["", "O'Brien", "=1+1", "007", "😀 é", 'a "b"', "back\\slash", "a\tb\r\nc", "x" * 100_000, None]
    assert rows_of(duckdb_file, "select unnest($texts::varchar[])", {"texts": texts}) == [(text,) for text in texts]


def test_dates_and_times(duckdb_file: str) -> None:
    """Dates, times and timestamps in all the units that DuckDB has."""
    found = row_of(
        duckdb_file,
        """select date '2024-02-29', time '12:00:00.5', timestamp '2024-01-01 10:00:00.123456',
                  timestamptz '2024-01-01 10:00:00+02', '2024-01-01 10:00:00.123456789'::timestamp_ns,
                  '2024-01-01 10:00:00'::timestamp_s, '2024-01-01 10:00:00.123'::timestamp_ms,
                  '1969-12-31 23:59:59.999999999'::timestamp_ns, '12:00:00+02'::timetz, interval '1 day'""",
    )
    assert found == (
        *(dt.date(2024, 2, 29), dt.time(12, 0, 0, 500_000), NAIVE, dt.datetime(2024, 1, 1, 8, tzinfo=UTC), NAIVE),
        *(NAIVE.replace(microsecond=0), NAIVE.replace(microsecond=123_000)),
        *(dt.datetime(1969, 12, 31, 23, 59, 59, 999_999), "12:00:00+02", "1 day"),
    )


@pytest.mark.parametrize(
    "value",
    [
        *("'infinity'::date", "'-infinity'::date", "'0044-03-15 (BC)'::date", "'10000-01-01'::date"),
        *("'infinity'::timestamp", "'-infinity'::timestamptz", "'10000-01-01'::timestamp", "time '24:00:00'"),
        *("'290000-01-01'::timestamp_s", "'0044-03-15 (BC)'::timestamp_ms"),
    ],
)
def test_times_that_no_application_knows(duckdb_file: str, value: str) -> None:
    """What lies outside the years 1 to 9999 is marked, and the rows beside it are there."""
    assert rows_of(duckdb_file, f"values (1, {value}), (2, null)") == [(1, "!range"), (2, None)]


def test_other_types(duckdb_file: str) -> None:
    """Booleans, bytes, UUIDs and JSON keep their kind; enumerations, bits and unions are text."""
    query = """select true, '\\x00\\xFF'::blob, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid,
                      '{"b": 1.10}'::json, 'x'::enum('x', 'y'), '0101'::bit, union_value(n := 7), null"""
    with warehouse.read(duckdb_file, query) as rows:
        assert kinds(rows) == ["bool", "binary", "uuid", "json", "string", "string", "string", "string"]
        [found] = values(rows)
    uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert found == (True, b"\x00\xff", uuid, '{"b": 1.10}', "x", "0101", "7", None)


def test_lists_structs_and_maps(duckdb_file: str) -> None:
    """Nested values are lists and dicts, exact to the digit; what only DuckDB can write, it writes as JSON."""
    query = """select [1, null, 3], {'b': 1.50::decimal(5,2), 'a': [date '2024-01-01']}, map {'k': 1, 'l': null},
                      [1, 2]::int[2], [170141183460469231731687303715884105727::hugeint], []::int[], null::int[],
                      {'t': '2024-01-01 10:00:00.123456789'::timestamp_ns}, [['nan'::double]], ['infinity'::date],
                      {'i': [interval '1 day']}, {'a': 1}::variant"""
    with warehouse.read(duckdb_file, query) as rows:
        assert kinds(rows) == [*["mixed"] * 10, "json", "json"]
        [found] = values(rows)
    assert found == (
        *([1, None, 3], {"a": ["2024-01-01"], "b": Decimal("1.5")}, {"k": 1, "l": None}, [1, 2], [2**127 - 1], []),
        *(None, {"t": "2024-01-01T10:00:00.123456"}, "!NaN", "!range", '{"i":["1 day"]}', '{"a":1}'),
    )


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select 1 as a; -- bye", [(1,)]),
        ("from (values (1), (2)) as t(a)", [(1,), (2,)]),
        ("select 1 as a, 2::hugeint as a", [(1, 2)]),
        ("select 1 as a where false", []),
        ("with t as (select 1 as a) select a from t", [(1,)]),
        ("select '100%' as a", [("100%",)]),
        ("show tables", []),
    ],
)
def test_forms_of_a_query(duckdb_file: str, query: str, rows: list[object]) -> None:
    """Whatever returns rows can be read; names may repeat."""
    assert rows_of(duckdb_file, query) == rows


def test_columns_are_known_without_rows(duckdb_file: str) -> None:
    """A query that finds nothing has columns all the same, under the names that it gave them."""
    with warehouse.read(duckdb_file, 'select 1 as id, 2::hugeint as "ID", 3 as id where false') as rows:
        assert rows.schema.names == ["id", "ID", "id"]
        assert [batch.num_rows for batch in rows] == []


def test_parameters(duckdb_file: str) -> None:
    """Parameters are bound by position or by name."""
    assert row_of(duckdb_file, "select ? + 1, ?", [41, "it's"]) == (42, "it's")
    assert row_of(duckdb_file, "select $a + 1", {"a": 2**62}) == (2**62 + 1,)


def test_a_thousand_columns(duckdb_file: str) -> None:
    """A wide table is read as it is, in batches that are shorter the wider it is."""
    wide = ", ".join(f"{n} as c{n}" for n in range(1000))
    with warehouse.read(duckdb_file, f"select {wide} from range(5000)") as rows:
        batches = list(rows)
    assert sum(batch.num_rows for batch in batches) == 5000
    assert batches[0].num_rows < 5000
    assert [column[0].as_py() for column in batches[0].columns] == list(range(1000))


def test_batches_come_at_once(duckdb_file: str) -> None:
    """The first rows are here before the last are computed, in batches of the size that was asked for."""
    with warehouse.read(duckdb_file, "select i from range(1000000000000) t(i)", batch_rows=500) as rows:
        assert {batch.num_rows for batch in itertools.islice(rows, 50)} == {500}


def test_the_connection_is_closed_afterwards(duckdb_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB lets one process write: when the block ends, also early or by an error, others may."""
    from airflow.providers.duckdb.hooks.duckdb import DuckDBHook

    opened, get_conn = [], DuckDBHook.get_conn
    monkeypatch.setattr(DuckDBHook, "get_conn", lambda hook: opened.append(get_conn(hook)) or opened[-1])
    with warehouse.read(duckdb_file, "select i from range(100000) r(i)", batch_rows=10) as rows:
        next(iter(rows))
    with pytest.raises(ConfigurationError):
        rows_of(duckdb_file, "select * from nowhere")
    assert len(opened) == 2
    for connection in opened:
        with pytest.raises(duckdb.ConnectionException):
            connection.execute("select 1")


def test_a_query_that_is_refused(duckdb_file: str) -> None:
    """The error names the connection and repeats what DuckDB says about the query."""
    with pytest.raises(ConfigurationError, match=r"'test_duckdb': CatalogException: .*nowhere"):
        rows_of(duckdb_file, "select * from nowhere")


def test_an_error_in_mid_stream(duckdb_file: str) -> None:
    """A row that cannot be computed ends the reading, and its value stays hidden."""
    query = "select (case when i < 500000 then i::varchar else 'Secret' end)::int from range(600000) t(i)"
    with warehouse.read(duckdb_file, query) as rows:
        batches = iter(rows)
        assert next(batches).num_rows
        with pytest.raises(WarehouseError, match="Conversion Error") as caught:
            list(batches)
    assert "Secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
