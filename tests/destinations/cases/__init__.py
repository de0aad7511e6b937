"""What the contract tests must know of an application to drive it: one module a destination, found by its name.

A module `cases/<destination>.py` has a `CASE`. A destination without one is held to the promises that need no data.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from airflow_reverse_etl.sandbox import Sandbox

LONG = ("A long text, with some ünïcödé in it. " * 750).strip()
TEXTS = (
    "plain",
    "O'Brien",
    "=1+1",
    "007",
    "+49 30 1234",
    "-1",
    "@handle",
    "😀 👩‍👩‍👧 naïve 漢字 עברית",
    "two\nlines",
    "a\ttab",
    '"quoted", with; separators | and \\ backslash',
    "<b>&amp; {{ jinja }} %s ${x}</b>",
    "null",
    "true",
    "2026-01-31",
    "1e5",
    "#REF!",
    LONG,
    "",
    None,
)
"""Texts that one tool or another spoils on the way. Every one must arrive as it is; '' and NULL empty the field."""

STRANGE_KEYS = (
    "007",
    "7",
    "O'Brien",
    "=1+1",
    "a/b?c=d&e#f",
    "ключ",
    "😀",
    "50% \\ back",
    'say "hi"',
    "a,b;c",
    "null",
    "x" * 80,
)
"""Keys that are hard to put into addresses, queries and cells; no two are one to any application."""


@dataclass(frozen=True)
class Column:
    """A field, the Arrow type of its column, and values: each as the warehouse has it and as the application shows it.

    :param kind: tag of the column, see `model.KIND`.
    """

    field: str
    type: pa.DataType
    values: Sequence[tuple[Any, Any]]
    kind: str = ""


def texts(name: str) -> Column:
    """Return a column of every difficult text."""
    return Column(name, pa.string(), [(text, text or None) for text in TEXTS])


@dataclass(frozen=True)
class Refused:
    """A value that the application, or our hook for it, refuses for one record."""

    field: str
    value: str
    code: str


@dataclass(frozen=True)
class Case:
    """An object of an application and rows for it.

    :param object: the object that the tests write to; it is empty at first.
    :param key: a written field by which an upsert finds records.
    :param keys: a key for each row; they decide how many rows there are.
    :param columns: the other fields, with values of many types. The first ones are free text, see `texts`.
    :param texts: three fields that take any text and may be empty.
    :param refused: what one bad row holds.
    :param record_id: what `box.records` calls the record id; it is the default key's value.
    :param always: fields that a new record must have, and their value.
    :param alike: two spellings of a key that are one to the application, if there are any.
    :param other_keys: further fields that can be keys, and their values.
    :param writes: paths of the requests that change records, a regular expression.
    :param logins: paths of the requests that are logins, which nobody counts.
    :param meddling: faults of the fake by which somebody else changes records.
    :param options: options that every task has.
    :param strict: options under which a field that does not exist is an error.
    :param prepare: what to do with the sandbox before a test.
    :param move: makes the connection or the returned options lead to another account.
    """

    object: str
    key: str
    keys: Sequence[str]
    columns: Sequence[Column]
    texts: tuple[str, str, str]
    refused: Refused
    record_id: str
    writes: str
    always: Mapping[str, str] = field(default_factory=dict)
    alike: tuple[str, str] | None = None
    other_keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    logins: str = r"(?!)"
    meddling: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    strict: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[Sandbox], object] = lambda box: None
    move: Callable[[Sandbox], Mapping[str, Any]] = lambda box: {}


def case_of(destination: str) -> Case | None:
    """Return the case of a destination, or None."""
    module = f"{__name__}.{destination}"
    if importlib.util.find_spec(module) is None:
        return None
    case: Case = importlib.import_module(module).CASE
    return case
