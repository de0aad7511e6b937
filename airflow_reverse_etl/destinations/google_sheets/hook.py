"""The sync hook of Google Sheets: rows of a tab are its records, a column is their key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from airflow_reverse_etl.destinations.base import SyncHook, base_url
from airflow_reverse_etl.destinations.google_sheets import preflight
from airflow_reverse_etl.destinations.google_sheets.api import Spreadsheet
from airflow_reverse_etl.destinations.google_sheets.blocks import body
from airflow_reverse_etl.destinations.google_sheets.connection import API, Login
from airflow_reverse_etl.destinations.google_sheets.draft import SHARED, Desk, Draft, ambiguous, draft, shared_rows
from airflow_reverse_etl.destinations.google_sheets.encode import Encoder
from airflow_reverse_etl.destinations.google_sheets.options import read_options
from airflow_reverse_etl.destinations.google_sheets.refusals import judge
from airflow_reverse_etl.destinations.google_sheets.removal import Removal
from airflow_reverse_etl.destinations.google_sheets.shape import Need
from airflow_reverse_etl.destinations.google_sheets.view import View
from airflow_reverse_etl.destinations.rest import Bearer, Rest
from airflow_reverse_etl.errors import BatchRejectedError, FatalError, RetryableError
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

READ_SECONDS = 190
"""Google gives up after 180."""

MOST_RECORDS = 14_300
"""In so many steps, 100,000 rows of up to 140 bytes take 7 calls of less than 2 MB, and 3 that make room."""

CERTAINLY = 4
"""A batch that at rest has so many times the bytes of a call is split before it becomes Python objects."""

GAP = 3
"""Columns of others that a written range may bridge, leaving them alone; not where some of them are protected."""

MOST_RANGES = 4_000
"""Runs of rows that one call deletes: Google moves all rows below for each, and must be done in 180 s."""

QUOTA_SECONDS = 21.0
"""Wait of a check whose quota is spent, where Google names none: the tries that the engine makes must span a minute."""


class GoogleSheetsSyncHook(SyncHook):
    """Keeps the rows of one tab in step with a query.

    Quotas are Google's (Sheets API guide, "Usage limits"): 60 reads and 60 writes a minute for each user, about 2 MB a
    call. Reads and writes are paced together, which leaves room for others. Calls are made one after the other, because
    rows are addressed by their numbers.

    :param google_sheets_conn_id: a connection of type `google_sheets` or `google_cloud_platform`.
    """

    conn_name_attr = "google_sheets_conn_id"
    default_conn_name = "google_sheets_default"
    conn_type = "google_sheets"
    hook_name = "Google Sheets"
    capabilities = Capabilities(
        job_types=frozenset(JobType),
        call=Limits(records=MOST_RECORDS, bytes=2_000_000),
        rate=Rate(calls=60, seconds=60.0),
        concurrency=1,
    )

    def __init__(self, google_sheets_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(google_sheets_conn_id, **kwargs)
        self._seen: tuple[tuple[str, str], View] | None = None

    def accepted_conn_types(self) -> tuple[str, ...]:
        """Return our own type and that of Airflow's Google provider."""
        return ("google_sheets", "google_cloud_platform")

    @cached_property
    def _login(self) -> Login:
        return Login(self.connection)

    @cached_property
    def _rest(self) -> Rest:
        url = base_url(self.connection.host, API)
        who, token = self._login.who, self._login.token
        bearer = Bearer(token(), token)
        return Rest(
            url,
            bearer,
            self.slot,
            judge=lambda answer: judge(answer, who),
            name="Google Sheets",
            threads=1,
            read_seconds=READ_SECONDS,
        )

    # --- before a row moves ------------------------------------------------------------------------------------------

    def who_am_i(self) -> str:
        """Log in and ask the API for a spreadsheet that nobody has: which one is wanted is the task's to say.

        :raises FatalError, RetryableError:
        """
        try:
            Spreadsheet(self._rest, "none").about()
        except FatalError as refusal:
            if refusal.code != "NOT_FOUND":
                raise
        return f"Google accepts {self._login.who}; share each spreadsheet with it as an editor"

    def check(self, target: Target, job_types: Sequence[JobType], fields: Sequence[str]) -> Target:
        """Read the spreadsheet's tabs and the tab's header, write nothing; see `model.Destination.check`.

        :raises ConfigurationError: all that is wrong, in one message.
        :raises FatalError, RetryableError: Google cannot be asked.
        """
        options = read_options(target.options)
        view = View(Spreadsheet(self._rest, options.spreadsheet_id), options, target.object)
        try:
            about = view.open()
        except RetryableError as error:
            if error.code == "RATE_LIMIT_EXCEEDED" and error.retry_after is None:
                raise RetryableError(str(error), retry_after=QUOTA_SECONDS, code=error.code) from error
            raise
        zone = preflight.zone_of(about, options)
        found = preflight.match(view.tab, target.key, fields, job_types, extend=options.extend or not view.tab.exists)
        view.expect(found.names.values())
        complete = replace(
            target,
            object=view.tab.title,
            key=found.key,
            account=options.spreadsheet_id,
            key_form=KeyForm(),
            key_is_written=True,
            timezone=zone,
            names=found.names,
        )
        self._seen = (_place(complete), view)
        return complete

    def _view(self, target: Target) -> View:
        """Return the view of a target that was checked, here or by another hook."""
        if self._seen is None or self._seen[0] != _place(target):
            options = read_options(target.options)
            self._seen = (_place(target), View(Spreadsheet(self._rest, options.spreadsheet_id), options, target.object))
        return self._seen[1]

    # --- the four verbs ----------------------------------------------------------------------------------------------

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
        view = self._view(batch.target)
        tab = view.look(batch)
        outcomes: dict[str, RecordOutcome] = {}
        doomed: list[int] = []
        rows_of = {key: tab.rows_of(key) for key in batch.keys}
        rivals = shared_rows(rows_of)
        for key, rows in rows_of.items():
            if len(rows) > 1:
                outcomes[key] = rejected(key, "AMBIGUOUS_KEY", ambiguous(rows))
            elif rivals.intersection(rows):
                outcomes[key] = rejected(key, "AMBIGUOUS_KEY", SHARED)
            elif view.protection and any(map(view.protection.forbids_removal, rows)):
                outcomes[key] = rejected(key, view.protection.code, view.protection.words)
            else:
                doomed += rows
        if doomed:
            self._remove(batch, view, Removal(tab, sorted(set(doomed))))
        return [outcomes.get(key) or succeeded(key) for key in batch.keys]

    def _remove(self, batch: Batch, view: View, removal: Removal) -> None:
        requests = removal.requests()
        if len(requests) > MOST_RANGES + 1 and len(batch) > 1:
            message = f"{len(requests) - 1:,} separate ranges of rows are more than one call should delete"
            raise BatchRejectedError(message, code="TOO_LARGE")
        stops = f"the tab {view.tab.title!r} cannot get the blank row that deletes need at its end"
        with view.doubts(batch, stops=stops):
            view.sheet.change(removal.guard())
        added = removal.added
        view.tab.rows += added
        with view.doubts(batch):
            view.sheet.change(requests)
        view.tab.rows -= 1  # the guard
        view.removed(removal.rows)

    def _write(self, batch: Batch) -> list[RecordOutcome]:
        most = self.capabilities.call.bytes or 0
        if len(batch) > 1 and batch.table.nbytes > CERTAINLY * most:
            raise BatchRejectedError(_too_large(batch.table.nbytes, most), code="TOO_LARGE")
        view = self._view(batch.target)
        tab = view.look(batch)
        encoder = Encoder(ZoneInfo(batch.target.timezone), typed=view.options.typed)
        key = str(batch.target.key)
        places = view.shape.places(dict.fromkeys([key, *batch.fields]))
        made = draft(batch, Desk(tab, key, places, encoder, view.protection, view.in_doubt))
        written = made.blocks(0 if view.protection else GAP)
        if written:
            content = body(tab.title, written, "USER_ENTERED" if view.options.typed else "RAW")
            if len(content) > most:
                return _alone(batch, _too_large(len(content), most))
            self._fit(batch, view, made, places)
            with view.doubts(batch, made.new):
                view.sheet.write(content, len(written))
            view.made(batch, made.new)
        return made.outcomes(batch.keys)

    def _fit(self, batch: Batch, view: View, made: Draft, places: dict[str, int]) -> None:
        need = Need(
            places,
            made.dated,
            last_row=max(made.new.values(), default=0),
            spare=view.spare_rows(batch, len(made.new), self.capabilities.call.records),
            makes_rows=batch.operation is not JobType.UPDATE,
        )
        with view.doubts(batch, stops=f"the tab {view.tab.title!r} cannot be made to hold what is to be written"):
            view.shape.fit(need, view.protection)


def _too_large(size: int, most: int) -> str:
    return f"{size:,} bytes are more than the {most:,} that Google advises for one call"


def _alone(batch: Batch, message: str) -> list[RecordOutcome]:
    """Refuse what is too large for a call: several records are halved by the engine.

    :raises BatchRejectedError:
    """
    if len(batch) > 1:
        raise BatchRejectedError(message, code="TOO_LARGE")
    return [rejected(batch.keys[0], "TOO_LARGE", message)]


def _place(target: Target) -> tuple[str, str]:
    return target.account, target.object
