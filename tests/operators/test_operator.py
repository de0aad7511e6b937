"""The operator inside Airflow: what is an error at parse, what at run, and what is left in XCom."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import Field
from airflow_reverse_etl.operators.google_sheets import GoogleSheetsReverseETLOperator
from airflow_reverse_etl.operators.hubspot import HubSpotReverseETLOperator
from airflow_reverse_etl.operators.reverse_etl import ReverseETLOperator
from airflow_reverse_etl.operators.salesforce import SalesforceReverseETLOperator

CRM = "crm.CrmHook"
GOOD = {
    "task_id": "sync",
    "query": "select 1 as id",
    "warehouse_conn_id": "warehouse",
    "destination": "salesforce",
    "object": "Account",
    "job_type": "update",
}


@pytest.fixture(autouse=True)
def crm() -> Any:
    from crm import CrmHook

    CrmHook.records.clear()
    return CrmHook


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> duckdb.DuckDBPyConnection:
    """A DuckDB file with the table `people`; the connection is closed so that the task can open it."""
    path = tmp_path / "warehouse.duckdb"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb", "host": str(path)}))
    with duckdb.connect(path) as connection:
        connection.execute("create table people as select i as id, 'n' || i as name from range(25) t(i)")
    return connection


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"job_type": "insert"}, "did you mean 'create'?"),
        ({"job_type": "explode"}, "'create', 'update', 'upsert', 'delete'"),
        ({"destination": "pipedrive"}, "'google_sheets', 'hubspot', 'salesforce'"),
        ({"destination": "{{ params.destination }}"}, "never templated"),
        ({"job_type": "upsert"}, "needs `key`"),
        ({"job_type": "create"}, "`key_column`"),
        ({"query": " ; "}, "`query` is empty"),
        ({"object": ""}, "`object`"),
        ({"fields": []}, "`fields` is empty"),
        ({"fields": "aps__c"}, "no JSON"),
        ({"fields": ["a", "A"]}, "more than once"),
        ({"fields": {"a": 7}}, "the source of 'a'"),
        ({"fields": {"a": {"column": "a", "nulls": "keep"}}}, "nulls"),
        ({"key": ["a", "b"]}, "put a composite key together"),
        ({"batch_size": 0}, "`batch_size`"),
        ({"batch_size": "many"}, "`batch_size`"),
        ({"changes_only": "maybe"}, "true or false"),
        ({"on_missing": "purge"}, "'ignore', 'delete', 'clear'"),
        ({"on_missing": "delete", "job_type": "delete"}, "no meaning"),
        ({"on_missing": "delete", "job_type": "create", "key_column": "id"}, "needs `key`"),
        ({"max_rejected": 1.5}, "share"),
        ({"max_rejected": "-1"}, "share"),
        ({"max_missing": True}, "share"),
        ({"on_unknown": "guess"}, "'hold', 'resend'"),
        ({"options": {"timzone": "UTC"}}, "did you mean 'timezone'?"),
        ({"options": {"allow_duplicates": "perhaps"}}, "true or false"),
        ({"options": ["x"]}, "mapping"),
        ({"options": {"timezone": "Mars/Olympus"}}, "no IANA zone"),
        ({"destination": "google_sheets"}, "`spreadsheet_id` is missing"),
    ],
)
def test_what_can_be_known_to_be_wrong_is_an_error_at_parse(change: dict[str, Any], words: str) -> None:
    """The sentence says what to write instead."""
    with pytest.raises(ConfigurationError) as error:
        ReverseETLOperator(**{**GOOD, **change})
    assert words in str(error.value)


def test_all_problems_are_said_at_once() -> None:
    """Nobody mends a DAG one error at a time."""
    with pytest.raises(ConfigurationError) as error:
        ReverseETLOperator(**{**GOOD, "job_type": "insert", "batch_size": -1, "options": {"x": 1}})
    assert all(word in str(error.value) for word in ("job_type", "batch_size", "options"))


def test_templates_are_left_until_they_are_rendered() -> None:
    """A parameter that holds a template is no error at parse, whatever type it must become."""
    operator = ReverseETLOperator(
        **{
            **GOOD,
            "query": "sql/accounts.sql",
            "job_type": "{{ params.job_type }}",
            "fields": "{{ params.fields | tojson }}",
            "batch_size": "{{ params.batch_size }}",
            "options": {"timezone": "{{ params.zone }}"},
        }
    )
    assert set(operator.template_fields) >= {"query", "fields", "job_type", "batch_size", "options", "sync_id"}
    assert not {"destination", "deferrable"} & set(operator.template_fields)


def test_a_field_object_becomes_plain_values_that_airflow_can_show() -> None:
    """`Field` is for the DAG's author; the rendered fields are JSON."""
    operator = ReverseETLOperator(**{**GOOD, "fields": {"a": Field("b", nulls="skip"), "c": "d"}})
    assert operator.fields == {"a": {"column": "b", "nulls": "skip"}, "c": "d"}


@pytest.mark.parametrize(
    ("operator", "destination", "options"),
    [
        (SalesforceReverseETLOperator, "salesforce", {"allow_duplicates": True, "assignment_rules": True}),
        (HubSpotReverseETLOperator, "hubspot", {"timezone": "Europe/Berlin"}),
        (GoogleSheetsReverseETLOperator, "google_sheets", {"spreadsheet_id": "x", "header": "strict", "input": "raw"}),
    ],
)
def test_each_thin_operator_fixes_its_destination(operator: Any, destination: str, options: dict[str, Any]) -> None:
    """The options of an application are its operator's parameters; a wrong one or another destination is an error."""
    given = {name: value for name, value in GOOD.items() if name != "destination"}
    made = operator(**given, **options)
    assert (made.destination, made.options) == (destination, options)
    with pytest.raises(ConfigurationError, match="leave `destination` out"):
        operator(**given, destination="somewhere")
    with pytest.raises(ConfigurationError, match=r"no JSON|mapping"):
        operator(**given, **options, options="text")


def test_thin_operators_turn_options_into_parameters() -> None:
    """The typed parameters are the options, and `options` may still be given."""
    operator = GoogleSheetsReverseETLOperator(
        **{k: v for k, v in GOOD.items() if k != "destination"},
        spreadsheet_id="abc",
        create_tab=True,
        options={"timezone": "UTC"},
    )
    assert operator.destination == "google_sheets"
    assert operator.options == {"timezone": "UTC", "spreadsheet_id": "abc", "create_tab": True}


def sync(run_dag: Any, xcom: Any, **parameters: Any) -> tuple[str, Any]:
    """Run one task; return its state and its report."""
    from airflow.sdk import DAG

    with DAG("d", schedule=None) as dag:
        ReverseETLOperator(
            **{
                "task_id": "sync",
                "destination": CRM,
                "warehouse_conn_id": "warehouse",
                "object": "people",
                "key": "id",
                "query": "select id, name from people",
                **parameters,
            }
        )
    dag_run = run_dag(dag)
    return str(dag_run.get_task_instances()[0].state), xcom(dag_run, "sync")


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CRM_DEFAULT", json.dumps({"conn_type": "generic"}))


def test_a_stranger_s_hook_is_reached_by_its_dotted_path(
    run_dag: Any, xcom: Any, warehouse: Any, connected: None, crm: Any
) -> None:
    """The report is the task's return value, and the rows are in the application."""
    state, report = sync(run_dag, xcom)
    assert state == "success"
    assert report["succeeded"]["upsert"] == len(crm.records) == 25
    assert report["sync_id"] == "d.sync"
    assert report["calls"] == 3


def test_the_report_is_in_xcom_before_the_task_fails(
    run_dag: Any, xcom: Any, warehouse: Any, connected: None, crm: Any
) -> None:
    """One refused row: 24 landed, the task is red, and the report says so without the value."""
    query = "select id, case when id = 3 then 'bad' else name end as name from people"
    state, report = sync(run_dag, xcom, query=query)
    assert state == "failed"
    assert (report["rejected"], len(crm.records)) == (1, 24)
    assert report["errors"] == [{"code": "BAD_NAME", "fields": ["name"], "message": "'…' is no name", "count": 1}]


def test_a_job_type_that_the_destination_lacks_is_a_sentence(
    run_dag: Any, xcom: Any, warehouse: Any, connected: None
) -> None:
    """The report is there even when no row moved."""
    state, report = sync(run_dag, xcom, job_type="delete")
    assert state == "failed"
    assert "cannot delete" in report["summary"]


def test_rendered_text_is_converted(run_dag: Any, xcom: Any, warehouse: Any, connected: None, crm: Any) -> None:
    """Numbers, flags and lists arrive as text from a trigger form."""
    state, report = sync(
        run_dag,
        xcom,
        fields="{{ ['name'] | tojson }}",
        batch_size="{{ 5 }}",
        changes_only="{{ true }}",
        max_rejected="{{ '5%' }}",
        key_column="{{ none }}",
    )
    assert (state, report["calls"]) == ("success", 5)


def test_rendered_nonsense_is_said_when_the_task_runs(run_dag: Any, xcom: Any, warehouse: Any, connected: None) -> None:
    """The same check, after rendering; nothing was sent, and the report says why."""
    state, report = sync(run_dag, xcom, job_type="{{ 'explode' }}")
    assert (state, report["rows"], report["calls"]) == ("failed", 0, 0)
    assert "'explode'" in report["summary"]


def test_a_mapped_task_must_give_its_own_sync_id(run_dag: Any, warehouse: Any, connected: None, crm: Any) -> None:
    """A map index is no identity: without a sync_id of its own a mapped task fails, with one it runs."""
    from airflow.sdk import DAG

    for sync_id, expected in ((None, {"failed"}), ("people.{{ task.object }}", {"success"})):
        with DAG("m", schedule=None) as dag:
            ReverseETLOperator.partial(
                task_id="sync",
                destination=CRM,
                warehouse_conn_id="warehouse",
                key="id",
                query="select id, name from people",
                sync_id=sync_id,
            ).expand(object=["a", "b"])
        assert {str(ti.state) for ti in run_dag(dag).get_task_instances()} == expected


@pytest.mark.parametrize("returned", ["query", "dicts", "arrow"])
def test_the_decorator_takes_a_query_or_rows(
    run_dag: Any, xcom: Any, warehouse: Any, connected: None, crm: Any, returned: str
) -> None:
    """A function returns the query, dicts, or an Arrow table; the rows never reach rendered fields."""
    import pyarrow as pa
    from airflow.sdk import DAG, task

    rows = [{"id": i, "name": f"secret-{i}"} for i in range(3)]
    value = {"query": "select id, name from people limit 3", "dicts": iter(rows), "arrow": pa.Table.from_pylist(rows)}

    with DAG("t", schedule=None) as dag:

        @task.reverse_etl(destination=CRM, warehouse_conn_id="warehouse", object="people", key="id")
        def sync(prefix: str) -> Any:
            return value[returned]

        sync("x")
    dag_run = run_dag(dag)
    assert str(dag_run.state) == "success"
    assert len(crm.records) == 3
    assert "secret" not in rendered(dag_run)


def rendered(dag_run: Any) -> str:
    from airflow.models.renderedtifields import RenderedTaskInstanceFields
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalars(select(RenderedTaskInstanceFields).filter_by(run_id=dag_run.run_id)).all()
        return json.dumps([row.rendered_fields for row in found])


def test_a_function_that_returns_nothing_is_a_sentence(run_dag: Any, warehouse: Any, connected: None) -> None:
    """None is neither a query nor rows."""
    from airflow.sdk import DAG, task

    with DAG("n", schedule=None) as dag:

        @task.reverse_etl(destination=CRM, object="people", key="id", retries=3)
        def sync() -> None:
            return None

        sync()
    assert str(run_dag(dag).state) == "failed"


def test_importing_the_operators_imports_no_client_library() -> None:
    """A DAG processor parses hundreds of files: it must not pay for what only a task needs."""
    code = (
        "import sys, airflow.sdk; before = set(sys.modules); "
        "import airflow_reverse_etl.operators.salesforce, airflow_reverse_etl.decorators.reverse_etl; "
        "heavy = ('duckdb', 'pyarrow', 'requests', 'simple_salesforce', 'tenacity', "
        "'airflow.providers.common.sql.hooks'); "
        "from airflow_reverse_etl.operators.hubspot import HubSpotReverseETLOperator as Op; "
        "Op(task_id='t', query='select 1', warehouse_conn_id='w', object='contacts', key='email'); "
        "print([m for m in set(sys.modules) - before if m.startswith(heavy)])"
    )
    out = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip().splitlines()[-1] == "[]"
