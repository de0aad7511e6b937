"""What a batch will write: which row every record goes to, what its cells are, and which records are refused.

Values are encoded column by column: a batch has ten thousand rows and a handful of columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_reverse_etl.destinations.google_sheets.blocks import Block, Row, blocks, without
from airflow_reverse_etl.destinations.google_sheets.encode import Encoded, Encoder, TooLongError
from airflow_reverse_etl.destinations.google_sheets.protection import Protection
from airflow_reverse_etl.destinations.google_sheets.tab import Tab
from airflow_reverse_etl.model import KIND, Batch, JobType, RecordOutcome, from_canonical, rejected, succeeded

SHARED = "another row of the query has this key in another spelling (a date and its number): which is right?"


@dataclass(frozen=True)
class Desk:
    """What a draft is made with.

    :param key: the field that is the key.
    :param places: field -> column, for all fields of the batch and the key.
    :param in_doubt: keys whose rows may have been made by a call of ours whose answer was lost.
    """

    tab: Tab
    key: str
    places: Mapping[str, int]
    encoder: Encoder
    protection: Protection
    in_doubt: set[str]


@dataclass
class Draft:
    """What a batch will write.

    :param columns: where the cells of new rows go, ascending.
    :param key_at: which of them is the key's; rows that are there keep theirs as people see it.
    :param there: row -> cells of the columns but the key's, for rows that are there.
    :param made: row -> cells of the columns, for new rows.
    :param new: key -> the row that it will get.
    :param refused: key -> why its record is not written.
    :param dated: column -> the type of its dates.
    :param next_row: the row that the next new record gets.
    """

    columns: tuple[int, ...]
    key_at: int
    next_row: int
    there: dict[int, Row] = field(default_factory=dict)
    made: dict[int, Row] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)
    refused: dict[str, RecordOutcome] = field(default_factory=dict)
    dated: dict[int, type] = field(default_factory=dict)

    def blocks(self, gap: int) -> list[Block]:
        """Return what is written as few rectangles.

        :param gap: columns between two written ones that a rectangle may bridge.
        """
        others = without(self.columns, self.key_at)
        return [*blocks(others, self.there, gap), *blocks(self.columns, self.made, gap)]

    def outcomes(self, keys: Sequence[str]) -> list[RecordOutcome]:
        """Return one outcome per record, once everything is written."""
        return [self.refused.get(key) or succeeded(key) for key in keys]


def draft(batch: Batch, desk: Desk) -> Draft:
    """Return what a create, update or upsert will write."""
    keys = batch.keys
    rows_of = {key: desk.tab.rows_of(key) for key in keys}
    encoded = _encoded(batch, desk)
    order = sorted(encoded, key=desk.places.__getitem__)
    made = Draft(tuple(desk.places[name] for name in order), order.index(desk.key), desk.tab.next_row)
    _refuse(made, batch, desk, rows_of, encoded)
    for key, cells in zip(keys, zip(*(encoded[name].cells for name in order), strict=True), strict=True):
        if key not in made.refused:
            _place(made, desk, key, rows_of[key], cells)
    for name, column in encoded.items():
        if column.dated and (name != desk.key or made.new):
            made.dated[desk.places[name]] = column.dated
    return made


def _encoded(batch: Batch, desk: Desk) -> dict[str, Encoded]:
    """Return the cells of each field, and of the key."""
    values = {name: _values(batch, index) for index, name in enumerate(batch.fields, 1)}
    key_values = values.pop(desk.key, [None] * len(batch))
    encoded = {name: desk.encoder.column(of, skip=name in batch.skip_nulls) for name, of in values.items()}
    return encoded | {desk.key: desk.encoder.keys(batch.keys, key_values)}


def _values(batch: Batch, index: int) -> list[Any]:
    """Return a column's values as Python objects, those of mixed types too, which travel as canonical text."""
    values: list[Any] = batch.table.column(index).to_pylist()
    mixed = (batch.table.schema.field(index).metadata or {}).get(KIND) == b"mixed"
    return [None if value is None else from_canonical(value) for value in values] if mixed else values


def _refuse(
    made: Draft, batch: Batch, desk: Desk, rows_of: Mapping[str, Sequence[int]], encoded: Mapping[str, Encoded]
) -> None:
    """Note the records that will not be written: for what stands in the tab, or for a value of theirs."""
    rivals = shared_rows(rows_of)
    for key, rows in rows_of.items():
        said = _refusal(batch.operation, key, rows, desk)
        if said is None and rivals.intersection(rows):
            said = "AMBIGUOUS_KEY", SHARED
        if said:
            made.refused[key] = rejected(key, *said)
    keys = batch.keys
    for name, column in encoded.items():
        for position, problem in column.problems.items():
            key = keys[position]
            if name != desk.key or not rows_of[key]:  # the key of a row that is there is not written
                code = "TOO_LARGE" if isinstance(problem, TooLongError) else "CANNOT_ENCODE"
                made.refused.setdefault(key, rejected(key, code, f"the field {name!r} cannot take {problem}", (name,)))


def _refusal(operation: JobType, key: str, rows: Sequence[int], desk: Desk) -> tuple[str, str] | None:
    """Return why a record cannot be written where its key stands, or does not stand: code and words."""
    if len(rows) > 1:
        return "AMBIGUOUS_KEY", ambiguous(rows)
    if rows and operation is JobType.CREATE and key not in desk.in_doubt:
        return "ALREADY_EXISTS", f"a row with this key stands in the tab already (row {rows[0]})"
    if not rows and operation is JobType.UPDATE:
        return "NOT_FOUND", "no row of the tab has this key"
    return None


def shared_rows(rows_of: Mapping[str, Sequence[int]]) -> set[int]:
    """Return the rows that several keys of a batch mean: a date as text and its serial number are one to a cell."""
    claims = Counter(row for rows in rows_of.values() for row in rows)
    return {row for row, times in claims.items() if times > 1}


def ambiguous(rows: Sequence[int]) -> str:
    """Return what to say of a key that stands in several rows."""
    places = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
    return f"the key stands in {len(rows)} rows of the tab ({places}): make it unique there"


def _place(made: Draft, desk: Desk, key: str, rows: Sequence[int], cells: Row) -> None:
    """Put a record's cells into its row, or into the next one that is free."""
    row = rows[0] if rows else made.next_row
    if rows:
        cells = without(cells, made.key_at)
    if desk.protection:
        columns = without(made.columns, made.key_at) if rows else made.columns
        written = [column for column, cell in zip(columns, cells, strict=True) if cell is not None]
        if desk.protection.forbids(row, written):
            made.refused[key] = rejected(key, desk.protection.code, desk.protection.words)
            return
    if rows:
        if any(cell is not None for cell in cells):
            made.there[row] = cells
    else:
        made.made[row] = cells
        made.new[key] = row
        made.next_row += 1
