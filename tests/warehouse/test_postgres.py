"""A real PostgreSQL through both of its drivers: what was put in comes out, exactly or marked as unreadable."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import threading
import time
from decimal import Decimal
from typing import Any

import pytest
from reading import execute, kinds, row_of, rows_of, values

from airflow_reverse_etl import warehouse
from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.warehouse import WarehouseError
from airflow_reverse_etl.warehouse import postgres as reader

UTC = dt.UTC
NAIVE = dt.datetime.fromisoformat("1969-12-31 23:59:59.999999")
TEXTS = [
    "",
    " ",
    "O'Brien",
    "=1+1",
    "007",
    "😀 é 漢",
    'a "quoted" one',
    "back\\slash \\N \\.",
    "a\tb\nc\r\nd",
    "\\.",
    "x" * 100_000,
]


def test_numbers_are_exact(postgres: str) -> None:
    """Integers to their last digit, numerics of any length, floats as they print."""
    found = row_of(
        postgres,
        """select (-32768)::int2, 2147483647, 9223372036854775807, 1.50::numeric(10,2), 100::numeric(5,0),
                  -0.00::numeric, 123456789012345678901234567890123456789012345.678901234567890::numeric, 0.1::float4,
                  0.1::float8, 1e300::float8, 4294967295::oid""",
    )
    assert found == (
        *(-32768, 2147483647, 2**63 - 1, Decimal("1.5"), 100, 0),
        Decimal("123456789012345678901234567890123456789012345.67890123456789"),
        *(0.1, 0.1, 1e300, 2**32 - 1),
    )


def test_what_is_no_number_stays_out(postgres: str) -> None:
    """NaN and infinity end neither the run nor the row: a numeric is marked, a float is itself."""
    found = row_of(postgres, "select 'NaN'::numeric, '-Infinity'::numeric, 'NaN'::numeric(5,2), '-Infinity'::float8")
    assert found == ("!NaN", "!Infinity", "!NaN", -math.inf)
    assert math.isnan(row_of(postgres, "select 'NaN'::float4")[0])


def test_texts_and_nulls(postgres: str) -> None:
    """Every text comes back as it is, and NULL is not the empty text."""
    assert rows_of(postgres, "select unnest(%s::text[])", [[*TEXTS, None]]) == [(text,) for text in [*TEXTS, None]]
    assert row_of(postgres, "select null::text, ''::varchar, 'ab'::char(4), 'n'::name") == (None, "", "ab  ", "n")


def test_a_single_column_of_nulls_keeps_its_rows(postgres: str) -> None:
    """A line that is empty because its only value is NULL is a row all the same."""
    assert rows_of(postgres, "select null::int from generate_series(1, 3)") == [(None,)] * 3


def test_dates_and_times(postgres: str) -> None:
    """Dates, times, timestamps and instants, in whatever zone the session has."""
    for zone in ("UTC", "America/St_Johns"):
        execute(postgres, f"alter role postgres set timezone to '{zone}'")
        found = row_of(
            postgres,
            """select date '2024-02-29', time '12:00:00.5', timestamp '1969-12-31 23:59:59.999999',
                      timestamptz '2024-01-01 10:00:00.5+02', timestamptz '1850-06-01 00:00:00Z', date '0001-01-01',
                      current_setting('timezone')""",
        )
        assert found == (
            *(dt.date(2024, 2, 29), dt.time(12, 0, 0, 500_000), NAIVE),
            *(
                dt.datetime(2024, 1, 1, 8, 0, 0, 500_000, UTC),
                dt.datetime(1850, 6, 1, tzinfo=UTC),
                dt.date(1, 1, 1),
                zone,
            ),
        )


@pytest.mark.parametrize(
    "value",
    [
        *("date 'infinity'", "date '-infinity'", "date '0044-03-15 BC'", "date '10000-01-01'", "time '24:00'"),
        *("timestamp 'infinity'", "timestamp '0044-03-15 10:00 BC'", "timestamp '10000-01-01'"),
        *("timestamptz '-infinity'", "timestamptz '9999-12-31 23:59:59-12'", "timestamptz '0044-03-15 10:00Z BC'"),
    ],
)
def test_times_that_no_application_knows(postgres: str, value: str) -> None:
    """What lies outside the years 1 to 9999 is marked, and its neighbours are read."""
    name = value.split(maxsplit=1)[0]
    good = "12:00" if name == "time" else "2024-01-01"
    rows = rows_of(postgres, f"values (1, {value}), (2, null), (3, {name} '{good}')")
    assert rows[:2] == [(1, "!range"), (2, None)]
    assert str(rows[2][1]).startswith(good)


def test_other_types(postgres: str) -> None:
    """Booleans, bytes, UUIDs and JSON keep their kind; what only PostgreSQL knows is text as it prints it."""
    query = """select true, '\\xdeadbeef'::bytea, ''::bytea, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid,
                      '{"b": 1.10, "a": null}'::jsonb, '[1,  2]'::json, interval '1 day 2 hours', int4range(1, 5),
                      '10.0.0.1'::inet, B'101', point(1, 2), row(1, 'x')"""
    with warehouse.read(postgres, query) as rows:
        assert kinds(rows) == ["bool", "mixed", "mixed", "uuid", "json", "json", *["string"] * 6]
        [found] = values(rows)
    assert found == (
        *(True, b"\xde\xad\xbe\xef", b"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", '{"a": null, "b": 1.10}', "[1,  2]"),
        *("1 day 02:00:00", "[1,5)", "10.0.0.1", "101", "(1,2)", "(1,x)"),
    )


def test_types_made_by_the_user(postgres: str) -> None:
    """An enumeration is text, a domain is what it is made of, and arrays of both are arrays."""
    execute(
        postgres,
        "drop type if exists mood cascade",
        "create type mood as enum ('sad', 'it''s ok')",
        "drop domain if exists score cascade",
        "create domain score as numeric(5,2)",
    )
    found = row_of(
        postgres, "select 'sad'::mood, 1.50::score, array['sad', 'it''s ok']::mood[], array[1.50]::numeric[]"
    )
    assert found == ("sad", Decimal("1.5"), ["sad", "it's ok"], [Decimal("1.5")])


def test_arrays(postgres: str) -> None:
    """Arrays are lists: with quotes, NULLs, braces, dimensions and bounds, and with elements of every kind."""
    found = row_of(
        postgres,
        """select array['a', 'b"c', null, 'NULL', '', '{x,y}', E'\\\\\\n', ' '], array[[1, 2], [3, 4]], '{}'::int[],
                  '[0:1]={7,8}'::int8[], array[true, null], array[1e300, 0.1]::float8[], array['\\x00ff'::bytea],
                  array['{"b": [1.10], "a": "\\"}"}'::jsonb], array[date '2024-01-01'], null::int[],
                  array[box '((1,2),(3,4))', box '((5,6),(7,8))'],
                  array[timestamptz '2024-01-01 10:00+02'], array[time '10:00'], array[[1.50], [2]]""",
    )
    assert found == (
        *(["a", 'b"c', None, "NULL", "", "{x,y}", "\\\n", " "], [[1, 2], [3, 4]], [], [7, 8], [True, None]),
        *([int(1e300), Decimal("0.1")], ["00ff"], [{"a": '"}', "b": [Decimal("1.1")]}]),
        *(["2024-01-01"], None, ["(3,4),(1,2)", "(7,8),(5,6)"], ["2024-01-01T08:00:00+00:00"], ["10:00:00"]),
        [[Decimal("1.5")], [2]],
    )


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        ("array['NaN']::numeric[]", "!NaN"),
        ("array['Infinity']::float8[]", "!Infinity"),
        ("array[date 'infinity']", "!range"),
        ("array[timestamp '-infinity']", "!range"),
        ("array[time '24:00']", "!range"),
    ],
)
def test_arrays_that_cannot_be_read(postgres: str, array: str, reason: str) -> None:
    """An array with an element that no application takes is marked as a whole."""
    assert row_of(postgres, f"select {array}") == (reason,)


def test_settings_of_the_role_change_no_value(postgres: str) -> None:
    """Output formats that a DBA may have chosen neither change a value nor the meaning of the query."""
    settings = {
        "datestyle": "SQL, DMY",
        "bytea_output": "escape",
        "extra_float_digits": "-5",
        "timezone": "Asia/Kolkata",
    }
    execute(postgres, *(f"alter role postgres set {name} to '{value}'" for name, value in settings.items()))
    try:
        found = row_of(
            postgres,
            """select date '03/02/2024', '\\x00ff'::bytea, 1/3::float8, timestamptz '2024-01-01 00:00Z',
                      timestamptz '2024-01-01 20:00Z'::date, array[date '03/02/2024']""",
        )
    finally:
        execute(postgres, *(f"alter role postgres reset {name}" for name in settings))
    instant = dt.datetime(2024, 1, 1, tzinfo=UTC)
    assert found == (dt.date(2024, 2, 3), b"\x00\xff", 1 / 3, instant, dt.date(2024, 1, 2), ["2024-02-03"])


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select 1 as a -- a comment ; in the end", [(1,)]),
        ("select 1 as a; -- bye", [(1,)]),
        ("values (1, 'a'), (2, null)", [(1, "a"), (2, None)]),
        ("with x as (select 1 as a) select a from x", [(1,)]),
        ("table pg_catalog.pg_am limit 0", []),
        ("(select 1) union all (select 2)", [(1,), (2,)]),
        ("select 1 as a, 2 as a", [(1, 2)]),
        ("select '100%' as a, 5 % 3 as b", [("100%", 2)]),
        ("show server_encoding", [("UTF8",)]),
    ],
)
def test_forms_of_a_query(postgres: str, query: str, rows: list[Any]) -> None:
    """Whatever returns rows can be read, also where no COPY and no cursor can be had; nothing is ever committed."""
    execute(postgres, "drop table if exists log", "create table log (n int)")
    assert rows_of(postgres, query) == rows
    assert rows_of(postgres, "select * from log") == []


def test_servers_that_cannot_copy_to_the_client(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redshift calls itself PostgreSQL 8 and is read through a named cursor, a batch at a time."""
    monkeypatch.setattr(reader, "FIRST_WITH_COPY", 10**9)
    query = "select i, 1.50::numeric, 'O''Brien', null, '{\"a\": 1}'::jsonb, array[1] from generate_series(1, 1000) i"
    found = rows_of(postgres, query, batch_rows=300)
    assert found == [(i, Decimal("1.5"), "O'Brien", None, {"a": 1}, [1]) for i in range(1, 1001)]


def test_a_query_runs_once(postgres: str) -> None:
    """Finding out the columns does not run the query: one that takes a second takes one second."""
    began = time.monotonic()
    assert row_of(postgres, "select 1 from pg_sleep(1)") == (1,)
    assert time.monotonic() - began < 1.9


def test_a_query_changes_nothing(postgres: str) -> None:
    """Whoever may write a query may not write into the warehouse, also behind a WITH or in a function."""
    execute(postgres, "drop table if exists kept", "create table kept as select 1 as n")
    for query in ("delete from kept", "select 1; delete from kept", "with d as (select 1) delete from kept"):
        with pytest.raises(ConfigurationError, match="SELECT"):
            rows_of(postgres, query)
    with pytest.raises(WarehouseError, match="read-only transaction"):
        rows_of(postgres, "with d as (delete from kept returning n) select n from d")
    assert rows_of(postgres, "select n from kept") == [(1,)]


@pytest.mark.parametrize(
    ("query", "parameters", "row"),
    [
        ("select %s::text, %s + 1", ["it's 100% \\", 41], ("it's 100% \\", 42)),
        ("select %(a)s::text, %(b)s::date", {"a": None, "b": dt.date(2024, 1, 1)}, (None, dt.date(2024, 1, 1))),
        ("select %s * %s as product", [500, 500], (250_000,)),
        ("select %s as decimal", [Decimal("1.10")], (Decimal("1.1"),)),
        ("select 1 as one, '%%' as percent where %s", [True], (1, "%")),
        ("select '%' as percent", [], ("%",)),
        ("select %s = any(%s)", [1, [1, 2]], (True,)),
    ],
)
def test_parameters(postgres: str, query: str, parameters: Any, row: tuple[Any, ...]) -> None:
    """Parameters are bound as the driver binds them, and arrive with their values."""
    assert row_of(postgres, query, parameters) == row


def test_columns_are_known_without_rows(postgres: str) -> None:
    """A query that finds nothing has columns all the same, and no batch."""
    with warehouse.read(postgres, "select 1 as id, 'x' as name, now() as seen where false") as rows:
        assert rows.schema.names == ["id", "name", "seen"]
        assert list(rows) == []


def test_a_thousand_columns(postgres: str) -> None:
    """A wide table is read as it is."""
    wide = ", ".join(f"{n} as c{n}" for n in range(1000))
    assert rows_of(postgres, f"select {wide} from generate_series(1, 3)") == [tuple(range(1000))] * 3


def test_connections_that_give_dicts(
    postgres: str, connect: Any, postgres_server: dict[str, str], request: pytest.FixtureRequest
) -> None:
    """An Airflow connection may ask for another kind of row: it changes nothing here."""
    kind = {"psycopg3": "dictcursor", "psycopg2": "realdictcursor"}[request.node.callspec.params["postgres"]]
    conn_id = connect("postgres", **postgres_server, extra={"cursor": kind})
    assert row_of(conn_id, "select 1 as a, array[2] as a") == (1, [2])
    assert row_of(conn_id, "show server_encoding") == ("UTF8",)


def test_a_connection_in_autocommit(connect: Any, postgres_server: dict[str, str]) -> None:
    """An Airflow connection may ask for autocommit: rows are read in a transaction all the same."""
    conn_id = connect("postgres", **postgres_server, extra={"autocommit": True})
    assert row_of(conn_id, "select 1") == (1,)


def test_text_that_is_no_utf8(postgres: str, connect: Any, postgres_server: dict[str, str]) -> None:
    """A database that does not know its encoding holds any bytes: the cell is marked, the row is there."""
    from airflow.sdk import BaseHook

    connection = BaseHook.get_hook(postgres).get_conn()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("drop database if exists bytes")
        cursor.execute("create database bytes encoding 'SQL_ASCII' locale 'C' template template0")
    connection.close()
    conn_id = connect("postgres", **{**postgres_server, "schema": "bytes"})
    execute(conn_id, "create table t as select 1 as id, convert_from('\\x4fff'::bytea, 'SQL_ASCII') as name")
    assert rows_of(conn_id, "select id, name, 'é' from t") == [(1, "!utf8", "é")]


def test_a_query_that_is_refused(postgres: str) -> None:
    """The error names the connection and repeats what PostgreSQL says about the query."""
    with pytest.raises(ConfigurationError, match=r"'test_postgres': UndefinedTable 42P01.*\"nowhere\""):
        rows_of(postgres, "select * from nowhere")
    with pytest.raises(ConfigurationError, match="SyntaxError 42601"):
        rows_of(postgres, "select from where")


def test_an_error_in_mid_stream(postgres: str) -> None:
    """A row that cannot be computed ends the reading after the rows before it, and its value stays hidden."""
    seen = 0
    query = "select case when i < 50000 then i else (i || ' Secret')::int end from generate_series(1, 60000) i"
    with warehouse.read(postgres, query) as rows, pytest.raises(WarehouseError) as caught:  # noqa: PT012
        for batch in rows:
            seen += batch.num_rows
    assert seen >= 40_000
    assert "22P02" in str(caught.value)
    assert "Secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_server_goes_away(postgres: str) -> None:
    """A connection that breaks while rows are read is an error of the warehouse, never the end of the rows."""
    query = "select i, pg_backend_pid(), repeat('x', 1000) from generate_series(1, 1000000) i"
    with warehouse.read(postgres, query) as rows, pytest.raises(WarehouseError):  # noqa: PT012
        for number, batch in enumerate(rows):
            if number == 0:
                execute(postgres, f"select pg_terminate_backend({batch.column(1)[0]})")


def test_whoever_stops_early_leaves_nothing_behind(postgres: str) -> None:
    """At the end of the block the query is cancelled, even in its sleep, and neither connection nor thread is left."""
    threads = threading.active_count()
    query = (
        "select i, pg_backend_pid(), case when i > 12000 then pg_sleep(60)::text end from generate_series(1, 30000) i"
    )
    with warehouse.read(postgres, query) as rows:
        pid = next(iter(rows)).column(1)[0]
    _wait_until_gone(postgres, pid)
    assert threading.active_count() == threads


def test_whoever_fails_keeps_the_own_error(postgres: str) -> None:
    """What the consumer of the rows raises is not taken for an error of the warehouse."""
    query = "select generate_series(1, 100000000), pg_backend_pid()"
    with pytest.raises(KeyError, match="mine"), warehouse.read(postgres, query) as rows:  # noqa: PT012
        pid = next(iter(rows)).column(1)[0]
        raise KeyError("mine")
    _wait_until_gone(postgres, pid)


def test_batches_are_small_and_come_at_once(postgres: str) -> None:
    """The first rows are here before the last are computed, in batches of the size that was asked for."""
    query = "select i, case when i > 100000 then pg_sleep(60)::text end from generate_series(1, 100001) i"
    with warehouse.read(postgres, query, batch_rows=500) as rows:
        sizes = [batch.num_rows for batch in itertools.islice(rows, 50)]
    assert sizes == [500] * 50


def test_heavy_rows_make_small_batches(postgres: str) -> None:
    """Rows of 100 kB are not gathered by the ten thousand."""
    with warehouse.read(postgres, "select repeat('x', 100000) from generate_series(1, 1000) i") as rows:
        heaviest = max(batch.nbytes for batch in rows)
    assert heaviest < 20 * 2**20


def test_statements_for_the_driver_only(postgres: str) -> None:
    """A query that returns no columns is an error that says what to write."""
    execute(postgres, "drop table if exists nothing", "create table nothing (n int)")
    with pytest.raises(ConfigurationError, match="returns no columns: write a SELECT"):
        rows_of(postgres, "select from nothing")


def _wait_until_gone(conn_id: str, pid: int) -> None:
    query = f"select 1 from pg_stat_activity where pid = {pid}"
    for _ in range(100):
        if not rows_of(conn_id, query):
            return
        threading.Event().wait(0.1)
    pytest.fail("the query is still running")
