"""Canonical text and the reading of it in `model` are each other's inverse; whatever has none says why."""

from __future__ import annotations

import datetime as dt
import json
import random
import string
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from airflow_reverse_etl.model import from_canonical
from airflow_reverse_etl.warehouse.canonical import Unreadable, canonical, json_text

EAST = dt.timezone(dt.timedelta(hours=5, minutes=30))
NAIVE = dt.datetime.fromisoformat("1970-01-01")
ALPHABET = string.printable + "éß漢😀\u00a0\u2028'\"\\"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", "s"),
        ("007", "s007"),
        ("O'Brien 😀\n", "sO'Brien 😀\n"),
        (True, "btrue"),
        (False, "bfalse"),
        (2**63 - 1, "n9223372036854775807"),
        (-(10**60), "n-1" + "0" * 60),
        (1.0, "n1"),
        (-0.0, "n0"),
        (2.0**60, "n1152921504606846976"),
        (0.1, "n0.1"),
        (1e-7, "n0.0000001"),
        (-1.5e-9, "n-0.0000000015"),
        (Decimal("1.500"), "n1.5"),
        (Decimal("-0.00"), "n0"),
        (Decimal("1E+3"), "n1000"),
        (Decimal(100), "n100"),
        (Decimal("0." + "1" * 60), "n0." + "1" * 60),
        (dt.date(2024, 2, 29), "d2024-02-29"),
        (dt.date(1, 1, 1), "d0001-01-01"),
        (dt.time(12, 0), "h12:00:00"),
        (dt.time(12, 0, tzinfo=EAST), "s12:00:00+05:30"),
        (dt.time(12, 0, 0, 500_000), "h12:00:00.5"),
        (NAIVE + dt.timedelta(seconds=1), "l1000000"),
        (NAIVE - dt.timedelta(microseconds=1), "l-1"),
        (dt.datetime(1970, 1, 1, 5, 30, tzinfo=EAST), "t0"),
        (b"\x00\xff", "x00ff"),
        (bytearray(b"a"), "x61"),
        (memoryview(b"a"), "x61"),
        (uuid.UUID("6BA7B810-9DAD-11D1-80B4-00C04FD430C8"), "u6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        ({"b": [1, 2.50, None], "a": {"é": True}}, 'j{"a":{"é":true},"b":[1,2.5,null]}'),
        ([], "j[]"),
        (("a", Decimal("1.0")), 'j["a",1]'),
        ([dt.date(2024, 1, 1), NAIVE], 'j["2024-01-01","1970-01-01T00:00:00"]'),
        ([dt.datetime(2024, 1, 1, 5, 30, tzinfo=EAST)], 'j["2024-01-01T00:00:00+00:00"]'),
    ],
)
def test_text_of_a_value(value: object, text: str | None) -> None:
    """Each type has one spelling, and equal numbers have the same."""
    assert canonical(value) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "NaN"),
        (float("-inf"), "Infinity"),
        (Decimal("NaN"), "NaN"),
        (Decimal("sNaN"), "NaN"),
        (Decimal("Infinity"), "Infinity"),
        (Decimal("1E+999999"), "range"),
        pytest.param(10**5000, "range", id="5001 digits"),
        ("half \ud83d a pair", "surrogate"),
        (["half \ud83d a pair"], "surrogate"),
        ({"half \ud83d": 1}, "surrogate"),
        ([float("nan")], "NaN"),
        ({1: "a"}, "key"),
        (dt.timedelta(1), "timedelta"),
        ([object()], "object"),
        (1j, "complex"),
        (dt.datetime(1, 1, 1, tzinfo=EAST), "range"),
        (Unreadable("utf8"), "utf8"),
    ],
)
def test_what_cannot_be_read_says_why_and_not_what(value: object, reason: str) -> None:
    """A value that no application takes becomes a mark and one word, and never shows itself."""
    assert canonical(value) == f"!{reason}"


def test_json_too_deep_to_write_is_unreadable() -> None:
    """A list in a list in a list … does not end the run."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert canonical(deep) == "!depth"


def test_scalars_of_numpy_and_pandas_are_what_they_stand_for() -> None:
    """Rows made with pandas hold its own scalars; missing ones are NULL."""
    values = [
        (np.int64(7), "n7"),
        (np.float64(0.5), "n0.5"),
        (np.bool_(True), "btrue"),
        (np.str_("a"), "sa"),
        (np.datetime64("1970-01-01T00:00:01.000001999"), "l1000001"),
        (pd.Timestamp("1970-01-01T00:00:01Z"), "t1000000"),
        (pd.NaT, None),
        (pd.NA, None),
        ([pd.NA], "j[null]"),
        (np.timedelta64(1, "s"), "!timedelta64"),
    ]
    assert [canonical(value) for value, _ in values] == [text for _, text in values]


@pytest.mark.parametrize("seed", range(20))
def test_reading_is_the_inverse_of_writing(seed: int) -> None:
    """Whatever is written comes back as the same value, and what was read is written the same way again."""
    chance = random.Random(seed)
    for _ in range(250):
        value = _value(chance)
        text = canonical(value)
        assert text is not None
        read = from_canonical(text)
        assert read == _expected(value)
        if not isinstance(value, uuid.UUID):
            assert canonical(read) == text


@pytest.mark.parametrize("seed", range(5))
def test_json_is_json(seed: int) -> None:
    """What is written for a list or a dict is what any reader of JSON takes for the same value."""
    chance = random.Random(seed)
    for _ in range(200):
        value = _document(chance, 3)
        assert json.loads(json_text(value), parse_float=Decimal) == value


def _value(chance: random.Random) -> object:
    kind = chance.randrange(10)
    moment = dt.datetime.fromisoformat("0001-01-02") + dt.timedelta(microseconds=chance.randrange(3155 * 10**14))
    return (
        _text(chance),
        chance.randint(-(2**70), 2**70),
        Decimal(chance.randint(-(10**50), 10**50)).scaleb(chance.randint(-60, 5)),
        chance.random() < 0.5,
        moment.date(),
        moment.time(),
        moment,
        moment.replace(tzinfo=EAST),
        chance.randbytes(chance.randrange(20)),
        uuid.UUID(bytes=chance.randbytes(16)) if chance.random() < 0.5 else [_document(chance, 3)],
    )[kind]


def _expected(value: object) -> object:
    return str(value) if isinstance(value, uuid.UUID) else value


def _document(chance: random.Random, depth: int) -> object:
    kind = chance.randrange(6) if depth else chance.randrange(4)
    if kind == 4:
        return [_document(chance, depth - 1) for _ in range(chance.randrange(4))]
    if kind == 5:
        return {_text(chance): _document(chance, depth - 1) for _ in range(chance.randrange(4))}
    return (None, _text(chance), chance.randint(-(2**70), 2**70), Decimal(chance.randint(-999, 999)) / 8)[kind]


def _text(chance: random.Random) -> str:
    return "".join(chance.choices(ALPHABET, k=chance.randrange(12)))
