"""Airflow does more to a task than run it once: it retries, maps, renders, copies and serialises it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from crm import CrmHook

from airflow_reverse_etl.errors import PatienceSpentError
from airflow_reverse_etl.model import Field
from airflow_reverse_etl.operators.reverse_etl import ReverseETLOperator

TASK = {
    "task_id": "sync",
    "query": "select id, name from people",
    "warehouse_conn_id": "warehouse",
    "destination": "crm.CrmHook",
    "object": "people",
    "key": "id",
}


@pytest.fixture(autouse=True)
def connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table people as select i as id, 'n' || i as name from range(25) t(i)")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": str(path)}))
    monkeypatch.setenv("AIRFLOW_CONN_CRM_DEFAULT", json.dumps({"conn_type": "generic"}))
    CrmHook.records.clear()


@pytest.fixture
def one(run_dag: Callable[..., Any], xcom: Callable[..., Any]) -> Callable[..., tuple[str, Any]]:
    """Return `run(dag_arguments, **parameters)`: it runs one task and gives its state and its report."""
    from airflow.sdk import DAG

    def run(dag_arguments: dict[str, Any] | None = None, **parameters: Any) -> tuple[str, Any]:
        with DAG("d", schedule=None, **(dag_arguments or {})) as dag:
            ReverseETLOperator(**{**TASK, **parameters})
        dag_run = run_dag(dag)
        return str(dag_run.get_task_instances()[0].state), xcom(dag_run, "sync")

    return run


def test_a_sync_id_that_renders_to_nothing_is_the_default(one: Callable[..., tuple[str, Any]]) -> None:
    """A template spells "nothing" as `None`: that is no name, or all such tasks would share one state."""
    state, report = one(sync_id="{{ none }}")
    assert (state, report["sync_id"]) == ("success", "d.sync")


def test_a_connection_that_renders_to_nothing_is_the_default(
    one: Callable[..., tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for `sync_id`: there is no connection `None`."""
    asked: list[str] = []
    check = CrmHook.check
    monkeypatch.setattr(CrmHook, "check", lambda hook, *given: (asked.append(hook.conn_id), check(hook, *given))[1])
    one(destination_conn_id="{{ none }}")
    assert asked == ["crm_default"]


def test_a_retry_sends_only_what_did_not_land(
    one: Callable[..., tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try ends in the middle: the second makes a fresh plan, in a folder of its own, of what is left."""
    sent: list[int] = []
    upsert = CrmHook.upsert

    def spent_at_the_second_call(hook: CrmHook, batch: Any) -> Any:
        sent.append(len(batch))
        if len(sent) == 2:
            message = "the quota is spent"
            raise PatienceSpentError(message)
        return upsert(hook, batch)

    monkeypatch.setattr(CrmHook, "upsert", spent_at_the_second_call)
    state, report = one(retries=1, retry_delay=0.01)
    assert (state, len(CrmHook.records)) == ("success", 25)
    landed = report["unchanged"]
    assert (landed > 0, report["succeeded"]["upsert"], sum(sent)) == (True, 25 - landed, 25 + 10)
    assert Path(report["path"]).name == "2"


def test_a_sql_file_is_rendered_and_its_semicolon_forgiven(one: Callable[..., tuple[str, Any]], tmp_path: Path) -> None:
    """The query may live in a file with a template and a comment after its end."""
    (tmp_path / "people.sql").write_text("select id, name from people where id < {{ params.n }};\n-- the end\n")
    state, report = one({"template_searchpath": [str(tmp_path)], "params": {"n": 4}}, query="people.sql")
    assert (state, report["rows"]) == ("success", 4)


def test_parameters_may_come_from_other_tasks(run_dag: Callable[..., Any], xcom: Callable[..., Any]) -> None:
    """What another task returned arrives with its type; None is "left out"."""
    from airflow.sdk import DAG, task

    with DAG("x", schedule=None) as dag:

        @task(multiple_outputs=True)
        def said() -> dict[str, Any]:
            return {"query": TASK["query"], "fields": ["name"], "size": 7, "nothing": None}

        given = said()
        late = {"query": given["query"], "fields": given["fields"], "batch_size": given["size"]}
        ReverseETLOperator(**{**TASK, **late, "key_column": given["nothing"], "sync_id": given["nothing"]})
    report = xcom(run_dag(dag), "sync")
    assert (report["succeeded"]["upsert"], report["calls"], report["sync_id"]) == (25, 4, "x.sync")


def test_a_mapped_task_takes_field_objects(run_dag: Callable[..., Any], xcom: Callable[..., Any]) -> None:
    """`Field` passes through `partial` and `expand_kwargs`, where no `__init__` of ours has seen it."""
    from airflow.sdk import DAG

    common = {name: value for name, value in TASK.items() if name != "object"}
    each = [{"object": name, "fields": {"full_name": Field("name", nulls="skip")}} for name in ("a", "b")]
    with DAG("m", schedule=None) as dag:
        ReverseETLOperator.partial(**common, sync_id="people.{{ task.object }}").expand_kwargs(each)
    dag_run = run_dag(dag)
    assert [xcom(dag_run, "sync", map_index=i)["succeeded"]["upsert"] for i in (0, 1)] == [25, 25]
    assert CrmHook.records["3"] == {"id": 3, "full_name": "n3"}
