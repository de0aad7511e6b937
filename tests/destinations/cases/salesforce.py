"""Accounts by an external id, with fields of most types."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cases import STRANGE_KEYS, Case, Column, Refused, texts

if TYPE_CHECKING:
    from airflow_reverse_etl.sandbox import Sandbox

DESTINATION = "salesforce"


def prepare(box: Sandbox) -> None:
    """Add text fields that are as long as the longest text, and a number with decimals."""
    memos = [{"name": f"{name}__c", "type": "textarea", "length": 32_000} for name in ("Memo", "Remark", "Gist")]
    ratio = {"name": "Ratio__c", "type": "double", "precision": 18, "scale": 6}
    box.define(DESTINATION, "Account", [*memos, ratio])


def move(box: Sandbox) -> dict[str, object]:
    """Be another org."""
    org: Any = box.fake(DESTINATION)._org  # type: ignore[attr-defined]  # there is no switch for it
    org.store.org_id = org.sessions._org_id = "00D000000000999AAA"
    return {}


CASE = Case(
    object="account",
    key="External_Id__c",
    keys=[*STRANGE_KEYS, *(f"key {n}" for n in range(8))],
    columns=[
        texts("Memo__c"),
        Column(
            "aps__c",
            pa.decimal128(20, 6),
            [
                (Decimal("1234567.891"), 1234567.891),
                (Decimal("0.000001"), 0.000001),
                (Decimal("-3.5"), -3.5),
                (Decimal(0), 0.0),
                (None, None),
            ],
        ),
        Column("Ratio__c", pa.float64(), [(0.1 + 0.2, 0.30000000000000004), (1e11, 1e11), (-2.5, -2.5), (None, None)]),
        Column("NumberOfEmployees", pa.int64(), [(99_999_999, 99_999_999), (-7, -7), (0, 0), (None, None)]),
        Column("Active__c", pa.bool_(), [(True, True), (False, False)]),
        Column("Tier__c", pa.string(), [("Gold", "Gold"), ("Silver", "Silver"), ("", None), (None, None)]),
        Column(
            "Regions__c", pa.list_(pa.string()), [(["North", "South"], "North;South"), (["West"], "West"), (None, None)]
        ),
        Column("Discount__c", pa.decimal128(5, 2), [(Decimal("12.50"), 12.5), (None, None)]),
        Column(
            "Score_Date__c",
            pa.date32(),
            [(dt.date(2024, 2, 29), "2024-02-29"), (dt.date(1970, 1, 1), "1970-01-01"), (None, None)],
        ),
        Column(
            "Scored_At__c",
            pa.timestamp("us", "Europe/Berlin"),
            [
                (dt.datetime(2026, 7, 1, 10, 30, tzinfo=dt.UTC), "2026-07-01T10:30:00.000+0000"),
                (dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=dt.UTC), "1969-12-31T23:59:59.000+0000"),
                (None, None),
            ],
        ),
        Column(
            "Opens_At__c",
            pa.time64("us"),
            [(dt.time(12, 30), "12:30:00.000Z"), (dt.time(23, 59, 59), "23:59:59.000Z"), (None, None)],
        ),
        Column("Notes__c", pa.string(), [('{"a":1}', '{"a":1}'), (None, None)], kind="json"),
        Column("Site", pa.string(), [("n7", "7"), ("s007", "007"), ("btrue", "true"), (None, None)], kind="mixed"),
    ],
    texts=("Memo__c", "Remark__c", "Gist__c"),
    refused=Refused("Tier__c", "Platinum", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    record_id="Id",
    always={"Name": "Acme"},
    alike=("Key A", " kEY a"),
    other_keys={"Strict_Id__c": [*STRANGE_KEYS, "Ann", "ann"], "Number_Id__c": ["7", "8.5", "-1", "0"]},
    writes=r"/composite/sobjects",
    logins=r"/services/(oauth2|Soap)/",
    meddling=("duplicate_race",),
    prepare=prepare,
    move=move,
)
