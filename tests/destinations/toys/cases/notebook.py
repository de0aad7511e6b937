"""Notes by their title."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from cases import STRANGE_KEYS, Case, Column, Refused, texts

if TYPE_CHECKING:
    from airflow_reverse_etl.sandbox import Sandbox


def case_for(destination: str) -> Case:
    """Return the case of a notebook."""

    def move(box: Sandbox) -> dict[str, object]:
        box.settings(destination, owner="Bob")
        return {}

    return Case(
        object="diary",
        key="title",
        keys=[*STRANGE_KEYS, *(f"note {n}" for n in range(8))],
        columns=[texts("text"), Column("place", pa.int64(), [(7, "7"), (None, None)])],
        texts=("text", "place", "mood"),
        refused=Refused("mood", "awful", "BAD_MOOD"),
        record_id="id",
        other_keys={"title": STRANGE_KEYS},
        writes="/(create|update|upsert|delete)$",
        move=move,
    )


CASE = case_for("notebook")
