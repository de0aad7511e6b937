"""A pytest plugin (`-p found`) that lays the toys beside the real destinations, as whoever adds a folder does."""

from __future__ import annotations

from pathlib import Path

import cases

from airflow_reverse_etl import destinations

HERE = Path(__file__).parent
destinations.__path__.append(str(HERE / "destinations"))
cases.__path__.append(str(HERE / "cases"))
