"""The notebook's fake once more."""

from __future__ import annotations

from airflow_reverse_etl.destinations.notebook import sandbox


class Fake(sandbox.Fake):
    """Reached by another type of connection."""

    def connection(self, base_url: str) -> dict[str, object]:
        """Return a connection that reaches this fake."""
        return super().connection(base_url) | {"conn_type": "bare"}
