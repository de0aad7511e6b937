"""Calls about one record: create, read, update, delete, merge, erase; and the plain list of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from airflow_reverse_etl.destinations.hubspot.sandbox import keys, shapes
from airflow_reverse_etl.destinations.hubspot.sandbox.answers import Answer, Refusal, malformed, not_found
from airflow_reverse_etl.destinations.hubspot.sandbox.reading import as_read, names_in
from airflow_reverse_etl.destinations.hubspot.sandbox.writes import RowError, Writer, refusal

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.hubspot.sandbox.call import Call
    from airflow_reverse_etl.destinations.hubspot.sandbox.portal import Record
    from airflow_reverse_etl.destinations.hubspot.sandbox.writes import Result

_MOST_LISTED = 100


def create(call: Call) -> Answer:
    body = shapes.read(call, shapes.CreateRow)
    return Answer(201, _body(_written(call, body.properties, None)))


def update(call: Call) -> Answer:
    body = shapes.read(call, shapes.UpdateBody)
    return Answer(200, _body(_written(call, body.properties, _record(call))))


def read(call: Call) -> Answer:
    archived = call.query.get("archived") == "true"
    record = call.kind.archived.get(call.tail) if archived else _record(call)
    if record is None:
        raise not_found()
    found = as_read(call, record, names_in(call, "properties"), names_in(call, "propertiesWithHistory"))
    return Answer(200, _body(found))


def delete(call: Call) -> Answer:
    record = call.kind.find(call.tail)
    if record is not None:
        call.kind.archive(record, call.portal.now())
        call.kind.search.settle()
    elif call.tail not in call.kind.archived:
        raise not_found()
    return Answer(204)


def page(call: Call) -> Answer:
    limit = call.query.get("limit", "10")
    if not limit.isdigit() or not 1 <= int(limit) <= _MOST_LISTED:
        raise malformed(f"limit must be between 1 and {_MOST_LISTED}, not {limit!r}.")
    after = call.query.get("after", "0")
    if not after.isdigit():
        raise malformed(f"{after!r} is no paging cursor.")
    source = call.kind.archived if call.query.get("archived") == "true" else call.kind.live
    records = sorted((record for record in source.values() if int(record.id) > int(after)), key=lambda r: int(r.id))
    shown = records[: int(limit)]
    wanted = names_in(call, "properties")
    body: dict[str, object] = {"results": [as_read(call, record, wanted) for record in shown]}
    if len(records) > len(shown):
        body["paging"] = {"next": {"after": shown[-1].id, "link": f"?after={shown[-1].id}"}}
    return Answer(200, body)


def gdpr_delete(call: Call) -> Answer:
    """Erase a contact for good. An unknown one is answered 204, too."""
    asked = shapes.read(call, shapes.GdprDelete)
    record = _identified(call, asked.objectId, asked.idProperty)
    if record is not None:
        call.kind.archive(record, call.portal.now())
        del call.kind.archived[record.id]
        call.kind.search.settle()
    return Answer(204)


def merge(call: Call) -> Answer:
    """Fold one record into another; its id goes on meaning the survivor."""
    asked, kind = shapes.read(call, shapes.Merge), call.kind
    survivor, other = kind.find(asked.primaryObjectId), kind.live.get(asked.objectIdToMerge)
    if survivor is None or other is None or survivor is other:
        raise Refusal(400, "Records to merge must be two different records that exist.")
    values = {name: value for name, value in other.properties.items() if not survivor.properties.get(name)}
    kind.archive(other, call.portal.now())
    kind.merged[other.id] = survivor.id
    before = survivor.properties
    survivor.properties = {**before, **values}
    kind.reindex(survivor.id, before, survivor.properties)
    kind.search.note(call.portal.now(), survivor, survivor.properties)
    kind.search.settle()
    return Answer(200, _body(as_read(call, survivor, survivor.properties)))


def _record(call: Call) -> Record:
    record = _identified(call, call.tail, call.query.get("idProperty"))
    if record is None:
        raise not_found()
    return record


def _identified(call: Call, key: str, id_property: str | None) -> Record | None:
    keys.refuse_unless_unique(call, id_property)
    return keys.find(call, id_property, keys.canonical(id_property, key))


def _written(call: Call, properties: dict[str, str], record: Record | None) -> Result:
    writer = Writer(call.portal, call.kind, modern=call.modern)
    try:
        draft = writer.draft(properties, record)
    except RowError as error:
        raise refusal([error]) from None
    result = writer.commit(draft)
    call.kind.search.settle()
    if draft.warnings is not None:
        result.warnings = draft.warnings
    return result


def _body(result: Result) -> dict[str, object]:
    return msgspec.to_builtins(result)  # type: ignore[no-any-return]
