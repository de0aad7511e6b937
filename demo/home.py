"""What `make demo` and `make airflow` share: an Airflow in a folder of its own, apart from any other here."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DAGS = ROOT / "example_dags"


def make(name: str) -> Path:
    """Return an empty AIRFLOW_HOME. It begins anew each time because the sandbox does: old state would not fit it."""
    home = ROOT / ".airflow" / name
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    return home


def warehouse(home: Path) -> Path:
    """Return the file of the DuckDB database that the example DAGs know as the connection `warehouse`."""
    return home / "warehouse.duckdb"


def environment(home: Path) -> dict[str, str]:
    """Return the environment of this process, with an Airflow that belongs to us alone in place of any other."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    return own | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW_CONN_WAREHOUSE": f'{{"conn_type": "duckdb", "host": "{warehouse(home)}"}}',
    }


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)
