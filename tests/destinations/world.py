"""Drives the real engine and a real hook against the sandbox, and looks at what the application holds then."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_reverse_etl import destinations
from airflow_reverse_etl.model import KIND, Limitations, Settings
from airflow_reverse_etl.parameters import validate
from airflow_reverse_etl.sync.run import Ended, Sync

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cases import Case, Column

    from airflow_reverse_etl.sandbox import Sandbox
    from airflow_reverse_etl.sandbox.log import Entry

Records = dict[str, dict[str, Any]]
"""key → field → value; what is empty or absent is None."""

BATCH = 4
"""Records in a call: few enough that the rows of a test need several calls at once."""


class Table:
    """The rows of a query, there already."""

    def __init__(self, table: pa.Table) -> None:
        self.schema = table.schema
        self._table = table

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from self._table.to_batches(max_chunksize=5)


@dataclass(frozen=True)
class Rows:
    """Rows of a query, and what the application must show of them."""

    table: pa.Table
    shown: Records

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def take(self, keys: Sequence[str]) -> Rows:
        """Return the rows of some keys."""
        places = [key in keys for key in self.table.column(0).to_pylist()]
        return Rows(self.table.filter(pa.array(places)), {key: self.shown[key] for key in keys})


def make_rows(key: str, keys: Sequence[str], columns: Sequence[Column], always: Mapping[str, str]) -> Rows:
    """Return a row for each key; each column repeats its values for as long as there are keys."""
    arrays: list[pa.Array] = [pa.array(list(keys), pa.string())]
    fields = [pa.field(key, pa.string())]
    shown: Records = {name: {} for name in keys}
    for column in columns:
        pairs = [column.values[n % len(column.values)] for n in range(len(keys))]
        arrays.append(pa.array([value for value, _ in pairs], column.type))
        fields.append(
            pa.field(column.field, column.type, metadata={KIND: column.kind.encode()} if column.kind else None)
        )
        for name, (_, visible) in zip(keys, pairs, strict=True):
            shown[name][column.field] = visible
    for name, value in always.items():
        arrays.append(pa.array([value] * len(keys), pa.string()))
        fields.append(pa.field(name, pa.string()))
    return Rows(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), shown)


@dataclass
class World:
    """One destination with its sandbox, and a store that all runs of a test share."""

    box: Sandbox
    destination: str
    case: Case
    store: Path
    log: list[str] = field(default_factory=list)
    runs: int = 0

    def rows(self, count: int | None = None, columns: Sequence[Column] | None = None, key: str | None = None) -> Rows:
        """Return rows of the case."""
        case = self.case
        return make_rows(key or case.key, case.keys[:count], columns or case.columns, case.always)

    def texts(self, *values: str | None, keys: int = 10) -> Rows:
        """Return rows whose first text fields hold these values."""
        columns = [
            _plain(name, [f"{value} {n}" if value else value for n in range(keys)])
            for name, value in zip(self.case.texts, values, strict=False)
        ]
        return self.rows(keys, columns)

    def settings(self, **parameters: Any) -> Settings:
        """Return checked settings, as the operator makes them."""
        declared = destinations.declaration(self.destination)
        given = {
            "destination": self.destination,
            "object": self.case.object,
            "job_type": "upsert",
            "key": self.case.key,
            "sync_id": "dag.task",
            "batch_size": BATCH,
            **parameters,
            "options": {**self.case.options, **parameters.get("options", {})},
        }
        known = validate(
            {name: value for name, value in given.items() if value is not None},
            options=destinations.options(self.destination),
            default_key_is_written=declared.DEFAULT_KEY_IS_WRITTEN,
        )
        assert known is not None
        return known

    def run(self, job: str, rows: Rows | pa.Table, *, max_wait: float = 5, **parameters: Any) -> Ended:
        """Run a sync once; its totals must balance, and every request of it be counted."""
        table = rows.table if isinstance(rows, Rows) else rows
        self.runs += 1
        before = self.calls()
        ended = Sync(
            settings=self.settings(job_type=job, **parameters),
            query=lambda: nullcontext(Table(table)),
            destination=destinations.load(self.destination)(),
            store=self.store,
            run=f"run-{self.runs}",
            limits=Limitations(max_wait=max_wait),
            log=self.log.append,
        ).execute()
        assert ended.report.imbalance() == ""
        assert ended.report.calls == self.calls() - before
        return ended

    def land(self, job: str, rows: Rows | pa.Table, **parameters: Any) -> Ended:
        """Run a sync that must end well."""
        ended = self.run(job, rows, **parameters)
        assert ended.error is None, ended.report
        return ended

    def seed(self, rows: Rows, **values: Any) -> list[str]:
        """Put records with these keys into the application by hand; return their ids."""
        case = self.case
        given = {**case.always, **values}
        return self.box.seed(self.destination, case.object, [{case.key: key, **given} for key in rows.shown])

    def held(self, fields: Sequence[str], key: str | None = None) -> Records:
        """Return what the application holds: these fields, by key. A key that it holds twice fails the test."""
        found: Records = {}
        for record in self.box.records(self.destination, self.case.object):
            name = str(record[key or self.case.key])
            assert name not in found, f"the application holds {name!r} twice"
            found[name] = {of: _or_none(record.get(of)) for of in fields}
        return found

    def assert_holds(self, rows: Rows, key: str | None = None) -> None:
        """Fail unless the application holds exactly these rows."""
        fields = list(next(iter(rows.shown.values())))
        held = self.held(fields, key)
        assert set(held) == set(rows.shown)
        for name, shown in rows.shown.items():
            assert _kinds(held[name]) == _kinds(shown), name

    def requests(self) -> list[Entry]:
        """Return every request so far, logins left out."""
        mine = (entry for entry in self.box.log if entry.destination == self.destination)
        return [entry for entry in mine if not re.search(self.case.logins, entry.path)]

    def calls(self) -> int:
        """Return the number of requests so far."""
        return len(self.requests())

    def writes(self) -> list[str]:
        """Return the requests so far that may have changed something."""
        return [
            f"{entry.method} {entry.path}"
            for entry in self.requests()
            if entry.method in ("PUT", "PATCH", "DELETE") or re.search(self.case.writes, entry.path)
        ]

    def outcomes(self, ended: Ended) -> dict[str, dict[str, Any]]:
        """Return what `outcomes.parquet` says of each key."""
        rows = pq.read_table(Path(ended.report.path) / "outcomes.parquet").to_pylist()
        return {row["key"]: row for row in rows}

    def violations(self) -> list[dict[str, object]]:
        """Return the malformed requests so far."""
        return self.box.violations(self.destination)


def _plain(name: str, values: Sequence[str | None]) -> Column:
    from cases import Column

    return Column(name, pa.string(), [(value, value or None) for value in values])


def _kinds(record: Mapping[str, Any]) -> dict[str, tuple[bool, Any]]:
    """Return a record so that true and 1 differ, which Python takes for equal."""
    return {name: (isinstance(value, bool), value) for name, value in record.items()}


def _or_none(value: Any) -> Any:
    return None if value == "" else value
