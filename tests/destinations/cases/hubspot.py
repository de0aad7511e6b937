"""Contacts by e-mail address, with the custom properties that the sandbox's portal has."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow as pa

from cases import STRANGE_KEYS, Case, Column, Refused, texts

if TYPE_CHECKING:
    from airflow_reverse_etl.sandbox import Sandbox

BERLIN = "Europe/Berlin"
MANY = 1_000_000


def prepare(box: Sandbox) -> None:
    """Take the limits away: many tests share the sandbox, and each run keeps its own pace."""
    box.settings("hubspot", calls_per_10_seconds=MANY)


def move(box: Sandbox) -> dict[str, object]:
    """Be another portal."""
    box.settings("hubspot", portal_id=99)
    return {}


CASE = Case(
    object="contacts",
    key="email",
    keys=[f"person{n}.o'brien+{n}@example.com" for n in range(20)],
    columns=[
        texts("jobtitle"),
        Column(
            "score",
            pa.decimal128(38, 9),
            [
                (Decimal("1234567.89"), "1234567.89"),
                (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
                (Decimal("0.000000001"), "0.000000001"),
                (Decimal("-3.5"), "-3.5"),
                (Decimal(0), "0"),
                (None, None),
            ],
        ),
        Column("numemployees", pa.int64(), [(2**63 - 1, "9223372036854775807"), (-7, "-7"), (0, "0"), (None, None)]),
        Column(
            "annualrevenue", pa.float64(), [(0.1, "0.1"), (1e15, "1000000000000000"), (1e-7, "0.0000001"), (None, None)]
        ),
        Column("vip", pa.bool_(), [(True, "true"), (False, "false"), (None, None)]),
        Column("plan", pa.string(), [("pro", "pro"), ("free", "free"), ("", None), (None, None)]),
        Column(
            "interests",
            pa.list_(pa.string()),
            [(["chess", "opera"], "chess;opera"), (["sailing"], "sailing"), (None, None)],
        ),
        Column(
            "signed_up_on",
            pa.date32(),
            [(dt.date(2024, 2, 29), "2024-02-29"), (dt.date(1970, 1, 1), "1970-01-01"), (None, None)],
        ),
        Column(
            "last_seen_at",
            pa.timestamp("us", BERLIN),
            [
                (dt.datetime(2026, 7, 1, 10, 30, 0, 123000, dt.UTC), "2026-07-01T10:30:00.123Z"),
                (dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=dt.UTC), "1969-12-31T23:59:59.000Z"),
                (None, None),
            ],
        ),
        Column(
            "closedate",
            pa.timestamp("us"),
            [(dt.datetime(2026, 3, 29, 2, 30), "2026-03-29T02:30:00.000Z"), (None, None)],
        ),
        Column("website", pa.string(), [('{"a":1}', '{"a":1}'), (None, None)], kind="json"),
        Column("company", pa.string(), [("n7", "7"), ("s007", "007"), ("btrue", "true"), (None, None)], kind="mixed"),
    ],
    texts=("firstname", "lastname", "jobtitle"),
    refused=Refused("plan", "no such plan", "INVALID_OPTION"),
    record_id="id",
    alike=("Ann@Example.com", " ann@example.COM "),
    other_keys={"customer_id": STRANGE_KEYS},
    writes=r"/batch/(create|update|upsert|archive)$",
    prepare=prepare,
    move=move,
)
