"""Runs that died, and creates in doubt: what is known of them moves into the state before anything else is planned."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

from airflow_reverse_etl.errors import FatalError, RetryableError
from airflow_reverse_etl.model import Destination, Finder, Found, JobType, Log, Target
from airflow_reverse_etl.sync import folders, journal
from airflow_reverse_etl.sync.canonical import quoted
from airflow_reverse_etl.sync.journal import Dead
from airflow_reverse_etl.sync.stage import Stage
from airflow_reverse_etl.sync.state import State, identity

SKEW = 30.0
"""Seconds by which the application's clock may lag behind ours: a record made so shortly before is taken for ours."""

LOOKED_UP_AT_ONCE = 200


def settle(
    stage: Stage, state: State, target: Target, job_type: JobType, *, destination: Destination, log: Log
) -> None:
    """Fold runs that died into the state, and look creates in doubt up where the application can.

    The stage's table `state` is loaded before, and is that of the settled state after.

    :raises RetryableError: the store cannot be reached.
    """
    sync = state.folder.parent  # type: ignore[attr-defined]  # every path has a parent
    for left in journal.dead(sync):
        if left.about.get("target") == identity(target, job_type):
            _fold(stage, state, left)
            log(f"settled what the run {left.about.get('run')} left when it died")
        folders.write_json(left.plan / "sealed.json", {"settled_at": time.time()})
        left.marker.unlink(missing_ok=True)
    if job_type is JobType.CREATE:
        _look_up(stage, state, destination, target, log)


def _fold(stage: Stage, state: State, left: Dead) -> None:
    plan = stage.folder / "dead-plan.parquet"
    try:
        folders.download(left.plan / "plan.parquet", plan)
        stage.sql.execute(f"CREATE OR REPLACE TEMP TABLE dead_plan AS SELECT * FROM read_parquet({quoted(str(plan))})")
    except (FileNotFoundError, duckdb.Error):
        return  # a plan is written whole before the first call: nothing was sent
    _read_outcomes(stage, left)
    meant = list(left.intents())
    stage.sql.register(
        "dead_meant", pa.table({"key": [k for k, _ in meant], "sent_at": [at for _, at in meant]}, _MEANT)
    )
    gone = "cleared" if left.about.get("on_missing") == "clear" else "gone"
    stage.sql.execute(f"""
        CREATE OR REPLACE TABLE accepted AS
        WITH said AS (
            SELECT p.part, p.operation, p.key, p.k, p.fingerprint, o.status, o.destination_id, m.sent_at,
                   state.k IS NOT NULL AS known
            FROM dead_plan p LEFT JOIN dead_said o ON o.key = p.key AND o.operation = p.operation
            LEFT JOIN dead_meant m ON m.key = p.key AND p.operation = 'create' LEFT JOIN state ON state.k = p.k
        )
        SELECT k, key, CASE WHEN status = 'succeeded' AND part = 0 THEN CAST(fingerprint AS UUID) END AS fingerprint,
               destination_id AS id,
               CASE WHEN operation = 'create' AND coalesce(status, 'unknown') = 'unknown' THEN 'unknown'
                    WHEN status = 'succeeded' AND part = 1 THEN '{gone}' ELSE 'ok' END AS status, sent_at AS since
        FROM said
        WHERE status = 'succeeded'
           OR (operation = 'create' AND coalesce(status, 'unknown') = 'unknown' AND sent_at IS NOT NULL)
           OR (operation IN ('update', 'upsert') AND coalesce(status, 'aborted') = 'aborted' AND known)
           OR (part = 1 AND coalesce(status, 'aborted') = 'aborted' AND known)
    """)
    stage.sql.unregister("dead_meant")
    state.amend(stage)


_MEANT = pa.schema([("key", pa.string()), ("sent_at", pa.float64())])


def _read_outcomes(stage: Stage, left: Dead) -> None:
    stage.sql.execute("""
        CREATE OR REPLACE TEMP TABLE dead_said (key VARCHAR, operation VARCHAR, status VARCHAR, destination_id VARCHAR)
    """)
    for number, entry in enumerate(left.outcomes()):
        local = folders.download(entry, stage.folder / f"dead-{number}.parquet")
        try:
            stage.sql.execute(f"""
                INSERT INTO dead_said SELECT key, operation, status, destination_id
                FROM read_parquet({quoted(str(local))}) WHERE status <> 'invalid'
            """)
        except duckdb.Error:
            continue  # cut off while it was written: these creates are in doubt


def _look_up(stage: Stage, state: State, destination: Destination, target: Target, log: Log) -> None:
    """Ask the application for creates in doubt: made since then is done, not there is free to be sent again."""
    doubts = stage.sql.execute("SELECT k, key, coalesce(since, 0) FROM state WHERE status = 'unknown'").fetchall()
    if not doubts or not target.key or not isinstance(destination, Finder):
        return
    settled: list[tuple[str, str, str | None, str]] = []
    try:
        for start in range(0, len(doubts), LOOKED_UP_AT_ONCE):
            some = doubts[start : start + LOOKED_UP_AT_ONCE]
            found = destination.find(target, [key for _, key, _ in some], min(since for _, _, since in some))
            settled += _judged(some, found, destination.capabilities.settle_seconds)
    except (FatalError, RetryableError) as error:
        log(f"creates in doubt could not be looked up: {error}")
    if settled:
        columns = dict(zip(("k", "key", "id", "status"), map(list, zip(*settled, strict=True)), strict=True))
        stage.sql.register("judged", pa.table(columns, pa.schema([(name, pa.string()) for name in columns])))
        stage.sql.execute("""
            CREATE OR REPLACE TABLE accepted AS
            SELECT k, key, CAST(NULL AS UUID) AS fingerprint, id, status, CAST(NULL AS DOUBLE) AS since FROM judged
        """)
        stage.sql.unregister("judged")
        state.amend(stage)
        log(f"{len(settled)} of {len(doubts)} creates in doubt are settled")


def _judged(
    doubts: Sequence[tuple[str, str, float]], found: Mapping[str, Found], settle_seconds: float
) -> list[tuple[str, str, str | None, str]]:
    judged: list[tuple[str, str, str | None, str]] = []
    for k, key, since in doubts:
        record = found.get(key)
        if record is None and since and time.time() - since >= settle_seconds:
            judged.append((k, key, None, "gone"))
        elif record and record.count == 1 and record.created_at and record.created_at >= since - SKEW and since:
            judged.append((k, key, record.id, "ok"))
    return judged
