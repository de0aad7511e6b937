"""Rows that a function returns: dicts of any kind, Arrow from anywhere, data frames."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from reading import kinds, values

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.warehouse import from_python

NAIVE = dt.datetime.fromisoformat("2024-01-01 10:00")
EPOCH = dt.datetime.fromisoformat("1970-01-01")


class _Exports:
    """Something that is not PyArrow's and exports its rows by the Arrow PyCapsule interface."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


def test_dicts_whose_types_differ() -> None:
    """The columns are those of the first dict, in its order; each cell is what it is."""
    rows = from_python(
        [
            {"id": 1, "value": "x"},
            {"value": Decimal("1.50"), "id": "007"},
            {"id": None, "value": [1, {"a": NAIVE}]},
            {"id": uuid.UUID(int=0), "value": "half \ud83d a pair"},
        ]
    )
    assert rows.schema.names == ["id", "value"]
    assert values(rows) == [
        *((1, "x"), ("007", Decimal("1.5")), (None, [1, {"a": "2024-01-01T10:00:00"}])),
        ("00000000-0000-0000-0000-000000000000", "!surrogate"),
    ]


def test_dicts_are_taken_as_they_come() -> None:
    """A generator is read a batch at a time, not to its end."""
    taken = 0

    def generate() -> Iterator[dict[str, int]]:
        nonlocal taken
        for number in range(10**6):
            taken += 1
            yield {"n": number}

    batches = iter(from_python(generate()))
    first = next(batches)
    assert 0 < first.num_rows == taken < 10_000


def test_no_rows() -> None:
    """No dicts, no columns, no batches: and no error."""
    rows = from_python([])
    assert rows.schema.names == []
    assert list(rows) == []


def test_dicts_with_other_keys() -> None:
    """A row whose columns differ from the first row's is named, with what is missing and what is too much."""
    good = [{"id": n, "name": "x"} for n in range(1500)]
    rows = from_python([*good, {"id": 1, "nmae": "Secret"}])
    with pytest.raises(ConfigurationError, match=r"row 1501 .*missing: name; not in the first: nmae") as caught:
        list(rows)
    assert "Secret" not in str(caught.value)


@pytest.mark.parametrize("source", ["select 1", {"id": 1}, 7, None, [("id", 1)], ["x"], [{1: "x"}], b"x"])
def test_what_is_no_rows(source: Any) -> None:
    """Anything else is refused with a sentence that says what rows are."""
    with pytest.raises(ConfigurationError, match="dicts from column name to value"):
        from_python(source)


def test_a_later_row_that_is_none() -> None:
    """A tuple among the dicts is refused when it comes."""
    with pytest.raises(ConfigurationError, match="not tuple"):
        list(from_python([{"id": 1}, (2,)]))


def test_rows_are_read_once() -> None:
    """Asking twice is an error: the second time a generator would look like an empty result."""
    rows = from_python([{"id": 1}])
    assert len(list(rows)) == 1
    with pytest.raises(RuntimeError, match="read once"):
        iter(rows)


@pytest.mark.parametrize("wrap", [lambda t: t, lambda t: t.to_reader(), lambda t: t.to_batches()[0], _Exports])
def test_arrow_from_anywhere(wrap: Any) -> None:
    """Tables, readers, batches, and whatever exports a stream (Polars and DuckDB do) are rows."""
    table = pa.table({"id": [1, 2], "name": ["a", None]})
    rows = from_python(wrap(table))
    assert kinds(rows) == ["int64", "string"]
    assert values(rows) == [(1, "a"), (2, None)]


def test_arrow_tables_are_cut_into_batches() -> None:
    """A table in one piece is handed on in pieces that fit the memory of those who follow."""
    rows = from_python(pa.table({"id": range(25_000)}))
    assert [batch.num_rows for batch in rows] == [10_000, 10_000, 5_000]


@pytest.mark.parametrize(
    ("array", "kind", "expected"),
    [
        (pa.array([True, None]), "bool", [True, None]),
        (pa.array([2**64 - 1], pa.uint64()), "uint64", [2**64 - 1]),
        (pa.array([1.5], pa.float16()), "float", [1.5]),
        (pa.array([Decimal("1.10")], pa.decimal128(38, 2)), "decimal128(38, 2)", [Decimal("1.10")]),
        (pa.array([Decimal("1.10")]).cast(pa.decimal32(5, 2)), "decimal128(5, 2)", [Decimal("1.10")]),
        (pa.array([Decimal(10**50)], pa.decimal256(60, 2)), "mixed", [10**50]),
        (pa.array(["a"], pa.large_string()), "large_string", ["a"]),
        (pa.array(["a", None], pa.string_view()), "string", ["a", None]),
        (pa.array([b"a"], pa.large_binary()), "binary", [b"a"]),
        (pa.array([b"ab"], pa.binary(2)), "binary", [b"ab"]),
        (pa.array(["a", "a"]).dictionary_encode(), "string", ["a", "a"]),
        (pa.array([dt.date(2024, 1, 1)]).dictionary_encode(), "mixed", [dt.date(2024, 1, 1)]),
        (pa.nulls(1), "string", [None]),
        (pa.array([dt.date(2024, 1, 1)], pa.date64()), "mixed", [dt.date(2024, 1, 1)]),
        (pa.array([1_500], pa.time32("ms")), "mixed", [dt.time(0, 0, 1, 500_000)]),
        (pa.array([1_999], pa.time64("ns")), "mixed", [dt.time(0, 0, 0, 1)]),
        (pa.array([-1], pa.timestamp("ns")), "mixed", [dt.datetime(1969, 12, 31, 23, 59, 59, 999_999)]),
        (pa.array([2**62, 0], pa.timestamp("s")), "mixed", ["!range", dt.datetime(1970, 1, 1)]),
        (pa.array([-(2**62)], pa.timestamp("ms", "UTC")), "mixed", ["!range"]),
        (pa.array([0], pa.timestamp("us", "Asia/Tokyo")), "mixed", [dt.datetime(1970, 1, 1, tzinfo=dt.UTC)]),
        (pa.array([[1, None], None]), "mixed", [[1, None], None]),
        (pa.array([[[("k", 1)]]], pa.list_(pa.map_(pa.string(), pa.int64()))), "mixed", [[{"k": 1}]]),
        (pa.array([[(1, [2])]], pa.map_(pa.int64(), pa.list_(pa.int64()))), "mixed", [{"1": [2]}]),
        (pa.array([{"b": 1, "a": [NAIVE]}]), "mixed", [{"a": ["2024-01-01T10:00:00"], "b": 1}]),
        (pa.array([[1]], pa.list_(pa.timestamp("ns", "UTC"))), "mixed", [["1970-01-01T00:00:00+00:00"]]),
        (pa.array([[1]], pa.list_(pa.time64("ns"))), "mixed", [["00:00:00"]]),
        (pa.array([[2**62], [0]], pa.list_(pa.timestamp("us"))), "mixed", ["!range", ["1970-01-01T00:00:00"]]),
        (pa.array([dt.timedelta(1)]), "mixed", ["!timedelta"]),
        (pa.array([uuid.UUID(int=1).bytes], pa.uuid()), "mixed", [str(uuid.UUID(int=1))]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else None,
)
def test_arrow_types(array: pa.Array, kind: str, expected: list[object]) -> None:
    """Each Arrow type becomes one of the few that the engine takes, with its values."""
    rows = from_python(pa.table({"x": array}))
    assert kinds(rows) == [kind]
    assert [value for (value,) in values(rows)] == expected


def test_texts_that_are_none() -> None:
    """Half of a surrogate pair marks its cell, and no other."""
    rows = from_python([{"x": "a"}, {"x": "half \ud83d"}, {"x": None}, {"x": "😀"}])
    assert values(rows) == [("a",), ("!surrogate",), (None,), ("😀",)]


def test_numbers_of_any_length() -> None:
    """A column of integers may hold some that fit into no machine's word."""
    rows = from_python([{"x": 1}, {"x": 2**63}, {"x": -(10**40)}])
    assert values(rows) == [(1,), (2**63,), (-(10**40),)]


def test_extension_types() -> None:
    """A type of Arrow that somebody made up is what it is stored as."""
    array = pa.ExtensionArray.from_storage(pa.opaque(pa.string(), "geometry", "someone"), pa.array(["POINT(1 2)"]))
    assert values(from_python(pa.table({"x": array}))) == [("POINT(1 2)",)]


def test_arrow_json() -> None:
    """Arrow's own type for JSON is the kind JSON."""
    array = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}']))
    rows = from_python(pa.table({"x": array}))
    assert kinds(rows) == ["json"]
    assert values(rows) == [('{"a": 1}',)]


def test_a_data_frame_of_pandas() -> None:
    """Columns of one type keep it, columns of objects hold anything; what pandas calls missing is NULL."""
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "score": [0.5, None, 2.0],
            "name": ["a", None, "c"],
            "seen": pd.to_datetime(["2024-01-01T10:00:00Z", None, "1600-01-01T00:00:00Z"]),
            "kind": pd.Categorical(["x", "y", "x"]),
            "anything": pd.Series([1, "x", float("nan")], index=[7, 8, 9], dtype=object),
        },
        index=[7, 8, 9],
    )
    rows = from_python(frame)
    assert rows.schema.names == ["id", "score", "name", "seen", "kind", "anything"]
    assert values(rows) == [
        (1, 0.5, "a", dt.datetime(2024, 1, 1, 10, tzinfo=dt.UTC), "x", 1),
        (2, None, None, None, "y", "x"),
        (3, 2.0, "c", dt.datetime(1600, 1, 1, tzinfo=dt.UTC), "x", None),
    ]


def test_a_long_data_frame_is_cut_into_batches() -> None:
    """A data frame is converted a piece at a time, and the pieces have one schema."""
    frame = pd.DataFrame({"n": range(25_000), "n2": [None] * 24_999 + ["x"]})
    rows = from_python(frame)
    batches = list(rows)
    assert [batch.num_rows for batch in batches] == [10_000, 10_000, 5_000]
    assert {batch.schema for batch in batches} == {rows.schema}
