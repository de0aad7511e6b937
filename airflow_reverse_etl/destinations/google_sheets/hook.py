"""The sync hook of Google Sheets: rows of a tab are its records, a column is their key."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from airflow_reverse_etl.destinations.base import SyncHook, base_url
from airflow_reverse_etl.destinations.google_sheets import a1, preflight
from airflow_reverse_etl.destinations.google_sheets.api import UNFORMATTED, Spreadsheet, judge
from airflow_reverse_etl.destinations.google_sheets.connection import API, Login
from airflow_reverse_etl.destinations.google_sheets.encode import CannotEncode, TooLong, cell, format_of
from airflow_reverse_etl.destinations.google_sheets.removal import Removal
from airflow_reverse_etl.destinations.google_sheets.shape import Shape
from airflow_reverse_etl.destinations.google_sheets.tab import blocks
from airflow_reverse_etl.destinations.rest import Bearer, Rest
from airflow_reverse_etl.errors import BatchRejectedError, RetryableError, UnknownOutcomeError
from airflow_reverse_etl.model import (
    Batch,
    Capabilities,
    JobType,
    KeyForm,
    Limits,
    Rate,
    RecordOutcome,
    Target,
    rejected,
    succeeded,
)

STALE_SECONDS = 30
"""The key column is read again when it was read longer ago: people sort and insert, and there is no compare-and-set."""

Cells = dict[int, Any]


class GoogleSheetsSyncHook(SyncHook):
    """Keeps the rows of one tab in step with a query.

    Quotas are Google's (Sheets API, "Usage limits"): 60 reads and 60 writes a minute for each user, about 2 MB a call.
    Calls are made one after the other, because rows are addressed by their numbers.

    :param google_sheets_conn_id: a connection of type `google_sheets` or `google_cloud_platform`.
    """

    conn_name_attr = "google_sheets_conn_id"
    default_conn_name = "google_sheets_default"
    conn_type = "google_sheets"
    hook_name = "Google Sheets"
    capabilities = Capabilities(
        job_types=frozenset(JobType),
        call=Limits(records=16_000, bytes=2_000_000),
        rate=Rate(calls=60, seconds=60.0),
        concurrency=1,
    )

    def __init__(self, google_sheets_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(google_sheets_conn_id, **kwargs)
        self._in_doubt: set[str] = set()

    def accepted_conn_types(self) -> tuple[str, ...]:
        return ("google_sheets", "google_cloud_platform")

    @cached_property
    def _login(self) -> Login:
        return Login(self.connection)

    @cached_property
    def _rest(self) -> Rest:
        url = base_url(self.connection.host, API)
        bearer = Bearer(self._login.token(), self._login.token)
        who = self._login.who
        return Rest(
            url, bearer, self.slot, judge=lambda answer: judge(answer, who), name="Google Sheets", read_seconds=190
        )

    def who_am_i(self) -> str:
        """Fetch a token; a spreadsheet is a matter of the task."""
        self._login.token()
        return f"Google accepts {self._login.who}; share each spreadsheet with it as an editor"

    def check(self, target: Target, job_types: Sequence[JobType], fields: Sequence[str]) -> Target:
        """Read the spreadsheet's tabs and the tab's header, write nothing; see `model.Destination.check`."""
        self._options = preflight.options(target.options)
        self._sheet = Spreadsheet(self._rest, self._options.spreadsheet_id)
        about = self._read_tab(target.object)
        names = preflight.match_header(self._tab.header, fields)
        first = next(filter(None, self._tab.header), None)
        key = names.get(target.key, target.key) if target.key else first or next(iter(fields), "")
        preflight.check_columns(self._tab, names, fields, key, job_types, extend=self._options.extend)
        zone = self._options.timezone or about.get("properties", {}).get("timeZone") or "UTC"
        self._zone = ZoneInfo(zone)
        return replace(
            target,
            key=key,
            account=self._options.spreadsheet_id,
            key_form=KeyForm(),
            key_is_written=True,
            timezone=zone,
            names=names,
        )

    def create(self, batch: Batch) -> list[RecordOutcome]:
        """Write new rows below the last used one; a key that stands in the tab already is refused."""
        return self._write(batch)

    def update(self, batch: Batch) -> list[RecordOutcome]:
        """Write the cells of rows that are there."""
        return self._write(batch)

    def upsert(self, batch: Batch) -> list[RecordOutcome]:
        """Write the cells of rows that are there, and the others below the last used row."""
        return self._write(batch)

    def delete(self, batch: Batch) -> list[RecordOutcome]:
        """Delete rows from the bottom up; a key that is not there is gone already."""
        self._look(batch)
        found = {key: self._tab.rows_of(key) for key in batch.keys}
        doomed = sorted(rows[0] for rows in found.values() if len(rows) == 1)
        if doomed:
            removal = Removal(self._tab, doomed)
            with self._doubts(batch, ()):
                self._sheet.change(removal.requests())
            self._tab.remove(removal.deleted)
        return [_ambiguous(key, rows) if len(rows) > 1 else succeeded(key) for key, rows in found.items()]

    def _read_tab(self, title: str) -> dict[str, Any]:
        """Read tabs and header anew; return what the spreadsheet says of itself."""
        about = self._sheet.about()
        self._tab = preflight.find_tab(about, title, create=self._options.create_tab)
        self._shape = Shape(self._sheet, self._tab)
        if self._tab.exists:
            first_row = self._sheet.read(a1.row(title, 1), valueRenderOption="FORMATTED_VALUE")
            self._tab.header = [str(text) for text in (first_row or [[]])[0]]
        return about

    def _look(self, batch: Batch) -> None:
        """Know which row holds which key: read once, and again after a lost answer or after a while."""
        read_at = self._tab.read_at
        if read_at is not None and time.monotonic() - read_at < STALE_SECONDS:
            return
        if read_at is not None:
            self._read_tab(batch.target.object)
        tab, column = self._tab, self._tab.column(str(batch.target.key))
        cells = []
        if column and tab.rows > 1:
            cells = self._sheet.read(a1.block(tab.title, 2, column, None, column), **UNFORMATTED)
        tab.learn_keys(cells)
        if batch.operation in (JobType.CREATE, JobType.UPSERT) and tab.exists and tab.last_row < tab.rows:
            below = a1.block(tab.title, tab.last_row + 1, 1, None, tab.columns)
            tab.last_row += len(self._sheet.read(below, valueRenderOption="FORMULA"))

    def _write(self, batch: Batch) -> list[RecordOutcome]:
        self._look(batch)
        draft = self._draft(batch)
        if not draft.cells:
            return draft.outcomes(batch)
        more = len(batch) >= self.capabilities.call.records
        with self._doubts(batch, draft.new):
            self._shape.fit(batch.fields, draft.dated, max(draft.new.values(), default=1), more=more)
            by_column = {row: self._by_column(cells) for row, cells in draft.cells.items()}
            areas = blocks(by_column)
            body = self._sheet.body(self._tab, areas, "USER_ENTERED" if self._options.typed else "RAW")
            self._refuse_too_large(body)
            self._sheet.send(body, len(areas))
        for key, row in draft.new.items():
            self._tab.add(key, row)
        return draft.outcomes(batch)

    def _draft(self, batch: Batch) -> Draft:
        """Decide for every record which row it goes to, and what its cells are."""
        draft = Draft()
        for key, record in zip(batch.keys, batch.records(), strict=True):
            row, refusal = self._row(batch.operation, key, self._tab.last_row + len(draft.new) + 1)
            if refusal:
                draft.refused[key] = refusal
                continue
            is_new = row > self._tab.last_row
            values = {f: v for f, v in record.items() if is_new or f != batch.target.key}
            try:
                cells = {f: cell(v, self._zone, typed=self._options.typed) for f, v in values.items()}
            except CannotEncode as problem:
                code = "TOO_LARGE" if isinstance(problem, TooLong) else "CANNOT_ENCODE"
                draft.refused[key] = rejected(key, code, str(problem))
                continue
            draft.dated |= {f: wanted for f, v in values.items() if (wanted := format_of(v))}
            if is_new:
                draft.new[key] = row
            if cells:
                draft.cells[row] = cells
        return draft

    def _row(self, operation: JobType, key: str, next_row: int) -> tuple[int, RecordOutcome | None]:
        rows = self._tab.rows_of(key)
        if len(rows) > 1:
            return 0, _ambiguous(key, rows)
        if rows and operation is JobType.CREATE and key not in self._in_doubt:
            message = f"a row with this key stands in the tab already (row {rows[0]})"
            return 0, rejected(key, "ALREADY_EXISTS", message)
        if rows:
            return rows[0], None
        if operation is JobType.UPDATE:
            return 0, rejected(key, "NOT_FOUND", "no row of the tab has this key")
        return next_row, None

    def _by_column(self, cells: dict[str, Any]) -> Cells:
        return {column: value for f, value in cells.items() if (column := self._tab.column(f))}

    def _refuse_too_large(self, body: bytes) -> None:
        most = self.capabilities.call.bytes or 0
        if len(body) > most:
            message = f"{len(body):,} bytes are more than the {most:,} that Google advises for one call"
            raise BatchRejectedError(message, code="TOO_LARGE")

    @contextmanager
    def _doubts(self, batch: Batch, new: Iterable[str]) -> Iterator[None]:
        """After a lost answer the tab is read again before anything else is written.

        Keys whose new rows may have landed are remembered as ours, so that a create can be repeated without doubling.
        """
        try:
            yield
        except UnknownOutcomeError as error:
            self._in_doubt.update(new)
            self._tab.read_at = -STALE_SECONDS
            if batch.operation is JobType.CREATE:
                raise RetryableError(str(error), code=error.code) from error
            raise


@dataclass
class Draft:
    """What one batch will write: cells by row and field, which keys get new rows, and what is refused."""

    cells: dict[int, dict[str, Any]] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)
    refused: dict[str, RecordOutcome] = field(default_factory=dict)
    dated: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def outcomes(self, batch: Batch) -> list[RecordOutcome]:
        """Return one outcome per record, once the cells are written."""
        return [self.refused.get(key) or succeeded(key) for key in batch.keys]


def _ambiguous(key: str, rows: Sequence[int]) -> RecordOutcome:
    places = ", ".join(map(str, rows[:5]))
    return rejected(
        key, "AMBIGUOUS_KEY", f"the key stands in {len(rows)} rows of the tab ({places}); make it unique there"
    )
