"""Gives the warehouse and the sandbox the same accounts, so that the example DAGs have something to keep in step.

The accounts are born in the sandbox, as in life they are born in the CRM; the warehouse learns their record ids there.
It needs the standard library and SQLAlchemy, so it runs wherever Airflow runs. Run again, it changes nothing as long as
the sandbox has its accounts, and starts over when the sandbox was restarted.
"""

from __future__ import annotations

import json
import os
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from sqlalchemy import Connection, create_engine, text

ACCOUNTS = 2000
CUSTOMERS = 500
FIRST_WORDS = ("Blue", "Bright", "Clear", "Deep", "Evergreen", "Golden", "Northern", "Quiet", "Silver", "Wild")
SECOND_WORDS = ("Anchor", "Bridge", "Compass", "Field", "Forge", "Harbour", "Lantern", "Meadow", "Mill", "Orchard")
FIRST_NAMES = ("Ada", "Alan", "Barbara", "Edsger", "Frances", "Grace", "Hedy", "Jean", "Katherine", "Niklaus")
LAST_NAMES = ("Allen", "Berg", "Costa", "Evans", "Fischer", "Garcia", "Hansen", "Ito", "Jansen", "Kowalski", "Lopez")

TABLES = {
    "accounts": """account_id text primary key, name text not null, seats integer not null,
        active_users integer not null, logins_30d integer not null, support_tickets integer not null,
        renews_on date not null""",
    "customers": "email text primary key, first_name text, last_name text, score integer",
}

Row = dict[str, Any]


def main() -> None:
    """Leave the key of the sandbox's service account, and fill both, unless the sandbox has its accounts still."""
    sandbox = os.environ["SANDBOX_URL"]
    write_google_key(sandbox, Path(os.environ["GOOGLE_KEY"]))
    if call(sandbox, "objects?destination=salesforce").get("Account"):
        print("The sandbox has its accounts still.")
        return
    dice = random.Random(8765)  # noqa: S311  the same numbers at each start are what is wanted
    accounts = [made_up_account(dice, number) for number in range(1, ACCOUNTS + 1)]
    crm = {"destination": "salesforce", "object": "Account", "records": [{"Name": row["name"]} for row in accounts]}
    for row, account_id in zip(accounts, call(sandbox, "seed", crm), strict=True):
        row["account_id"] = account_id
    with create_engine(os.environ["WAREHOUSE_URL"]).begin() as warehouse:
        fill(warehouse, "accounts", accounts)
        fill(warehouse, "customers", [made_up_customer(dice, number) for number in range(1, CUSTOMERS + 1)])
    print(f"{ACCOUNTS:,} accounts are in the sandbox and in the warehouse, {CUSTOMERS:,} customers in the warehouse.")


def write_google_key(sandbox: str, path: Path) -> None:
    """Leave the key file that `google_sheets_default` names; the sandbox makes a new key at each start."""
    connection = json.loads(call(sandbox, "connections")["AIRFLOW_CONN_GOOGLE_SHEETS_DEFAULT"])
    path.write_text(connection["extra"]["keyfile_dict"])
    path.chmod(0o644)  # written and read by different users of the containers; it opens the sandbox and nothing else


def call(sandbox: str, what: str, arguments: Row | None = None) -> Any:
    """Ask the sandbox's control plane; return its answer."""
    body = None if arguments is None else json.dumps(arguments).encode()
    request = Request(f"{sandbox}/_sandbox/{what}", data=body, headers={"Content-Type": "application/json"})  # noqa: S310
    with urlopen(request, timeout=60) as answer:  # noqa: S310  the address is the compose file's own
        return json.load(answer)


def made_up_account(dice: random.Random, number: int) -> Row:
    """Return an account, without an id."""
    seats = dice.choice((5, 10, 25, 50, 100, 250))
    active = dice.randint(0, seats)
    return {
        "name": f"{dice.choice(FIRST_WORDS)} {dice.choice(SECOND_WORDS)} {number}",
        "seats": seats,
        "active_users": active,
        "logins_30d": active * dice.randint(1, 20),
        "support_tickets": dice.choice((0, 0, 0, 1, 2, 5)),
        "renews_on": date(2027, 1, 1) + timedelta(days=dice.randrange(365)),
    }


def made_up_customer(dice: random.Random, number: int) -> Row:
    """Return a person; some have no score yet."""
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    email = f"{first}.{last}.{number}@example.com".lower()
    return {"email": email, "first_name": first, "last_name": last, "score": dice.choice((None, dice.randint(0, 100)))}


def fill(warehouse: Connection, table: str, rows: list[Row]) -> None:
    """Make a table anew and write its rows."""
    warehouse.execute(text(f"drop table if exists {table} cascade"))
    warehouse.execute(text(f"create table {table} ({TABLES[table]})"))
    columns = ", ".join(rows[0])
    values = ", ".join(f":{column}" for column in rows[0])
    warehouse.execute(text(f"insert into {table} ({columns}) values ({values})"), rows)


if __name__ == "__main__":
    main()
