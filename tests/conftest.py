"""What every test shares: an Airflow that belongs to the test run alone, and the sandbox.

The environment is set here, because Airflow reads it once, when it is first imported. Nothing in this file imports
Airflow or the sandbox before a fixture is asked for, so that a test of plain code starts at once.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow.models import DagRun
    from airflow.sdk import DAG

    from airflow_reverse_etl.sandbox import Sandbox

for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
    del os.environ[name]  # a developer's own Airflow must neither help a test nor be touched by it

AIRFLOW_HOME = Path(tempfile.mkdtemp(prefix="reverse_etl_tests_"))
os.environ |= {
    "AIRFLOW_HOME": str(AIRFLOW_HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(AIRFLOW_HOME / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW_HOME}/airflow.db",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
}

(AIRFLOW_HOME / "dags").mkdir()

BUNDLE = "tests"


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(AIRFLOW_HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a store of its own, so that no test inherits the state of a sync."""
    path = tmp_path / "store"
    monkeypatch.setenv("AIRFLOW__REVERSE_ETL__STORE_PATH", path.as_uri())
    return path


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Create Airflow's metadata database (2 s); only tests that run a DAG need it."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def run_dag(airflow_db: None) -> Callable[..., DagRun]:
    """Return `run(dag, **arguments_of_dag_test)`: it runs a DAG of the test in this process, retries and all."""

    def run(dag: DAG, **arguments: Any) -> DagRun:
        _make_known(dag)
        dag_run: DagRun = dag.test(**arguments)
        return dag_run

    return run


def _make_known(dag: DAG) -> None:
    """Store the DAG as the DAG processor would have; without that, a DAG outside the DAGs folder gets no run."""
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.serialized_objects import LazyDeserializedDAG, SerializedDAG  # as in 3.1, so in 3.3
    from airflow.utils.session import create_session

    lazy = LazyDeserializedDAG.from_dag(dag)
    with create_session() as session:
        if session.get(DagBundleModel, BUNDLE) is None:
            session.add(DagBundleModel(name=BUNDLE))
            session.flush()
        SerializedDAG.bulk_write_to_db(BUNDLE, None, [lazy], session=session)
        SerializedDagModel.write_dag(lazy, bundle_name=BUNDLE, session=session)


@pytest.fixture
def xcom(airflow_db: None) -> Callable[..., Any]:
    """Return `read(dag_run, task_id, key="return_value", map_index=-1)`: what a task has pushed, or None."""

    def read(dag_run: DagRun, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session
        from sqlalchemy import select

        wanted = {"run_id": dag_run.run_id, "task_id": task_id, "key": key, "map_index": map_index}
        with create_session() as session:
            found = session.scalar(select(XComModel).filter_by(dag_id=dag_run.dag_id, **wanted))
            return None if found is None else XComModel.deserialize_value(found)

    return read


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """Serve the sandbox once for all tests. Ask for `box` instead, which also forgets what earlier tests did."""
    from airflow_reverse_etl.sandbox import serve

    with serve() as sandbox:
        yield sandbox


@pytest.fixture
def box(sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Return an empty sandbox; Airflow's default connections (`salesforce_default`, ...) lead to it."""
    sandbox_server.reset()
    for variable, connection in sandbox_server.connections.items():
        monkeypatch.setenv(variable, connection)
    return sandbox_server
