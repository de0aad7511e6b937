"""Snowflake's own connector and Airflow's hook, against a fake of the service and against a cursor without Arrow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import snowflake.connector.connection
from fakesnow import patch, server
from reading import execute, kinds, row_of, rows_of, values
from snowflake.connector.constants import FIELD_ID_TO_NAME
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import NotSupportedError, OperationalError

from airflow_reverse_etl import warehouse
from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.warehouse import WarehouseError
from airflow_reverse_etl.warehouse import snowflake as reader

UTC = dt.UTC
TABLE = """create or replace table accounts (id number(38,0), small number(5,0), amount number(12,2), score float,
           name varchar, active boolean, born date, clock time, seen timestamp_ntz, paid timestamp_tz, data variant,
           facts object, tags array, photo binary)"""
ROW = """insert into accounts select 9223372036854775807, 7, -1.50, 0.1, 'O''Brien', true, '2024-02-29', '12:00:00.5',
         '2024-01-01 10:00:00.123456', '2024-01-01 10:00:00+02:00', parse_json('{"b":[1,2]}'),
         object_construct('a', 1), array_construct('x', null), to_binary('00FF', 'HEX')"""
EXPECTED = (
    *(2**63 - 1, 7, Decimal("-1.5"), 0.1, "O'Brien", True, dt.date(2024, 2, 29), dt.time(12, 0, 0, 500_000)),
    *(dt.datetime(2024, 1, 1, 10, 0, 0, 123_456), dt.datetime(2024, 1, 1, 8, tzinfo=UTC)),
    *('{"b":[1,2]}', '{"a":1}', '["x",null]', b"\x00\xff"),
)


@pytest.fixture
def service(connect: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the id of a connection to a Snowflake that is served over HTTP, to the connector that users have."""
    served = import_module("fakesnow.server")  # a function of the package has the same name
    monkeypatch.setattr(served, "to_sf", _as_snowflake_sends(served.to_sf))
    # Airflow's hook has no way to say that the service is not behind TLS.
    defaults = snowflake.connector.connection.DEFAULT_CONFIGURATION
    monkeypatch.setitem(defaults, "protocol", ("http", str))
    with server() as address:
        extra = {key: address[key] for key in ("account", "host", "port", "session_parameters")}
        conn_id = connect(
            "snowflake",
            login=address["user"],
            password=address["password"],
            schema="S",
            extra={**extra, "database": "DB"},
        )
        execute(conn_id, "create database if not exists db", "create schema if not exists db.s")
        yield conn_id


@pytest.fixture
def without_arrow(connect: Any) -> Iterator[str]:
    """Return the id of a connection whose cursor has no `fetch_arrow_batches`."""
    with patch():
        conn_id = connect("snowflake", login="fake", password="snow", schema="S", extra={"database": "DB"})
        execute(conn_id, "create database if not exists db", "create schema if not exists db.s")
        yield conn_id


def test_values_through_arrow(service: str) -> None:
    """Every type arrives exactly, numbers never by way of a double; columns are named as Snowflake names them."""
    execute(service, TABLE, ROW, "insert into accounts (id) values (null)")
    with warehouse.read(service, "select * from accounts;") as rows:
        assert rows.schema.names[:3] == ["ID", "SMALL", "AMOUNT"]
        assert kinds(rows) == [
            *("decimal128(38, 0)", "int64", "decimal128(38, 2)", "double", "string", "bool"),
            *(*["mixed"] * 4, *["json"] * 3, "binary"),
        ]
        assert values(rows) == [EXPECTED, (None,) * len(EXPECTED)]


def test_values_row_by_row(without_arrow: str) -> None:
    """A cursor without Arrow gives the same values."""
    execute(without_arrow, TABLE, ROW, "insert into accounts (id) values (null)")
    with warehouse.read(without_arrow, "select * from accounts;") as rows:
        assert rows.schema.names[:3] == ["ID", "SMALL", "AMOUNT"]
        assert kinds(rows) == [*["mixed"] * 10, *["json"] * 3, "mixed"]
        found, nulls = values(rows)
    assert float(found[3]) == EXPECTED[3]
    assert (*found[:3], *found[4:]) == (*EXPECTED[:3], *EXPECTED[4:])
    assert nulls == (None,) * len(EXPECTED)


@pytest.mark.parametrize("number", ["-0.01", "0.1", "1234567890123456.78", "-9999999999999999.99"])
def test_decimals_are_exact(service: str, number: str) -> None:
    """Snowflake sends a decimal as an integer and a scale; the connector would make a double of it."""
    execute(service, "create or replace table amounts (amount number(18,2), wide number(38,2))")
    execute(service, f"insert into amounts values ({number}, {number})")
    assert row_of(service, "select amount, wide from amounts") == (Decimal(number), Decimal(number))


def test_far_away_times(service: str) -> None:
    """Timestamps beyond the years that fit into nanoseconds are read like any other."""
    found = row_of(service, "select '9999-12-31 23:59:59'::timestamp_ntz, '0001-01-01'::timestamp_ntz")
    assert found == (dt.datetime(9999, 12, 31, 23, 59, 59), dt.datetime(1, 1, 1))


def test_columns_are_known_without_rows(service: str) -> None:
    """A query that finds nothing has columns all the same; a quoted name keeps its letters."""
    with warehouse.read(service, 'select 1 as id, 2 as "Mixed" where false') as rows:
        assert rows.schema.names == ["ID", "Mixed"]
        assert list(rows) == []


def test_parameters_and_texts(service: str) -> None:
    """Parameters are bound; texts come back as they are, NULL is not the empty text."""
    texts = ["it's 100%", "", "007", "=1+1", "😀", 'a "b"\n\t\\', "x" * 100_000]
    found = row_of(service, f"select {', '.join(['%s'] * len(texts))}, null::varchar", texts)
    assert found == (*texts, None)


def test_statements_that_are_no_select(service: str) -> None:
    """`show` returns rows too."""
    execute(service, "create or replace table shown (n int)")
    with warehouse.read(service, "show tables") as rows:
        assert "SHOWN" in {row[rows.schema.names.index("name")] for row in values(rows)}


def test_a_query_that_is_refused(service: str) -> None:
    """The error names the connection and repeats what Snowflake says; a value in it is hidden."""
    with pytest.raises(ConfigurationError, match=r"'test_snowflake': ProgrammingError 42S02: .*NOWHERE"):
        rows_of(service, "select * from nowhere")
    with pytest.raises(WarehouseError) as caught:
        rows_of(service, "select 'Secret'::int")
    assert "Secret" not in str(caught.value)


def test_the_type_codes_are_the_connectors() -> None:
    """Snowflake's numbers for its types are written down here; those of the connector are the same."""
    assert {code: FIELD_ID_TO_NAME[code] for code in reader.TYPE_CODES} == reader.TYPE_CODES


def test_types_that_change_from_batch_to_batch() -> None:
    """Snowflake sends a number in as many bytes as the batch needs: one schema holds them all."""
    columns = [reader._column("N", "FIXED", 38, 0), reader._column("S", "FIXED", 9, 0)]
    tables = [
        pa.table([pa.array([1], pa.int8()), pa.array([1], pa.int8())], ["N", "S"]),
        pa.table([pa.array([2**40], pa.int64()), pa.array([2**20], pa.int32())], ["N", "S"]),
        pa.table([pa.array([Decimal(10**30)], pa.decimal128(38, 0)), pa.array([None], pa.int8())], ["N", "S"]),
    ]
    batches = reader._batches(_Counted(3), iter(tables), columns, 100)
    found = pa.Table.from_batches(batches)
    assert found.column("N").to_pylist() == [1, 2**40, 10**30]
    assert found.column("S").to_pylist() == [1, 2**20, None]


def test_rows_that_do_not_come(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer rows than Snowflake announced are an error that Airflow may retry, not the end of the result."""
    monkeypatch.setattr(SnowflakeCursor, "rowcount", property(lambda _: 3))
    with pytest.raises(WarehouseError, match="announced 3 rows and sent 2"):
        rows_of(service, "select 1 union all select 2")


def test_results_that_are_no_arrow(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Snowflake answers some statements in JSON: they are read row by row."""

    def refuse(*_: Any, **__: Any) -> None:
        raise NotSupportedError

    monkeypatch.setattr(SnowflakeCursor, "fetch_arrow_batches", refuse)
    assert rows_of(service, "select 1.50 as a, 'x' as b") == [(Decimal("1.5"), "x")]


def test_a_connector_that_fails_otherwise(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other refusal is an error, and not a reason to read the result once more."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError(msg="no more")

    monkeypatch.setattr(SnowflakeCursor, "fetch_arrow_batches", refuse)
    with pytest.raises(WarehouseError, match="no more"):
        rows_of(service, "select 1")


@pytest.mark.parametrize("kind", ["DECFLOAT", "GEOGRAPHY", "INTERVAL_DAY_TIME", ""])
def test_types_that_arrow_does_not_carry(kind: str) -> None:
    """A type that the connector's Arrow reader refuses, or a new one, sends the whole result row by row."""
    assert reader._column("X", kind, None, None) is None
    # A type that the connector does not know has the number of FIXED, but no precision.
    assert reader._column("X", "FIXED", None, None) is None


def test_vectors_are_lists() -> None:
    """VECTOR comes as a list of fixed length."""
    column = reader._column("V", "VECTOR", None, None)
    assert column is not None
    vectors = pa.array([[0.5, 1.0], None], pa.list_(pa.float32(), 2))
    assert column.convert(vectors).to_pylist() == ["j[0.5,1]", None]


def test_null_inside_of_an_array_is_null() -> None:
    """Snowflake writes `undefined` there, which is not JSON; in a text the word stays."""
    sent = pa.array(
        ["[\n  1,\n  undefined\n]", '{"undefined": "it is undefined \\" undefined"}', None, "[undefined,undefined]"]
    )
    assert reader._documents(sent).to_pylist() == [
        *("[\n  1,\n  null\n]", '{"undefined": "it is undefined \\" undefined"}', None, "[null,null]"),
    ]


def test_structured_types_are_json() -> None:
    """ARRAY(NUMBER) and its like come as lists and structs, and are JSON like all others of their kind."""
    assert reader._documents(pa.array([[1, None], None])).to_pylist() == ["[1,null]", None]
    assert reader._documents_of(['{"a":1}', {"b": Decimal("1.10")}, None]).to_pylist() == ['{"a":1}', '{"b":1.1}', None]


class _Counted:
    """A cursor that announces so many rows."""

    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount


def _as_snowflake_sends(to_sf: Any) -> Any:
    """Mend two things in which the fake differs: decimals go as integers with a scale, a NULL timestamp is NULL."""

    def send(table: pa.Table, rowtype: Any) -> pa.Table:
        sent = to_sf(table, rowtype)
        for position, (field, original) in enumerate(zip(sent.schema, table.columns, strict=True)):
            array = sent.column(position)
            if pa.types.is_decimal(field.type) and field.type.precision <= 18:
                array = pc.multiply(array, pa.scalar(10**field.type.scale)).cast(pa.int64())
            elif pa.types.is_struct(field.type):
                parts = array.combine_chunks()
                array = pa.StructArray.from_arrays(
                    [parts.field(n) for n in range(field.type.num_fields)],
                    fields=[inner.with_nullable(True) for inner in field.type],
                    mask=original.combine_chunks().is_null(),
                )
            sent = sent.set_column(position, field.with_type(array.type), array)
        return sent

    return send


def test_the_task_of_the_talk(service: str, box: Any, run_dag: Any, xcom: Any) -> None:
    """Snowflake's columns are matched by position, and every score is in Salesforce as it is in the table."""
    from airflow.sdk import DAG

    from airflow_reverse_etl.operators.reverse_etl import ReverseETLOperator

    ids = box.seed("salesforce", "Account", [{"Name": f"account {number}"} for number in range(250)])
    rows = ", ".join(f"('{record}', {number / 8})" for number, record in enumerate(ids))
    execute(service, "create table scores (account_id varchar, aps number(10, 3))", f"insert into scores values {rows}")
    with DAG("talk", schedule=None) as dag:
        ReverseETLOperator(
            task_id="run_aps",
            destination="salesforce",
            warehouse_conn_id=service,
            query="""
                select account_id
                     , aps
                from db.s.scores
            """,
            object="account",
            fields=["aps__c"],
            job_type="update",
            batch_size=10000,
        )
    report = xcom(run_dag(dag), "run_aps")
    assert (report["succeeded"]["update"], report["rows"]) == (250, 250)
    assert [record["aps__c"] for record in box.records("salesforce", "Account")] == [n / 8 for n in range(250)]
    assert xcom(run_dag(dag), "run_aps")["unchanged"] == 250
