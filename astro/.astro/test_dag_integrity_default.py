"""What `astro dev parse` runs: every file in dags/ can be imported, without connections and without a network."""

from __future__ import annotations

from pathlib import Path

from airflow.dag_processing.dagbag import DagBag


def test_every_dag_can_be_imported() -> None:
    """No file fails, and there is at least one DAG."""
    found = DagBag(dag_folder=Path(__file__).parents[1] / "dags")
    assert found.import_errors == {}
    assert found.dags
