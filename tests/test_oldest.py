"""The task of the README on whatever Airflow is installed: `make test-oldest` takes the oldest that we support."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

ACCOUNTS = 450


@pytest.fixture
def warehouse(box: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Scores of accounts that Salesforce has, with the column names in upper case, as Snowflake says them."""
    ids = box.seed("salesforce", "Account", [{"Name": f"account {i}"} for i in range(ACCOUNTS)])
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table scores (ACCOUNT_ID varchar, APS decimal(5, 1))")
        connection.executemany("insert into scores values (?, ?)", [[record, i / 10] for i, record in enumerate(ids)])
    monkeypatch.setenv("AIRFLOW_CONN_SNOWFLAKE_DEFAULT", json.dumps({"conn_type": "duckdb", "host": str(path)}))
    return path


def test_the_task_of_the_readme_runs_as_it_stands(
    box: Any, warehouse: Path, run_dag: Callable[..., Any], xcom: Callable[..., Any]
) -> None:
    """Fields are matched by position, every score lands, and a second run sends nothing."""
    from airflow.sdk import DAG

    from airflow_reverse_etl.operators.reverse_etl import ReverseETLOperator

    with DAG("account_scoring", schedule=None) as dag:
        ReverseETLOperator(
            task_id="run_aps",
            destination="salesforce",
            warehouse_conn_id="snowflake_default",
            query="""
                select account_id
                     , aps
                from scores
            """,
            object="account",
            fields=["aps__c"],
            job_type="update",
            batch_size=10000,
        )
    first = xcom(run_dag(dag), "run_aps")
    assert first["succeeded"]["update"] == ACCOUNTS
    assert [record["aps__c"] for record in box.records("salesforce", "Account")] == [i / 10 for i in range(ACCOUNTS)]
    second = xcom(run_dag(dag), "run_aps")
    assert (second["unchanged"], sum(second["planned"].values())) == (ACCOUNTS, 0)
    assert box.violations("salesforce") == []


def test_the_decorator_is_found_by_its_name(
    box: Any, warehouse: Path, run_dag: Callable[..., Any], xcom: Callable[..., Any]
) -> None:
    """`@task.reverse_etl` takes rows from a function."""
    from airflow.sdk import DAG, task

    with DAG("rows", schedule=None) as dag:

        @task.reverse_etl(destination="hubspot", object="contacts", key="email")
        def contacts() -> list[dict[str, str]]:
            return [{"email": f"{name}@example.com", "firstname": name} for name in ("ann", "bob")]

        contacts()
    assert xcom(run_dag(dag), "contacts")["succeeded"]["upsert"] == 2
    assert {record["firstname"] for record in box.records("hubspot", "contacts")} == {"ann", "bob"}
