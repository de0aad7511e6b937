"""What a handler gets and gives: one call of the API, checked, on its spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from airflow_reverse_etl.destinations.google_sheets.sandbox.book import Book

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    :param book: the spreadsheet; for a write a draft, which takes its place when the handler returns.
    :param target: the rest of the path that the method needs: a range, or the number of a metadata entry.
    """

    book: Book
    target: str = ""
    query: Json = field(default_factory=dict)
    body: Json = field(default_factory=dict)


class Answer(NamedTuple):
    """The JSON of a 200, and how many rows were read or written for it."""

    body: Json
    rows: int = 0
