"""The one spelling of values: what SQL says of typed columns, Python says of mixed ones, and time does not change."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from airflow_reverse_etl.model import KIND, KeyForm, from_canonical
from airflow_reverse_etl.sync import canonical


@pytest.fixture
def sql() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Asia/Kathmandu'")
    canonical.register(connection)
    return connection


def spelled(sql: duckdb.DuckDBPyConnection, values: pa.Array, tag: bytes | None = None) -> list[str | None]:
    field = pa.field("c", values.type, metadata={KIND: tag} if tag else None)
    sql.register("t", pa.table([values], schema=pa.schema([field])))
    return [
        row[0]
        for row in sql.sql(f"SELECT {canonical.value_sql('c', canonical.kind_of(field), 'UTC')} FROM t").fetchall()
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1, -7, None]), ["n1", "n-7", None]),
        (pa.array([2**64 - 1], pa.uint64()), ["n18446744073709551615"]),
        (
            pa.array([1.5, 2.0, 1e20, 1e-7, -0.0, 1e300]),
            ["n1.5", "n2", "n1" + "0" * 20, "n0.0000001", "n0", "n1" + "0" * 300],
        ),
        (pa.array([Decimal("0.50"), Decimal("-0.50")], pa.decimal128(2, 2)), ["n0.5", "n-0.5"]),
        (pa.array([Decimal(100), Decimal(0)], pa.decimal128(38, 0)), ["n100", "n0"]),
        (pa.array(["", "a:b", "~"]), ["s", "sa:b", "s~"]),
        (pa.array([True, False]), ["btrue", "bfalse"]),
        (pa.array([dt.date(2026, 1, 2), dt.date(1, 1, 1)]), ["d2026-01-02", "d0001-01-01"]),
        (pa.array([1], pa.timestamp("us", "UTC")), ["t1"]),
        (pa.array([1_000], pa.timestamp("ns")), ["t1"]),
        (pa.array([dt.time(0, 0, 1)]), ["h1000000"]),
        (pa.array([b"\x00\xff"]), ["x00ff"]),
        (pa.array([["b", None]]), ['j["b",null]']),
        (pa.array([{"b": 1.0, "a": "x"}]), ['j{"a":"x","b":1}']),
    ],
)
def test_every_type_has_one_spelling(sql: duckdb.DuckDBPyConnection, values: pa.Array, expected: list[str]) -> None:
    """The format is a promise to every state that is kept: it never changes by accident."""
    assert spelled(sql, values) == expected


def test_json_is_spelled_by_what_it_means(sql: duckdb.DuckDBPyConnection) -> None:
    """Order of keys, spaces and spelling of numbers are no change; what is no JSON is text."""
    texts = pa.array(['{"b": 1.50, "a": [1e2]}', '{"a":[100.0],"b":1.5}', "nope", '{"é":"\\u00e9"}', None])
    first, second, third, fourth, last = spelled(sql, texts, b"json")
    assert first == second == 'j{"a":[100],"b":1.5}'
    assert (third, fourth, last) == ("snope", 'j{"é":"é"}', None)


def test_a_mixed_column_is_spelled_as_a_typed_one(sql: duckdb.DuckDBPyConnection) -> None:
    """The same value through SQLite and through Postgres has one fingerprint."""
    from airflow_reverse_etl.warehouse.canonical import canonical as of_python

    values: list[tuple[Any, pa.DataType]] = [
        (1, pa.int64()),
        (1.5, pa.float64()),
        (1e-7, pa.float64()),
        (Decimal("1.50"), pa.decimal128(10, 4)),
        ("x", pa.string()),
        (True, pa.bool_()),
        (dt.date(2026, 1, 2), pa.date32()),
        (dt.time(1, 2, 3, 4), pa.time64("us")),
        (dt.datetime(2026, 1, 2, 3, 4, 5, 6), pa.timestamp("us")),
        (dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC), pa.timestamp("us", "UTC")),
        (b"\x01", pa.binary()),
        ([1, "a"], None),
    ]
    for value, kind in values:
        mixed = spelled(sql, pa.array([of_python(value)], pa.string()), b"mixed")
        if kind is not None:
            assert mixed == spelled(sql, pa.array([value], kind)), value
        back = from_canonical(of_python(value) or "")
        assert (float(back) if isinstance(value, float) else back) == value


def test_keys_are_compared_alike_in_sql_and_in_python(sql: duckdb.DuckDBPyConnection) -> None:
    """What the stage joins by SQL, a hook matches by `KeyForm.normal`."""
    dice = random.Random(1)
    letters = "aB0.-+ \t\u00a0éÀßΣİẞ7e\n"
    keys = ["".join(dice.choices(letters, k=dice.randint(0, 6))) for _ in range(3000)]
    keys += ["007.50", "-0", "+1", "1.", ".5", "-.50", "00", "1e5", "--1", "٣"]
    sql.register("t", pa.table({"c": keys}))
    for form in (
        KeyForm(trim=True),
        KeyForm(trim=True, fold=True),
        KeyForm(number=True),
        KeyForm(trim=True, number=True),
        KeyForm(prefix=3),
    ):
        in_sql = [row[0] for row in sql.sql(f"SELECT {canonical.normal_sql('c', form)} FROM t").fetchall()]
        assert in_sql == [form.normal(key) for key in keys]


def test_values_cannot_be_pushed_across_fields(sql: duckdb.DuckDBPyConnection) -> None:
    """No two rows that differ have one fingerprint, whatever separators their values hold."""
    rows = [
        ("a", "b"),
        ("ab", ""),
        ("", "ab"),
        ("a|", "b"),
        (None, "b"),
        ("~", "b"),
        ("1:s", "b"),
        ("a1:sb", None),
        ("a", None),
    ]
    sql.register("t", pa.table({"x": pa.array([r[0] for r in rows]), "y": pa.array([r[1] for r in rows])}))
    text = [canonical.value_sql(c, canonical.Kind.TEXT, "UTC") for c in "xy"]
    fingerprint = canonical.Fingerprint([("x", text[0], False), ("y", text[1], False)]).sql()
    assert len({row[0] for row in sql.sql(f"SELECT {fingerprint} FROM t").fetchall()}) == len(rows)


def test_the_fingerprint_is_the_one_that_is_written_down(sql: duckdb.DuckDBPyConnection) -> None:
    """A fingerprint made by hand from `docs/architecture.md` is the one that SQL makes."""
    import hashlib
    import uuid

    sql.register("t", pa.table({"x": ["é"], "y": pa.array([None], pa.int64()), "z": pa.array([None], pa.int64())}))
    parts = [
        ("name", canonical.value_sql("x", canonical.Kind.TEXT, "UTC"), False),
        ("age", canonical.value_sql("y", canonical.Kind.INTEGER, "UTC"), True),
        ("b", canonical.value_sql("z", canonical.Kind.INTEGER, "UTC"), False),
    ]
    by_hand = hashlib.md5("1|UTC|3:age1:b4:name|-~3:sé".encode()).hexdigest()
    assert sql.sql(f"SELECT {canonical.Fingerprint(parts).sql()} FROM t").fetchall() == [(uuid.UUID(by_hand),)]
