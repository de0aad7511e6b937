"""One tab as it was last seen, and when it must be looked at again: people sort, insert and delete meanwhile.

Sheets has no compare-and-set: rows are addressed by their numbers. So the time between a look and a write is kept
short, and after a lost answer nothing is written before another look.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from airflow_reverse_etl.destinations.google_sheets import a1, preflight
from airflow_reverse_etl.destinations.google_sheets.api import Spreadsheet
from airflow_reverse_etl.destinations.google_sheets.header import Header
from airflow_reverse_etl.destinations.google_sheets.options import Options
from airflow_reverse_etl.destinations.google_sheets.protection import Protection, against_us
from airflow_reverse_etl.destinations.google_sheets.refusals import outdated, protected
from airflow_reverse_etl.destinations.google_sheets.shape import Shape
from airflow_reverse_etl.destinations.google_sheets.tab import Tab, used
from airflow_reverse_etl.errors import BatchRejectedError, FatalError, RetryableError, UnknownOutcomeError
from airflow_reverse_etl.model import Batch, JobType

FRESH_SECONDS = 5.0
"""For so long a look is taken for true. Then a delete looks again, and everything else at the end of the tab, which
moves when rows come or go."""

STALE_SECONDS = 30.0
"""After so long header and keys are read again in any case."""

NONE_KNOWN = Protection()
"""Until Google has refused something for the sake of a protected range, nobody asks for them."""

CHANGED = "HEADER_CHANGED"

LESSONS = 3
"""So often in a row a refusal is answered with another look."""

SLACK = 100
"""Rows made ahead on top: the header, and what people added, must not cost another growth."""


class View:
    """One tab, through the eyes of one run.

    :param title: of the tab, as the user wrote it.
    """

    def __init__(self, sheet: Spreadsheet, options: Options, title: str) -> None:
        self.sheet = sheet
        self.options = options
        self.in_doubt: set[str] = set()
        self.largest_batch = 0
        self.made_rows = 0
        self.protection = NONE_KNOWN
        self._title = title
        self._known: set[str] = set()
        self._keys_at: float | None = None
        self._lessons = 0
        self._stale = True

    def open(self) -> Mapping[str, Any]:
        """Read tabs and header; return what the spreadsheet says of itself.

        :raises ConfigurationError: the tab, or a column that was there, is gone.
        :raises FatalError, RetryableError:
        """
        self._stale = True
        about = self.sheet.about()
        tab = preflight.find_tab(about, self._title, create=self.options.create_tab and not self._known)
        if tab.exists:
            tab.header = Header(tuple(self.sheet.first_row(tab.title)))
        gone = [name for name in sorted(self._known) if tab.header.column(name) is None]
        if gone:
            named = ", ".join(map(repr, gone))
            message = f"the header of the tab {tab.title!r} was changed meanwhile: it has no column {named}, or several"
            raise FatalError(message, code=CHANGED)
        self.tab = tab
        self.shape = Shape(self.sheet, tab)
        if self.protection:  # it may have moved, too
            self.protection = self._protection(self.protection.code, self.protection.words)
        self._opened_at = time.monotonic()
        self._keys_at = None
        self._stale = False
        return about

    def expect(self, names: Iterable[str]) -> None:
        """Remember which of these columns are there: if one of them is gone later, nothing more is written."""
        self._known |= {name for name in names if self.tab.header.column(name) is not None}

    def look(self, batch: Batch) -> Tab:
        """Return the tab, with header and keys that are true as far as can be known.

        :raises ConfigurationError: the tab, or a column that was there, is gone.
        :raises FatalError, RetryableError:
        """
        if self._is_old(batch.operation):
            self.open()
        key = str(batch.target.key)
        self._refuse_strangers([key, *batch.fields], key, batch.operation)
        if self._keys_at is None:
            self._learn_keys(key)
        return self.tab

    def _refuse_strangers(self, names: Sequence[str], key: str, operation: JobType) -> None:
        """Stop where a column is missing that must be there; the check has refused it before, unless it was then."""
        self.expect(names)
        missing = [name for name in names if name not in self._known]
        if operation in (JobType.CREATE, JobType.UPSERT, JobType.UPDATE) and missing and self._may_not_extend():
            raise FatalError(f"the tab {self.tab.title!r} has no column {missing[0]!r}", code=CHANGED)
        if operation in (JobType.UPDATE, JobType.DELETE) and key in missing and self.tab.header:
            raise FatalError(f"the tab {self.tab.title!r} has no column {key!r}, by which rows are found", code=CHANGED)

    def _may_not_extend(self) -> bool:
        """Whether a missing column stays missing; a tab that we make gets all of them."""
        return self.tab.exists and not self.options.extend

    def _is_old(self, operation: JobType) -> bool:
        if self._stale:
            return True
        now = time.monotonic()
        if self._keys_at is None:
            return now - self._opened_at > STALE_SECONDS
        if now - self._keys_at > STALE_SECONDS:
            return True
        if now - self._seen_at <= FRESH_SECONDS:
            return False
        return operation is JobType.DELETE or self._has_moved()

    def _has_moved(self) -> bool:
        """Whether the end of the tab is no longer where it was: rows came or went."""
        tab = self.tab
        self._stale = True  # until it is read
        end = self._read_from(tab.last_row)
        self._stale = False
        self._seen_at = time.monotonic()
        return used(end) != (1 if tab.last_row > 1 or tab.header else 0)

    def _learn_keys(self, key: str) -> None:
        """Read which row holds which key, and where the tab ends."""
        tab = self.tab
        column = tab.header.column(key)
        self._stale = True  # until all of it is read
        there = tab.exists and column is not None and tab.rows > 1
        tab.learn_keys(self.sheet.values(a1.block(tab.title, 2, column or 1, None, column or 1)) if there else [])
        tab.learn_tail(self._read_from(tab.last_row + 1))
        self._stale = False
        self._keys_at = self._seen_at = time.monotonic()

    def _read_from(self, row: int) -> list[list[Any]]:
        tab = self.tab
        if not tab.exists or row > tab.rows:
            return []
        return self.sheet.formulas(a1.block(tab.title, row, 1, None, tab.columns))

    def spare_rows(self, batch: Batch, new: int, most: int) -> int:
        """Return how many rows to make ahead when the grid grows: each growth costs a call, and more rows may follow.

        :param new: rows that this batch makes.
        :param most: records that a batch holds at most.
        """
        more_follow = len(batch) >= (self.largest_batch or most)
        return self.made_rows + new + SLACK if more_follow else 0

    def made(self, batch: Batch, new: Mapping[str, int]) -> None:
        """Note that a batch was written, and where its new rows are."""
        for key, row in new.items():
            self.tab.add(key, row)
        self.made_rows += len(new)
        self.largest_batch = max(self.largest_batch, len(batch))
        self.in_doubt.difference_update(batch.keys)
        self._lessons = 0

    def removed(self, rows: Sequence[int]) -> None:
        """Note that rows were deleted."""
        self.tab.remove(rows)
        self._lessons = 0

    @contextmanager
    def doubts(self, batch: Batch, new: Iterable[str] = (), *, stops: str = "") -> Iterator[None]:
        """Guard a call that writes: after a lost answer, or a refusal that tells of changes, the tab is read again.

        :param new: keys whose rows this call makes. They are ours from then on, so that a create can be repeated: its
            rows are found, or written to the same place once more.
        :param stops: what a refusal keeps from happening, where no record is to blame for it.
        :raises RetryableError: send the same again.
        """
        try:
            yield
        except RetryableError:
            raise
        except UnknownOutcomeError as error:
            self._stale = True
            self.in_doubt.update(new)
            if batch.operation is JobType.CREATE:
                raise RetryableError(str(error), code=error.code, perhaps_applied=bool(self.in_doubt)) from error
            raise
        except BatchRejectedError as error:
            if self._teaches(error, any_words=batch.operation is JobType.DELETE and not stops):
                raise RetryableError(str(error), retry_after=0, code=error.code) from error
            if stops:
                raise FatalError(f"{stops}: {error}", code=error.code) from error
            raise
        except BaseException:
            self._stale = True
            raise

    def _teaches(self, error: BatchRejectedError, *, any_words: bool) -> bool:
        """Learn from a refusal; return whether the same may be sent again.

        :param any_words: whatever Google says may come from an old picture.
        """
        if protected(error):
            if self.protection is not NONE_KNOWN:
                return False
            self.protection = self._protection(error.code, str(error))
            return bool(self.protection)
        if self._lessons >= LESSONS or not (any_words or outdated(error)):
            return False
        self._lessons += 1
        self._stale = True
        return True

    def _protection(self, code: str, words: str) -> Protection:
        return Protection(code, words, against_us(self.sheet.protected_ranges(self.tab.sheet_id)))
