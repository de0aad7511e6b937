"""What the tests of the Google Sheets hook share: a tab in the sandbox, hooks on it, batches as the engine makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from discovery import faults

from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import parse_cells
from airflow_reverse_etl.model import KIND, Batch, JobType, Limitations, RecordOutcome, Status, Target

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.google_sheets.hook import GoogleSheetsSyncHook
    from airflow_reverse_etl.sandbox import Sandbox
    from airflow_reverse_etl.sync.run import Ended

NAME = "google_sheets"
VARIABLE = "AIRFLOW_CONN_GOOGLE_SHEETS_DEFAULT"
TAB = "Ann's scores"
QUOTAS = ("reads_per_minute", "writes_per_minute", "project_reads_per_minute", "project_writes_per_minute")


@dataclass
class Job:
    """A hook and a checked target: what the engine holds while it sends."""

    hook: GoogleSheetsSyncHook
    job_type: JobType
    target: Target

    def batch(
        self,
        rows: Sequence[Mapping[str, Any]],
        types: Mapping[str, pa.DataType] | None = None,
        *,
        skip: Sequence[str] = (),
        kinds: Mapping[str, bytes] | None = None,
    ) -> Batch:
        """Return rows (field -> value, the key's among them) as a batch."""
        target, types, kinds = self.target, types or {}, kinds or {}
        key = str(target.key)
        names = list(dict.fromkeys(name for row in rows for name in row))
        if self.job_type not in (JobType.CREATE, JobType.UPSERT):
            names = [name for name in names if target.name_of(name) != key]
        arrays = [pa.array([_canonical(row[key]) for row in rows], pa.string())]
        fields = [pa.field("", pa.string())]
        for name in names:
            arrays.append(pa.array([row.get(name) for row in rows], types.get(name)))
            tag = {KIND: kinds[name]} if name in kinds else None
            fields.append(pa.field(target.name_of(name), arrays[-1].type, metadata=tag))
        return Batch(self.job_type, target, pa.Table.from_arrays(arrays, schema=pa.schema(fields)), frozenset(skip))

    def send(self, rows: Sequence[Mapping[str, Any]], *types: Any, **how: Any) -> list[RecordOutcome]:
        """Send rows once; return the outcomes."""
        return list(self.hook.send(self.batch(rows, *types, **how)))

    def land(self, rows: Sequence[Mapping[str, Any]], *types: Any, **how: Any) -> None:
        """Send rows that must all be accepted."""
        outcomes = self.send(rows, *types, **how)
        assert {outcome.status for outcome in outcomes} == {Status.SUCCEEDED}, outcomes
        assert [outcome.key for outcome in outcomes] == self.batch(rows, *types, **how).keys

    def codes(self, rows: Sequence[Mapping[str, Any]], *types: Any, **how: Any) -> dict[str, str]:
        """Send rows once; return key -> code, "" for those that were accepted."""
        return {outcome.key: outcome.code for outcome in self.send(rows, *types, **how)}


def _canonical(value: Any) -> str:
    if isinstance(value, Decimal | float):
        return str(int(value))
    return str(value)


@dataclass
class Sheet:
    """The default spreadsheet of the sandbox, with one tab that a test fills."""

    box: Sandbox
    new_hook: Callable[..., GoogleSheetsSyncHook]
    store: Path
    runs: int = 0
    log: list[str] = field(default_factory=list)

    @property
    def fake(self) -> Any:
        """Return the sandbox's Google Sheets."""
        return self.box.fake(NAME)

    def fill(self, *rows: Sequence[Any], title: str = TAB, at: str = "A1", **grid: int) -> None:
        """Make the tab, with these cells."""
        self.fake.define(title, **{"rows": 1000, "columns": 26, **grid})
        self.put(at, *rows, title=title)

    def put(self, at: str, *rows: Sequence[Any], title: str = TAB) -> None:
        """Write cells as a person does: text that begins with = is a formula, None empties a cell."""
        self.fake.seed_cells(title, [list(row) for row in rows], at=at)

    def job(self, job_type: str, fields: Sequence[str], hook: GoogleSheetsSyncHook | None = None, **target: Any) -> Job:
        """Check a target; keyword arguments that no target has are options."""
        known = {name: target.pop(name) for name in ("object", "key") if name in target}
        options = {"spreadsheet_id": self.fake.settings.spreadsheet_id, **target}
        hook = hook or self.new_hook()
        asked = Target(NAME, known.get("object", TAB), known.get("key"), options)
        return Job(hook, JobType(job_type), hook.check(asked, [JobType(job_type)], fields))

    def cells(self, title: str = TAB) -> list[list[Any]]:
        """Return what the tab holds."""
        return self.fake.cells(title)

    def grid(self, title: str = TAB) -> tuple[int, int]:
        """Return height and width of the tab's grid."""
        tab = self.fake._tab(title, None)
        return tab.row_count, tab.column_count

    def dress(self, cells: str, number_format: Mapping[str, str]) -> None:
        """Give a range of the tab a number format, as a person does."""
        tab = self.fake._tab(TAB, None)
        tab.formats.change(tab.area(parse_cells(cells)), lambda _: {"numberFormat": number_format})

    def formats(self, column: str, last: int) -> list[str]:
        """Return the number formats of a column from row 1 on, as their patterns, "" for none."""
        looks = [self.fake.look(TAB, f"{column}{row}") for row in range(1, last + 1)]
        return [look.get("numberFormat", {}).get("pattern", "") for look in looks]

    def freeze(self, rows: int, title: str = TAB) -> None:
        """Freeze rows at the top."""
        self.fake._tab(title, None).frozen_rows = rows

    def calls(self) -> list[str]:
        """Return the calls so far, each as a verb and the end of its address."""
        return [
            f"{request.verb} {request.path.partition(self.fake.settings.spreadsheet_id)[2]}"
            for request in self.fake.requests
        ]

    def writes(self) -> list[str]:
        """Return the calls so far that write."""
        return [call for call in self.calls() if not call.startswith("GET")]

    def sent(self, index: int = -1) -> dict[str, Any]:
        """Return the body of one of the writes so far."""
        bodies = [request.body for request in self.fake.requests if request.verb != "GET"]
        return json.loads(bodies[index])

    def run(self, job: str, table: pa.Table, **parameters: Any) -> Ended:
        """Run a sync with the real engine."""
        from airflow_reverse_etl.destinations import google_sheets
        from airflow_reverse_etl.parameters import validate
        from airflow_reverse_etl.sync.run import Sync

        self.runs += 1
        given = {"destination": NAME, "object": TAB, "job_type": job, "sync_id": "dag.task", **parameters}
        given["options"] = {"spreadsheet_id": self.fake.settings.spreadsheet_id, **given.get("options", {})}
        settings = validate(given, options=google_sheets.OPTIONS, default_key_is_written=True)
        assert settings is not None
        return Sync(
            settings=settings,
            query=lambda: nullcontext(Rows(table)),
            destination=self.new_hook(),
            store=self.store,
            run=f"run-{self.runs}",
            limits=Limitations(max_wait=30),
            log=self.log.append,
        ).execute()


@dataclass
class Rows:
    """The rows of a query, there already."""

    table: pa.Table

    @property
    def schema(self) -> pa.Schema:
        """Return the columns."""
        return self.table.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from self.table.to_batches()


@pytest.fixture
def new_hook(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., GoogleSheetsSyncHook]:
    """Return `new_hook(host=..., extra=...)`: a hook on the sandbox's connection, changed as said."""
    from airflow_reverse_etl.destinations.google_sheets.hook import GoogleSheetsSyncHook

    def new_hook(**changed: Any) -> GoogleSheetsSyncHook:
        monkeypatch.setenv(VARIABLE, json.dumps(json.loads(box.connections[VARIABLE]) | changed))
        return GoogleSheetsSyncHook()

    return new_hook


@pytest.fixture
def sheet(box: Sandbox, new_hook: Callable[..., GoogleSheetsSyncHook], tmp_path: Path) -> Iterator[Sheet]:
    """Return the sandbox's spreadsheet; afterwards, every request of the test must have been one that Google takes."""
    box.settings(NAME, **dict.fromkeys(QUOTAS, 1_000_000))
    sheet = Sheet(box, new_hook, tmp_path / "syncs")
    yield sheet
    assert sheet.fake.violations == []
    assert sheet.fake.large_bodies == 0
    for request in sheet.fake.requests:
        body = json.loads(request.body) if request.body else None
        assert faults(request.verb, request.path, request.query, body) == []
