"""What came of a run: the report for Airflow, and the files for the person who must mend the data."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_reverse_etl.errors import FatalError, RetryableError, SyncError
from airflow_reverse_etl.model import JobType, RecordOutcome, Settings, Status, plain_values, share_of
from airflow_reverse_etl.sync import values
from airflow_reverse_etl.sync.canonical import quoted
from airflow_reverse_etl.sync.delivery import Delivered, Fate, values_of
from airflow_reverse_etl.sync.journal import Journal
from airflow_reverse_etl.sync.redact import redact
from airflow_reverse_etl.sync.stage import WORDS, Stage, Staged

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
RECORD_ID = re.compile(r"\b(?:\d{5,}|(?=\w*\d)[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?)\b")
"""What applications call their records in messages: long numbers, and Salesforce's 15 or 18 letters and digits."""

OUR_CODES = frozenset({"CANNOT_ENCODE", "TOO_LARGE", "AMBIGUOUS_KEY", "ALREADY_EXISTS", "SAME_RECORD", "NO_OUTCOME"})
"""Refusals in the words of our hooks, which quote no value."""

MOST_MESSAGES = 1_000
"""Different messages that are told apart; applications that put an id into each would fill the memory."""


def now() -> str:
    """Return the time, as the report says it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


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
    """Takes the end of every record: counts it, and writes it to `outcomes.parquet` and to the journal."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._journal = journal
        self.path = folder / "outcomes.parquet"
        self.fates: Counter[Fate] = Counter()
        self.succeeded: Counter[str] = Counter()
        self._errors: Counter[tuple[str, tuple[str, ...], str]] = Counter()
        self._writer = pq.ParquetWriter(self.path, OUTCOMES, compression="zstd")
        self._waiting: list[dict[str, Any]] = []

    def take(self, delivered: Delivered) -> None:
        """Note the end of one batch."""
        self._count_errors(delivered)  # first: what may fail must fail before anything is counted
        operation = delivered.batch.operation.value
        ends = list(zip(delivered.fates, delivered.outcomes, delivered.attempts, strict=True))
        for fate, outcome, attempts in ends:
            self.fates[fate] += 1
            self.succeeded[operation] += fate is Fate.SUCCEEDED
            self._waiting.append(_row(outcome, operation, fate.value, delivered.batch.number, attempts))
        if len(self._waiting) >= ROWS_AT_ONCE or self._journal.is_due():
            self._flush(durable=True)

    def _count_errors(self, delivered: Delivered) -> None:
        """Count what went wrong; only records that failed become dicts, to take their values out of the words."""
        failed = [i for i, fate in enumerate(delivered.fates) if fate is not Fate.SUCCEEDED]
        refused = [i for i in failed if delivered.fates[i] is Fate.REJECTED]
        records = dict(zip(refused, delivered.batch.take(refused).records(), strict=True)) if refused else {}
        of_calls: dict[str, str] = {}
        for row in failed:
            outcome = delivered.outcomes[row]
            if row in records:
                ours = outcome.code in OUR_CODES
                words = outcome.message if ours else redact(outcome.message, [outcome.key, *records[row].values()])
            elif delivered.fates[row] is Fate.UNKNOWN:  # about a whole call, it may quote any of its records
                if outcome.message not in of_calls:
                    of_calls[outcome.message] = redact(outcome.message, values_of(delivered.batch), short=False)
                words = of_calls[outcome.message]
            else:
                words = outcome.message
            self._count(outcome.code, tuple(outcome.fields), words)

    def _count(self, code: str, fields: tuple[str, ...], message: str) -> None:
        message = RECORD_ID.sub("…", message)  # else the same refusal of a thousand records were a thousand refusals
        known = (code, fields, message) in self._errors
        crowded = len(self._errors) >= MOST_MESSAGES and not known
        self._errors[(code, fields, "" if crowded else message)] += 1

    def take_invalid(self, stage: Stage, operation: JobType, names: Sequence[str]) -> None:
        """Note the rows that were never planned.

        :param names: the destination fields, to say which one is to blame.
        """
        reader = stage.sql.execute("SELECT key, problem, culprit FROM staged WHERE problem IS NOT NULL ORDER BY rowid")
        while rows := reader.fetchmany(ROWS_AT_ONCE):
            for key, code, culprit in rows:
                self._count(code, () if culprit is None else (names[culprit],), WORDS[code])
                row = _row(
                    RecordOutcome(key, Status.REJECTED, None, code, WORDS[code]), operation.value, "invalid", 0, 0
                )
                self._waiting.append(row)
            self._flush(durable=False)

    def _flush(self, *, durable: bool) -> None:
        if self._waiting:
            outcomes = pa.Table.from_pylist(self._waiting, OUTCOMES)
            self._writer.write_table(outcomes)
            self._waiting = []
            if durable:
                self._journal.note(outcomes)

    def close(self) -> None:
        """Write what waits and close the file."""
        self._flush(durable=self._journal.intends)
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


def write_rejected(stage: Stage, staged: Staged, outcomes: Path, path: Path) -> int:
    """Write `rejected.csv`: every row that was invalid or refused, with the reason and its values.

    Values that begin like a formula are made text (OWASP, "CSV Injection"). Returns the number of rows.
    """
    stage.sql.execute(f"""
        CREATE TABLE bad AS
        WITH said AS (SELECT * FROM read_parquet({quoted(str(outcomes))}) WHERE status IN ('rejected', 'unknown'))
        SELECT s.rowid AS n, coalesce(s.key, said.key) AS key, coalesce(said.status, 'invalid') AS status,
               coalesce(said.code, s.problem) AS code, said.message
        FROM staged s FULL JOIN said ON said.key = s.key AND s.problem IS NULL
        WHERE s.problem IS NOT NULL OR said.key IS NOT NULL
    """)
    rows = stage.stream("SELECT * FROM bad WHERE n IS NOT NULL ORDER BY n")
    removals = stage.stream("SELECT * FROM bad WHERE n IS NULL")
    pieces = values.beside(staged.values, rows) if staged.fields else ((head, pa.table({})) for head in rows)
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "status", "code", "message", *(_safe(field.name) for field in staged.fields)])
        for head, table in pieces:
            columns = [plain_values(column, f) for column, f in zip(table.columns, staged.fields, strict=True)]
            count += _write_lines(writer, head, zip(*columns, strict=True) if columns else [()] * len(head))
        for head in removals:
            count += _write_lines(writer, head, [()] * len(head))
    return count


def _write_lines(writer: Any, head: pa.Table, rows: Iterable[Sequence[Any]]) -> int:
    for reason, row in zip(head.to_pylist(), rows, strict=True):
        message = reason["message"] or WORDS.get(reason["code"])
        writer.writerow([_safe(value) for value in (reason["key"], reason["status"], reason["code"], message, *row)])
    return len(head)


def _safe(value: Any) -> str:
    text = "" if value is None else str(value)
    is_number = isinstance(value, int | float | Decimal)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not is_number else text


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
    if report.unknown or report.held:
        text += "; creates in doubt are held back until they can be looked up, or until on_unknown='resend'"
    return text + (f"; {removed_note}" if removed_note else "")


def verdict(report: Report, settings: Settings, stopped_by: BaseException | None) -> BaseException | None:
    """Return the error that the run ends with, or None for a success."""
    wrong = report.imbalance()
    if wrong:
        return FatalError(f"the totals do not balance: {wrong}; this is a defect, please report it")
    if stopped_by and (isinstance(stopped_by, FatalError) or not isinstance(stopped_by, SyncError)):
        return stopped_by
    if report.unknown:
        return FatalError(
            f"{report.unknown:,} creates were sent, but whether they were made could not be settled; they are held "
            f"back until you say so (`on_unknown`). {report.summary}"
        )
    if report.aborted:
        return RetryableError(f"{stopped_by}. {report.summary}" if stopped_by else report.summary)
    bad = report.invalid + report.rejected
    if bad > share_of(settings.max_rejected, report.rows):
        return FatalError(
            f"{bad:,} of {report.rows:,} rows were refused or invalid, more than `max_rejected` allows. "
            f"{report.summary}"
        )
    none_landed = sum(report.planned.values()) and not sum(report.succeeded.values()) and not report.unchanged
    all_may_fail = isinstance(settings.max_rejected, float) and settings.max_rejected >= 1
    if none_landed and not all_may_fail:
        return FatalError(f"not one of {sum(report.planned.values()):,} records was accepted. {report.summary}")
    return None
