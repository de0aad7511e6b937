"""The demo's warehouse: a few thousand accounts in DuckDB, and the same accounts in the sandbox's applications."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

if TYPE_CHECKING:
    from airflow_reverse_etl.sandbox import Sandbox

CUSTOMERS = 500
WORDS = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivy", "Juniper", "Larch", "Maple")
KINDS = ("Foods", "Freight", "Health", "Labs", "Media", "Motors", "Networks", "Paper", "Robotics", "Systems", "Tools")


def fill(box: Sandbox, path: Path, accounts: int = 3000) -> None:
    """Make the accounts in the sandbox's Salesforce, and a warehouse that knows them by their Ids, as an ELT would.

    :param path: file of the DuckDB database; it is written anew.
    :param accounts: how many.
    """
    dice = random.Random(2026)  # noqa: S311  the same numbers each time are what is wanted
    names = [f"{dice.choice(WORDS)} {dice.choice(KINDS)} {number:04}" for number in range(accounts)]
    ids = box.seed("salesforce", "Account", [{"Name": name} for name in names])
    known = [_account(dice, record_id, name) for record_id, name in zip(ids, names, strict=True)]
    customers = [_customer(dice, number) for number in range(CUSTOMERS)]
    path.unlink(missing_ok=True)
    with duckdb.connect(path) as warehouse:
        warehouse.from_arrow(pa.Table.from_pylist(known)).create("accounts")
        warehouse.from_arrow(pa.Table.from_pylist(customers)).create("customers")


def _account(dice: random.Random, record_id: str, name: str) -> dict[str, Any]:
    seats = dice.randint(5, 400)
    active = dice.randint(0, seats)
    return {
        "account_id": record_id,
        "name": name,
        "seats": seats,
        "active_users": active,
        "logins_30d": active * dice.randint(1, 20),
        "support_tickets": dice.choice((0, 0, 0, 1, 4)),
        "renews_on": dt.date(2027, 1, 1) + dt.timedelta(days=dice.randint(0, 700)),
    }


def _customer(dice: random.Random, number: int) -> dict[str, Any]:
    first, last = dice.choice(WORDS), dice.choice(KINDS)
    score = None if number % 10 == 0 else dice.randint(0, 100)
    return {
        "email": f"{first}.{last}.{number}@example.com".lower(),
        "first_name": first,
        "last_name": last,
        "score": score,
    }
