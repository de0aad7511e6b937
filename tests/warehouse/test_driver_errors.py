"""What drivers say about a row's values must not reach a log; what they say about the query must."""

from __future__ import annotations

import sqlite3

import duckdb
import psycopg
import pyarrow as pa
import pytest

from airflow_reverse_etl.warehouse.failures import quotes_values, sentence


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.InvalidTextRepresentation(
            'invalid input syntax for type integer: "Ann Secret"\nDETAIL:  Secret'
        ),
        psycopg.errors.UniqueViolation("duplicate key value\nDETAIL:  Key (email)=(Secret) already exists."),
        psycopg.errors.NumericValueOutOfRange('value "4711 Secret" is out of range'),
        duckdb.ConversionException("Conversion Error: Could not convert string 'O'Secret' to INT32\n\nLINE 1: Secret"),
        duckdb.ConversionException("Type INT64 with value 4711 can't be cast (Secret)"),
        duckdb.InvalidInputException('Invalid Input Error: Malformed JSON. Input: "Secret\nline two"'),
        OSError("Out of Range Error: Cannot cast value 4711 (Secret)\n\nLINE 1: Secret"),
        sqlite3.IntegrityError("datatype mismatch: 'Secret'"),
        pa.ArrowInvalid("CSV conversion error to int64: invalid value 'Secret'"),
    ],
)
def test_values_are_hidden(error: Exception) -> None:
    """In an error about data, quoted texts, numbers and the lines that show the row give way to an ellipsis."""
    assert quotes_values(error)
    found = sentence(error)
    assert "Secret" not in found
    assert "4711" not in found
    assert "\n" not in found
    assert found.startswith(type(error).__name__)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.UndefinedColumn('column "aps" does not exist'),
        duckdb.CatalogException('Table with name "accounts" does not exist'),
        sqlite3.OperationalError("no such table: accounts"),
        ConnectionRefusedError(111, "Connection refused"),
    ],
)
def test_names_are_shown(error: Exception) -> None:
    """In an error about the query or the connection, the driver's words help and stay."""
    assert not quotes_values(error)
    assert str(error) in sentence(error)


def test_the_sqlstate_is_shown() -> None:
    """The five characters by which an error is looked up in the manual are there."""
    assert sentence(psycopg.errors.UndefinedColumn("gone")) == "UndefinedColumn 42703: gone"
