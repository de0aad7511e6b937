"""A tab whose first column is the key."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa

from cases import STRANGE_KEYS, Case, Column, Refused, texts

if TYPE_CHECKING:
    from airflow_reverse_etl.sandbox import Sandbox

DESTINATION = "google_sheets"
SPREADSHEET = "1SandboxSpreadsheetIdForTestsAndDemos00000"
OTHER = "1AnotherSpreadsheet"
TAB = "Ann's scores & co"
MANY = 1_000_000


def day(year: int, month: int, of_month: int) -> int:
    """Return the serial number of a day: days since 1899-12-30 (Sheets API guide, "Date and time values")."""
    return (dt.date(year, month, of_month) - dt.date(1899, 12, 30)).days


def prepare(box: Sandbox) -> None:
    """Make the tab, and take the quotas away: many tests share the sandbox, and each run keeps its own pace."""
    quotas = ("reads_per_minute", "writes_per_minute", "project_reads_per_minute", "project_writes_per_minute")
    box.settings(DESTINATION, **dict.fromkeys(quotas, MANY))
    box.define(DESTINATION, TAB, ["id", *names(), "first", "second", "third"], columns=20, rows=8)


def move(box: Sandbox) -> dict[str, object]:
    """Write to another spreadsheet."""
    box.define(DESTINATION, TAB, ["id", *names(), "first", "second", "third"], spreadsheet_id=OTHER)
    return {"spreadsheet_id": OTHER}


def names() -> list[str]:
    """Return the headers of the columns below."""
    return [column.field for column in COLUMNS]


COLUMNS = [
    texts("text"),
    Column(
        "decimal",
        pa.decimal128(38, 9),
        [
            (Decimal("1234567.89"), 1234567.89),
            (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
            (Decimal("0.000000001"), 0.000000001),
            (Decimal("-3.5"), -3.5),
            (Decimal(0), 0),
            (None, None),
        ],
    ),
    Column("number", pa.int64(), [(2**63 - 1, "9223372036854775807"), (-7, -7), (0, 0), (None, None)]),
    Column("share", pa.float64(), [(0.1, 0.1), (1e15, 1e15), (1e-7, 1e-7), (None, None)]),
    Column("flag", pa.bool_(), [(True, True), (False, False), (None, None)]),
    Column(
        "day",
        pa.date32(),
        [(dt.date(2024, 2, 29), day(2024, 2, 29)), (dt.date(1970, 1, 1), day(1970, 1, 1)), (None, None)],
    ),
    Column(
        "moment",
        pa.timestamp("us", "Europe/Berlin"),
        [
            (dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC), day(2026, 7, 1) + 0.5),
            (dt.datetime(1969, 12, 31, 18, 0, tzinfo=dt.UTC), day(1969, 12, 31) + 0.75),
            (None, None),
        ],
    ),
    Column("naive", pa.timestamp("us"), [(dt.datetime(2026, 3, 29, 6, 0), day(2026, 3, 29) + 0.25), (None, None)]),
    Column("time", pa.time64("us"), [(dt.time(18, 0), 0.75), (dt.time(0, 0), 0), (None, None)]),
    Column("json", pa.string(), [('{"a":1}', '{"a":1}'), (None, None)], kind="json"),
    Column("mixed", pa.string(), [("n7", 7), ("s007", "007"), ("btrue", True), (None, None)], kind="mixed"),
]

CASE = Case(
    object=TAB,
    key="id",
    keys=[*STRANGE_KEYS, *(f"key {n}" for n in range(8))],
    columns=COLUMNS,
    texts=("first", "second", "third"),
    refused=Refused("first", "x" * 50_001, "TOO_LARGE"),
    record_id="id",
    other_keys={"id": [*STRANGE_KEYS, "Ann", "ann", "2026-01-31", "1e5", "true", "1.50"]},
    writes=r":(batchUpdate|append|batchClear|clear)$",
    logins=r"^/token$",
    meddling=(
        "person_inserts_rows",
        "person_deletes_rows",
        "person_sorts",
        "person_renames_column",
        "person_protects_tab",
    ),
    options={"spreadsheet_id": SPREADSHEET},
    strict={"header": "strict"},
    prepare=prepare,
    move=move,
)
