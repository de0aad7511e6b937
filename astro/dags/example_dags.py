"""Shows Airflow the example DAGs that the package brings; put your own DAGs beside this file."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from airflow.sdk import DAG

from airflow_reverse_etl import example_dags

for module in pkgutil.iter_modules(example_dags.__path__, prefix=f"{example_dags.__name__}."):
    # Airflow takes the DAGs that it finds among the names of this module; each example calls its own `dag`.
    globals().update(
        {found.dag_id: found for found in vars(import_module(module.name)).values() if isinstance(found, DAG)}
    )
