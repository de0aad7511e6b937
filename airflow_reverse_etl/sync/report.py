"""What came of a run: the report for Airflow, and the files for the person who must mend the data."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_reverse_etl.errors import FatalError, RetryableError, SyncError
from airflow_reverse_etl.model import JobType, RecordOutcome, Settings, Status
from airflow_reverse_etl.sync.canonical import quoted
from airflow_reverse_etl.sync.delivery import Delivered, Fate
from airflow_reverse_etl.sync.redact import redact
from airflow_reverse_etl.sync.stage import WORDS, Stage

OUTCOMES = pa.schema(
    [
        ("key", pa.string()),
        ("operation", pa.string()),
        ("status", pa.string()),
        ("destination_id", pa.string()),
        ("code", pa.string()),
        ("message", pa.string()),
        ("batch", pa.int64()),
        ("attempts", pa.int64()),
    ]
)
ROWS_AT_ONCE = 20_000
TOP = 10
MOST_MESSAGES = 1_000
"""Different messages that are told apart; applications that put an id into each would fill the memory."""


@dataclass
class Report:
    """The totals of one run, as `execute` returns them. They balance: see `imbalance`."""

    sync_id: str
    run: str
    destination: str
    object: str
    job_type: str
    started_at: str
    finished_at: str = ""
    rows: int = 0
    missing: int = 0
    invalid: int = 0
    unchanged: int = 0
    held: int = 0
    planned: dict[str, int] = field(default_factory=lambda: {verb.value: 0 for verb in JobType})
    succeeded: dict[str, int] = field(default_factory=lambda: {verb.value: 0 for verb in JobType})
    rejected: int = 0
    unknown: int = 0
    aborted: int = 0
    calls: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    path: str = ""
    summary: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON types."""
        return asdict(self)

    def imbalance(self) -> str:
        """Return what does not add up, or nothing."""
        planned, succeeded = sum(self.planned.values()), sum(self.succeeded.values())
        read, seen = self.rows + self.missing, self.invalid + self.unchanged + self.held + planned
        done = succeeded + self.rejected + self.unknown + self.aborted
        if read != seen:
            return f"{self.rows} rows and {self.missing} missing ones became {seen}"
        return f"{planned} planned records ended in {done} outcomes" if planned != done else ""


class Ledger:
    """Takes the end of every record: counts it, and writes it to `outcomes.parquet`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "outcomes.parquet"
        self.fates: Counter[Fate] = Counter()
        self.succeeded: Counter[str] = Counter()
        self._errors: Counter[tuple[str, tuple[str, ...], str]] = Counter()
        self._writer = pq.ParquetWriter(self.path, OUTCOMES, compression="zstd")
        self._waiting: list[dict[str, Any]] = []

    def take(self, delivered: Delivered) -> None:
        """Note the end of one batch."""
        operation = delivered.batch.operation.value
        ends = list(zip(delivered.fates, delivered.outcomes, delivered.attempts, strict=True))
        for fate, outcome, attempts in ends:
            self.fates[fate] += 1
            self.succeeded[operation] += fate is Fate.SUCCEEDED
            self._waiting.append(_row(outcome, operation, fate.value, delivered.batch.number, attempts))
        self._count_errors(delivered)
        if len(self._waiting) >= ROWS_AT_ONCE:
            self._flush()

    def _count_errors(self, delivered: Delivered) -> None:
        """Count what went wrong; only records that were refused become dicts, to take their values out of the words."""
        said = [i for i, fate in enumerate(delivered.fates) if fate in (Fate.REJECTED, Fate.UNKNOWN)]
        records = dict(zip(said, delivered.batch.take(said).records(), strict=True)) if said else {}
        for row, (fate, outcome) in enumerate(zip(delivered.fates, delivered.outcomes, strict=True)):
            if fate is not Fate.SUCCEEDED:
                values = [outcome.key, *records[row].values()] if row in records else []
                self._count(outcome.code, tuple(outcome.fields), redact(outcome.message, values))

    def _count(self, code: str, fields: tuple[str, ...], message: str) -> None:
        known = (code, fields, message) in self._errors
        crowded = len(self._errors) >= MOST_MESSAGES and not known
        self._errors[(code, fields, "" if crowded else message)] += 1

    def take_invalid(self, stage: Stage, operation: JobType) -> None:
        """Note the rows that were never planned."""
        reader = stage.sql.execute("SELECT key, problem FROM staged WHERE problem IS NOT NULL ORDER BY rowid")
        while rows := reader.fetchmany(ROWS_AT_ONCE):
            for key, code in rows:
                self._count(code, (), WORDS[code])
                row = _row(
                    RecordOutcome(key, Status.REJECTED, None, code, WORDS[code]), operation.value, "invalid", 0, 0
                )
                self._waiting.append(row)
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_pylist(self._waiting, OUTCOMES))
            self._waiting = []

    def close(self) -> None:
        """Write what waits and close the file."""
        self._flush()
        self._writer.close()

    def errors(self) -> list[dict[str, Any]]:
        """Return the most frequent errors, without values."""
        return [
            {"code": code, "fields": list(fields), "message": message[:500], "count": count}
            for (code, fields, message), count in self._errors.most_common(TOP)
        ]


def _row(outcome: RecordOutcome, operation: str, status: str, batch: int, attempts: int) -> dict[str, Any]:
    return {
        "key": outcome.key,
        "operation": operation,
        "status": status,
        "destination_id": outcome.destination_id,
        "code": outcome.code or None,
        "message": outcome.message or None,
        "batch": batch,
        "attempts": attempts,
    }


def write_rejected(stage: Stage, outcomes: Path, fields: Sequence[str], path: Path) -> int:
    """Write `rejected.csv`: every row that was invalid or refused, with the reason and its values.

    Values that begin like a formula are made text (OWASP, "CSV Injection"). Returns the number of rows.
    """
    values = "".join(f", s.f{i}" for i in range(len(fields)))
    reader = stage.sql.execute(f"""
        WITH bad AS (SELECT * FROM read_parquet({quoted(str(outcomes))}) WHERE status IN ('rejected', 'unknown'))
        SELECT coalesce(s.key, bad.key), coalesce(bad.status, 'invalid'),
               coalesce(bad.code, s.problem), bad.message{values}
        FROM staged s FULL JOIN bad ON bad.key = s.key AND s.problem IS NULL
        WHERE s.problem IS NOT NULL OR bad.key IS NOT NULL ORDER BY s.rowid
    """)
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "status", "code", "message", *map(_safe, fields)])
        while rows := reader.fetchmany(ROWS_AT_ONCE):
            count += len(rows)
            writer.writerows(
                [_safe(value) for value in (*row[:3], row[3] or WORDS.get(row[2]), *row[4:])] for row in rows
            )
    return count


def _safe(value: Any) -> Any:
    text = "" if value is None else str(value)
    return (
        f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not isinstance(value, int | float) else text
    )


def summary(report: Report, *, removed_note: str = "") -> str:
    """Return what happened in one sentence for a person."""
    sent = sum(report.succeeded.values())
    parts = [f"{sent:,} sent"] if sum(report.planned.values()) or report.rows else ["the query returned no rows"]
    counts = {
        "unchanged": report.unchanged,
        "refused": report.rejected,
        "invalid": report.invalid,
        "of unknown fate": report.unknown,
        "held from an earlier run": report.held,
        "not attempted": report.aborted,
    }
    parts += [f"{count:,} {word}" for word, count in counts.items() if count]
    codes = [error["code"] for error in report.errors if error["code"]]
    text = ", ".join(parts)
    if codes:
        text += f" ({', '.join(dict.fromkeys(codes))})"
    if report.rejected or report.invalid or report.aborted:
        text += "; what was not sent will be tried again"
    return text + (f"; {removed_note}" if removed_note else "")


def allowed_rejections(limit: float, rows: int) -> int:
    """Return how many rows `max_rejected` lets go: an int is rows, a float a share of `rows`."""
    return limit if isinstance(limit, int) else math.floor(limit * rows)


def verdict(report: Report, settings: Settings, stopped_by: BaseException | None) -> SyncError | None:
    """Return the error that the run ends with, or None for a success."""
    wrong = report.imbalance()
    if wrong:
        return FatalError(f"the totals do not balance: {wrong}; this is a defect, please report it")
    if isinstance(stopped_by, FatalError):
        return stopped_by
    if report.unknown:
        return FatalError(
            f"{report.unknown:,} creates were sent, but whether they were made could not be settled; they are held "
            f"back until you say so (`on_unknown`). {report.summary}"
        )
    if report.aborted:
        return RetryableError(f"{stopped_by}. {report.summary}" if stopped_by else report.summary)
    bad = report.invalid + report.rejected
    if bad > allowed_rejections(settings.max_rejected, report.rows):
        return FatalError(
            f"{bad:,} of {report.rows:,} rows were refused or invalid, more than `max_rejected` allows. "
            f"{report.summary}"
        )
    none_landed = sum(report.planned.values()) and not sum(report.succeeded.values()) and not report.unchanged
    all_may_fail = isinstance(settings.max_rejected, float) and settings.max_rejected >= 1
    if none_landed and not all_may_fail:
        return FatalError(f"not one of {sum(report.planned.values()):,} records was accepted. {report.summary}")
    return None
