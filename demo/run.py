"""`make demo`: score accounts in a warehouse, write the scores into Salesforce, through Airflow, on this machine alone.

A DuckDB file is the warehouse, the sandbox is Salesforce. The DAG `account_scoring` runs twice; the second run sends
nothing, because nothing changed.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from demo import home
from demo.home import say


def main() -> int:
    """Run the demo; return 0 if the second run sent nothing and the application holds what the warehouse says."""
    warnings.simplefilter("ignore")
    folder = home.make("demo")
    environment = home.environment(folder) | {"AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
    os.environ.clear()  # settings of another Airflow would stay otherwise
    os.environ.update(environment)
    say("Setting up Airflow (its database lives in .airflow/demo) ...")
    prepare_airflow()
    from airflow_reverse_etl.sandbox import serve
    from demo.warehouse import fill

    with serve() as box:
        os.environ |= box.connections
        say(f"The sandbox serves Salesforce at {box.url}/salesforce")
        fill(box, home.warehouse(folder))
        say("The warehouse (DuckDB) holds the usage of 3,000 accounts that Salesforce knows\n")
        reports = [run_once(number) for number in (1, 2)]
        wrong = show_what_landed(box, home.warehouse(folder))
    say_where_to_go_on(folder)
    return int(wrong or sum(reports[1]["planned"].values()) > 0)


def prepare_airflow() -> None:
    """Create Airflow's database and let it know the DAG, as its DAG processor would."""
    import airflow.sdk  # noqa: F401  Airflow sets its logging up when it is first imported, and only then can it be quieted

    logging.disable(logging.WARNING)
    from airflow.utils.db import initdb

    initdb()


def run_once(number: int) -> dict[str, Any]:
    """Run the DAG and print its report."""
    dag = load_dag("account_scoring")
    dag_run = dag.test()
    if str(dag_run.state) != "success":
        sys.exit(f"run {number} of {dag.dag_id} ended as {dag_run.state}")
    report = read_report(dag.dag_id, dag_run.run_id)
    say(f"Run {number} of the DAG account_scoring: {report['summary']}  ({report['calls']} calls)")
    return report


def load_dag(dag_id: str) -> Any:
    """Return a DAG of the folder, stored as Airflow's DAG processor stores it."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.serialized_objects import LazyDeserializedDAG, SerializedDAG
    from airflow.utils.session import create_session

    dag = DagBag(str(home.DAGS / f"{dag_id}.py")).dags[dag_id]
    lazy = LazyDeserializedDAG.from_dag(dag)
    with create_session() as session:
        if session.get(DagBundleModel, "demo") is None:
            session.add(DagBundleModel(name="demo"))
            session.flush()
        SerializedDAG.bulk_write_to_db("demo", None, [lazy], session=session)
        SerializedDagModel.write_dag(lazy, bundle_name="demo", session=session)
    return dag


def read_report(dag_id: str, run_id: str) -> dict[str, Any]:
    """Return what the task `run_aps` left in XCom."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(XComModel).filter_by(dag_id=dag_id, run_id=run_id, task_id="run_aps", key="return_value")
        found = session.scalar(query)
        return dict(XComModel.deserialize_value(found))


def show_what_landed(box: Any, database: Path) -> int:
    """Print a few accounts of Salesforce beside the warehouse; return how many of all differ."""
    import duckdb

    with duckdb.connect(database, read_only=True) as warehouse:
        scores = warehouse.sql("select account_id, name, aps from account_scores join accounts using (account_id)")
        rows = scores.fetchall()
    landed = {record["Id"]: record.get("aps__c") for record in box.records("salesforce", "Account")}
    best = sorted(rows, key=lambda row: -row[2])[:8]
    say(f"\n  {'Account in Salesforce':<24} {'Id':<20} {'warehouse':>9} {'aps__c':>8}")
    for record_id, name, aps in best:
        say(f"  {name:<24} {record_id:<20} {aps:>9} {landed[record_id]:>8}")
    wrong = sum(float(aps) != landed[record_id] for record_id, _, aps in rows)
    say(f"  ... and {len(rows) - len(best):,} more; {wrong} of {len(rows):,} differ from the warehouse\n")
    return wrong


def say_where_to_go_on(folder: Path) -> None:
    """Print what to try next."""
    say(f"Files of the runs (plan, outcomes, report): {(folder / 'reverse_etl').relative_to(home.ROOT)}")
    say("Next: `make airflow` to click through it; README.md;")
    say("      docs/quickstart.md for your own warehouse and application.")


if __name__ == "__main__":
    sys.exit(main())
