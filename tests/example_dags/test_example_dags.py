"""The example DAGs and the demo do what they promise: users copy them, so they are run here to the last record."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest
import requests

from demo.warehouse import fill

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "example_dags").glob("*.py"))
ACCOUNTS = 300
SHEETS_EPOCH = dt.date(1899, 12, 30)  # a date in a sheet is the number of days since then
DESTINATIONS = ("salesforce", "hubspot", "google_sheets")

Query = Callable[[str], list[dict[str, Any]]]


def load(name: str) -> Any:
    """Return the DAG of an example file, parsed as Airflow parses it."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(ROOT / "example_dags" / f"{name}.py"))
    assert bag.import_errors == {}
    (dag,) = bag.dags.values()
    return dag


@pytest.fixture
def warehouse(box: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Query:
    """Fill the demo's warehouse and sandbox; return `query(sql)`, which has the file open no longer than it runs."""
    path = tmp_path / "warehouse.duckdb"
    fill(box, path, accounts=ACCOUNTS)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": str(path)}))

    def query(sql: str) -> list[dict[str, Any]]:
        with duckdb.connect(path) as connection:
            result = connection.sql(sql)
            return result.to_arrow_table().to_pylist() if result else []

    return query


def states(dag_run: Any) -> dict[str, str]:
    """Return how each task of a run ended."""
    return {task.task_id: str(task.state) for task in dag_run.get_task_instances()}


def writes(box: Any) -> list[str]:
    """Return the requests, by method and path, that may have changed something."""
    reading = ("/token", "/read", "/search", ":batchGetByDataFilter")  # each is a POST
    return [
        f"{entry.method} {entry.path}"
        for entry in box.log
        if entry.method != "GET" and not entry.path.endswith(reading)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_it_parses_without_connections(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DAG file touches no connection, and tells its reader what it does and what it needs."""
    for variable in [variable for variable in os.environ if variable.startswith("AIRFLOW_CONN_")]:
        monkeypatch.delenv(variable)
    dag = load(name)
    assert dag.dag_id == name
    assert "reverse-etl" in dag.tags
    assert dag.doc_md.strip().startswith("###")
    assert "`warehouse`" in dag.doc_md
    assert all(task.retries >= 1 and task.retry_delay >= dt.timedelta(minutes=1) for task in dag.tasks)


def test_account_scoring_writes_each_score_once(run_dag: Any, xcom: Any, box: Any, warehouse: Query) -> None:
    """The talk's task: each account holds its score; a second run writes nothing, a third only what changed."""
    first = run_dag(load("account_scoring"))
    assert states(first) == {"score_accounts": "success", "run_aps": "success"}
    scores = {row["account_id"]: float(row["aps"]) for row in warehouse("select account_id, aps from account_scores")}
    assert {record["Id"]: record["aps__c"] for record in box.records("salesforce", "Account")} == scores
    assert xcom(first, "run_aps")["succeeded"]["update"] == len(scores) == ACCOUNTS

    sent = len(writes(box))
    second = run_dag(load("account_scoring"))
    assert xcom(second, "run_aps")["unchanged"] == ACCOUNTS
    assert len(writes(box)) == sent

    last = "(select max(account_id) from accounts)"
    warehouse(f"update accounts set support_tickets = 9, seats = 500 where account_id = {last}")
    third = run_dag(load("account_scoring"))
    assert sum(xcom(third, "run_aps")["planned"].values()) == 1
    scores = {row["account_id"]: float(row["aps"]) for row in warehouse("select account_id, aps from account_scores")}
    assert {record["Id"]: record["aps__c"] for record in box.records("salesforce", "Account")} == scores
    assert box.violations() == []


def test_hubspot_contacts_agree_with_the_customers(run_dag: Any, xcom: Any, box: Any, warehouse: Query) -> None:
    """Known and new contacts hold what the query says; one without a score keeps the one that sales gave."""
    box.seed("hubspot", "contacts", [{"email": "kept@example.com", "score": "77"}])
    warehouse("insert into customers values ('Kept@Example.com', 'Kim', 'Kept', null)")
    report = xcom(run_dag(load("hubspot_contacts")), "upsert_contacts")
    rows = warehouse("select lower(email) as email, first_name, last_name, score from customers")
    expected = {
        row["email"]: (row["first_name"], row["last_name"], None if row["score"] is None else str(row["score"]))
        for row in rows
    } | {"kept@example.com": ("Kim", "Kept", "77")}
    held = {
        record["email"]: (record["firstname"], record["lastname"], record.get("score"))
        for record in box.records("hubspot", "contacts")
    }
    assert held == expected
    assert report["succeeded"]["upsert"] == len(rows)
    assert xcom(run_dag(load("hubspot_contacts")), "upsert_contacts")["unchanged"] == len(rows)
    assert box.violations() == []


def test_sheet_leaderboard_shows_the_best(run_dag: Any, xcom: Any, box: Any, warehouse: Query) -> None:
    """The tab is made and holds the 25 best; whoever falls out of the list is deleted, and the new ones are added."""

    def held() -> set[tuple[Any, ...]]:
        return {tuple(row.values()) for row in box.records("google_sheets", "Leaderboard")}

    def best() -> set[tuple[Any, ...]]:
        days = f"renews_on - date '{SHEETS_EPOCH}'"
        columns = f"account_id, name, active_users, logins_30d, {days} as renews_on"
        rows = warehouse(f"select {columns} from accounts order by active_users desc, account_id limit 25")
        return {tuple(row.values()) for row in rows}

    first = best()
    assert xcom(run_dag(load("sheet_leaderboard")), "write_leaderboard")["succeeded"]["upsert"] == 25
    assert held() == first

    leaver, *_ = next(iter(first))
    warehouse(f"delete from accounts where account_id = '{leaver}'")
    report = xcom(run_dag(load("sheet_leaderboard")), "write_leaderboard")
    assert (report["missing"], report["succeeded"]["delete"], report["succeeded"]["upsert"]) == (1, 1, 1)
    assert held() == best() != first
    assert box.violations() == []


def trigger(run_dag: Any, **conf: Any) -> Any:
    """Run `trigger_a_sync` as its form does: what is not given has the default of the form."""
    return run_dag(load("trigger_a_sync"), run_conf=conf)


TRIGGERED = {
    "salesforce": {
        "object": "Account",
        "job_type": "update",
        "query": "select account_id, seats, renews_on from accounts",
        "fields": ["NumberOfEmployees", "Description"],
    },
    "hubspot": {
        "object": "contacts",
        "job_type": "upsert",
        "key": "email",
        "query": "select email, first_name as firstname from customers",
        "fields": ["email", "firstname"],
        "batch_size": 50,
    },
    "google_sheets": {
        "object": "Sheet1",
        "job_type": "upsert",
        "query": "select account_id, name, seats from accounts",
        "fields": None,
    },
}


def held_after_trigger(box: Any, destination: str) -> set[tuple[Any, ...]]:
    """Return what the application holds in the fields that `TRIGGERED` writes."""
    names = {
        "salesforce": ("Id", "NumberOfEmployees", "Description"),
        "hubspot": ("email", "firstname"),
        "google_sheets": ("account_id", "name", "seats"),
    }[destination]
    records = box.records(destination, str(TRIGGERED[destination]["object"]))
    return {tuple(record.get(name) for name in names) for record in records}


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_a_triggered_sync_reaches_the_chosen_application_only(
    run_dag: Any, xcom: Any, box: Any, warehouse: Query, destination: str
) -> None:
    """What the form says is what the application holds; the other two destinations are skipped."""
    conf = TRIGGERED[destination]
    dag_run = trigger(run_dag, destination=destination, **conf)
    expected = {f"sync_{name}": "success" if name == destination else "skipped" for name in DESTINATIONS}
    assert states(dag_run) == {"choose_destination": "success", **expected}
    rows = [tuple(row.values()) for row in warehouse(str(conf["query"]))]
    if destination == "salesforce":
        rows = [(record_id, seats, renews_on.isoformat()) for record_id, seats, renews_on in rows]
    assert held_after_trigger(box, destination) == set(rows)
    assert sum(xcom(dag_run, f"sync_{destination}")["succeeded"].values()) == len(rows)
    assert {entry.destination for entry in box.log} == {destination}
    assert box.violations() == []


@pytest.mark.parametrize(
    ("conf", "sentence"),
    [
        ({"job_type": "upsert"}, "an upsert needs `key`"),
        ({"job_type": "create"}, "a create needs `key`"),
        ({"object": "Acount"}, "no object 'Acount' that the connection's user may see; did you mean 'Account'?"),
        ({"fields": ["aps_c"]}, "no field 'aps_c' that this user may see; did you mean 'aps__c'?"),
        ({"fields": []}, "`fields` is empty: name the destination fields to write"),
        ({"query": " "}, "`query` is empty: write one SELECT"),
        ({"key_column": "acount_id"}, "`key_column` is 'acount_id', but the query's columns are account_id, aps"),
        ({"destination": "google_sheets", "object": "Sales", "key": "account_id"}, "no tab 'Sales' (it has 'Sheet1')"),
        ({"destination": "hubspot", "object": "contcts", "key": "email"}, "a type id such as '2-1234567'"),
        ({"destination": "marketo"}, "'marketo' is not one of ['salesforce', 'hubspot', 'google_sheets']"),
        ({"job_type": "insert"}, "'insert' is not one of ['create', 'update', 'upsert', 'delete']"),
    ],
)
def test_bad_input_is_answered_by_a_sentence(
    run_dag: Any, box: Any, warehouse: Query, capfd: pytest.CaptureFixture[str], conf: dict[str, Any], sentence: str
) -> None:
    """Whatever is wrong in the form, the log says what to write instead, and nothing is sent."""
    warehouse("create table account_scores as select account_id, 1.5 as aps from accounts")
    try:
        assert str(trigger(run_dag, **conf).state) == "failed"
        said = "".join(capfd.readouterr())
    except ValueError as refused:  # the form itself does not take it
        said = str(refused)
    assert sentence in said
    assert writes(box) == []


def test_the_demo_works_as_a_program() -> None:
    """`make demo` ends well, and its second run has nothing to send."""
    done = subprocess.run(
        [sys.executable, "-m", "demo.run"], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert any(line.startswith("Run 1") and "3,000 sent" in line for line in lines)
    assert any(line.startswith("Run 2") and "0 sent, 3,000 unchanged" in line for line in lines)
    assert any("0 of 3,000 differ from the warehouse" in line for line in lines)
    assert done.stderr == ""


@pytest.mark.long
@pytest.mark.timeout(400)
def test_airflow_to_click_leaves_nothing_behind() -> None:
    """`make airflow` prints two addresses that answer; after SIGTERM none of its processes is left."""
    command = [sys.executable, "-m", "demo.standalone"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        said = ""
        while "Ctrl-C ends all of it." not in said:
            line = program.stdout.readline()
            assert line, said
            said += line
        airflow, sandbox = re.findall(r"http://\S+", said)
        health = requests.get(f"{airflow}/api/v2/monitor/health", timeout=10).json()
        assert {part["status"] for part in health.values()} == {"healthy"}
        objects = requests.get(f"{sandbox}/_sandbox/objects?destination=salesforce", timeout=10).json()
        assert objects["Account"] == 3000
        parts = psutil.Process(program.pid).children(recursive=True)
        assert len(parts) >= 4  # scheduler, DAG processor, API server, triggerer
        program.send_signal(signal.SIGTERM)
        assert program.wait(60) == 0
    _, left = psutil.wait_procs(parts, timeout=10)
    assert left == []
