"""The five batch calls: create, update, upsert, read, archive."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from airflow_reverse_etl.destinations.hubspot.sandbox import keys, shapes
from airflow_reverse_etl.destinations.hubspot.sandbox.answers import CONFLICT, Answer, Refusal, malformed
from airflow_reverse_etl.destinations.hubspot.sandbox.portal import text_of
from airflow_reverse_etl.destinations.hubspot.sandbox.reading import as_read
from airflow_reverse_etl.destinations.hubspot.sandbox.writes import (
    NoSuchRecord,
    RowError,
    Writer,
    missing_item,
    refusal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_reverse_etl.destinations.hubspot.sandbox.call import Call
    from airflow_reverse_etl.destinations.hubspot.sandbox.portal import ObjectType, Record
    from airflow_reverse_etl.destinations.hubspot.sandbox.writes import Draft, Result


class _Row(Protocol):
    properties: dict[str, str]
    objectWriteTraceId: str | None  # noqa: N815  HubSpot's spelling


def create(call: Call) -> Answer:
    batch = shapes.read_batch(call, shapes.CreateBatch)
    rows = _counted(call, batch.inputs if batch else None)
    writer = Writer(call.portal, call.kind, modern=call.modern)
    return _write(call, "create", rows, writer, lambda row: writer.draft(row.properties, None))


def update(call: Call) -> Answer:
    batch = shapes.read_batch(call, shapes.KeyedBatch)
    rows = _counted(call, batch.inputs if batch else None)
    _settle_keys(call, rows)
    rows = _without_ignored(call, rows)
    writer = Writer(call.portal, call.kind, modern=call.modern)

    def draft(row: shapes.KeyedRow) -> Draft:
        record = keys.find(call, row.idProperty, row.id)
        if record is None:
            raise NoSuchRecord
        return writer.draft(row.properties, record)

    return _write(call, "update", rows, writer, draft)


def upsert(call: Call) -> Answer:
    batch = shapes.read_batch(call, shapes.KeyedBatch)
    rows = _counted(call, batch.inputs if batch else None)
    if any(row.idProperty is None for row in rows):
        raise malformed("idProperty must be set for every input of a batch upsert.")
    _settle_keys(call, rows)
    writer = Writer(call.portal, call.kind, modern=call.modern)

    def draft(row: shapes.KeyedRow) -> Draft:
        record = keys.find(call, row.idProperty, row.id)
        sent = row.properties
        if record is None and row.idProperty not in sent:
            sent = {**sent, str(row.idProperty): row.id}
        return writer.draft(sent, record)

    return _write(call, "upsert", rows, writer, draft)


def read(call: Call) -> Answer:
    batch = shapes.read_batch(call, shapes.ReadBatch)
    rows = _counted(call, batch.inputs if batch else None)
    if batch is None:
        return _envelope(call, 200, [], [])
    settings, kind = call.portal.settings, call.kind
    if batch.propertiesWithHistory and len(rows) > settings.max_inputs_with_history:
        message = (
            "The maximum number of inputs supported in a batch request for property histories is "
            f"{settings.max_inputs_with_history}. Please reduce the number of items and try again"
        )
        raise malformed(message)
    keys.refuse_unless_unique(call, batch.idProperty)
    archived = call.query.get("archived") == "true"
    found: dict[str, Record] = {}
    missing: list[str] = []
    for row in rows:
        key = keys.canonical(batch.idProperty, row.id)
        record = kind.archived.get(key) if archived else keys.find(call, batch.idProperty, key)
        if record is None:
            missing.append(row.id)
        else:
            found[record.id] = record
    wanted, history = batch.properties, batch.propertiesWithHistory
    results = [as_read(call, record, wanted, history) for record in found.values()]
    return _envelope(call, 200, results, [missing_item(kind, missing)] if missing else [])


def archive(call: Call) -> Answer:
    batch = shapes.read_batch(call, shapes.ArchiveBatch)
    rows = _counted(call, batch.inputs if batch else None)
    for row in rows:
        record = call.kind.find(row.id)
        if record is not None:
            call.kind.archive(record, call.portal.now())
    call.kind.search.settle()
    return Answer(204)


def _counted(call: Call, inputs: list[Any] | None) -> list[Any]:
    """Return the rows of a batch, if they are not too many."""
    if inputs is None:
        call.violate("the body has no `inputs`: HubSpot answers success and does nothing", 200)
        return []
    if not inputs:
        call.violate("`inputs` is empty", 200)
    most = call.portal.settings.max_inputs
    if len(inputs) > most:
        message = (
            f"The maximum number of inputs supported in a batch is {most}. "
            "Please reduce the number of items and try again"
        )
        raise malformed(message)
    call.rows = len(inputs)
    return inputs


def _settle_keys(call: Call, rows: Sequence[shapes.KeyedRow]) -> None:
    """Bring the key of each row into the form in which HubSpot compares it.

    :raises Refusal: a key is empty or there twice, or its property does not identify records.
    """
    for name in {row.idProperty for row in rows}:
        keys.refuse_unless_unique(call, name)
    for row in rows:
        row.id = keys.canonical(row.idProperty, row.id)
    ids = [row.id for row in rows]
    if not all(ids):
        raise malformed("Invalid input: id must not be blank.")
    if len(set(ids)) < len(ids):
        repeated = [key for key, times in Counter(ids).items() if times > 1]
        message = f"Duplicate IDs found in batch input: [{', '.join(repeated)}]. IDs must be unique"
        raise malformed(message, context={"ids": repeated})


def _without_ignored(call: Call, rows: Sequence[shapes.KeyedRow]) -> list[shapes.KeyedRow]:
    """Leave out the contacts that HubSpot passes over in silence: an e-mail as `id`, and no idProperty to say so."""
    if not call.kind.keyed_by_email:
        return list(rows)
    meant = [row for row in rows if row.idProperty is not None or row.id.isdigit()]
    if len(meant) < len(rows):
        call.violate("an id is no record id and idProperty is not set: HubSpot answers success and does nothing", 200)
    return meant


def _write(call: Call, operation: str, rows: Sequence[Any], writer: Writer, draft: Callable[[Any], Draft]) -> Answer:
    """Write the rows: each for itself if every one has a trace id of its own, else all or nothing."""
    done = 201 if operation == "create" else 200
    if call.mode == "conflict_for_batch":
        raise Refusal(409, "Contact already exists", CONFLICT)
    if call.mode == "empty_results" and not call.fault.get("written", False):
        return _envelope(call, done, [], [])
    if call.mode == "row_missing" and not call.fault.get("written", True):
        rows = rows[:-1]
    if call.mode == "unknown_property_dropped":
        for row in rows:
            row.properties = {name: value for name, value in row.properties.items() if name in call.kind.checks}
    traces = {row.objectWriteTraceId for row in rows}
    one_by_one = None not in traces and len(traces) == len(rows) and operation in call.portal.settings.multi_status
    run = _each if one_by_one else _all_or_nothing
    results, errors = run(call, rows, writer, draft, upserting=operation == "upsert")
    call.kind.search.settle()
    call.portal.random.shuffle(results)
    return _envelope(call, done, results, errors)


def _each(
    call: Call, rows: Sequence[_Row], writer: Writer, draft: Callable[[Any], Draft], *, upserting: bool
) -> tuple[list[Result], list[dict[str, object]]]:
    results, errors, missing = [], [], []
    for row in rows:
        try:
            checked = draft(row)
        except RowError as error:
            errors.append(error.item(str(row.objectWriteTraceId)))
        except NoSuchRecord:
            missing.append(row)
        else:
            results.append(_result(row, checked, writer, upserting=upserting))
    return results, errors + _missing(call, missing)


def _all_or_nothing(
    call: Call, rows: Sequence[_Row], writer: Writer, draft: Callable[[Any], Draft], *, upserting: bool
) -> tuple[list[Result], list[dict[str, object]]]:
    drafts, bad, missing = [], [], []
    for row in rows:
        try:
            drafts.append((row, draft(row)))
        except RowError as error:
            bad.append(error)
        except NoSuchRecord:
            missing.append(row)
    if bad:
        raise refusal(bad)
    _refuse_twins(call.kind, [checked for _, checked in drafts])
    results = [_result(row, checked, writer, upserting=upserting) for row, checked in drafts]
    return results, _missing(call, missing)


def _refuse_twins(kind: ObjectType, drafts: Sequence[Draft]) -> None:
    """Refuse a batch in which two rows want the same unique value."""
    claims = Counter((name, value) for checked in drafts for name, value, _ in kind.claims(checked.values))
    for (name, value), times in claims.items():
        if times > 1 and name == "email":
            raise Refusal(409, "Contact already exists", CONFLICT)
        if times > 1:
            raise Refusal(400, f"Cannot set property {name}: {value} is there more than once in the batch.")


def _result(row: _Row, checked: Draft, writer: Writer, *, upserting: bool) -> Result:
    result = writer.commit(checked)
    if upserting:
        result.new = checked.record is None
    if row.objectWriteTraceId is not None:
        result.objectWriteTraceId = row.objectWriteTraceId
    if checked.warnings is not None:
        result.warnings = checked.warnings
    return result


def _missing(call: Call, rows: Sequence[Any]) -> list[dict[str, object]]:
    if not rows:
        return []
    traces = [row.objectWriteTraceId for row in rows if row.objectWriteTraceId is not None]
    named = traces if call.portal.settings.name_missing_trace_ids else []
    return [missing_item(call.kind, [row.id for row in rows], named)]


def _envelope(call: Call, status: int, results: list[Result], errors: list[dict[str, object]]) -> Answer:
    at = text_of(call.portal.now())
    body: dict[str, object] = {"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Answer(207 if errors else status, body)
