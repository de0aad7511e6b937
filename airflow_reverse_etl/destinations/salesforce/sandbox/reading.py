"""Endpoints that read records by id: one record, and the "get records" half of sObject Collections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_reverse_etl.destinations.salesforce.sandbox.call import Call, Reply
from airflow_reverse_etl.destinations.salesforce.sandbox.columns import Project, project, reader
from airflow_reverse_etl.destinations.salesforce.sandbox.errors import ApiError, malformed, not_found
from airflow_reverse_etl.destinations.salesforce.sandbox.ids import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_reverse_etl.destinations.salesforce.sandbox.table import Table

_FIRST_COLLECTIONS = 42.0


def get_records(call: Call) -> Reply:
    """Answer `GET composite/sobjects/{object}?ids=...&fields=...`: null where there is no such record."""
    return _records(call, _split(call.query.get("ids", "")), _split(call.query.get("fields", "")))


def post_records(call: Call) -> Reply:
    """Answer `POST composite/sobjects/{object}` with ids and fields in the body, which takes more ids than a URL."""
    body = call.json()
    given = {name: body.get(name) for name in ("ids", "fields")}
    for name, values in given.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            message = f"{name} has to be an array of texts"
            raise malformed(message)
    return _records(call, given["ids"] or [], given["fields"] or [])


def _split(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _records(call: Call, given: Sequence[str], names: Sequence[str]) -> Reply:
    if call.version < _FIRST_COLLECTIONS:
        raise not_found(violation=True)
    table = call.table()
    most = call.org.settings.ids_per_read
    if not given or not names:
        raise malformed("ids and fields are required", "REQUIRED_FIELD_MISSING")
    if len(given) > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise malformed(message, "EXCEEDED_ID_LIMIT")
    made = _projection(call, table, names)
    found = [table.live.get(_id(table, each)) for each in given]
    return Reply([None if row is None else made(row) for row in found], rows=len(given))


def _id(table: Table, given: str) -> str:
    row_id = canonical(given)
    if row_id is None or row_id[:3] != table.spec.key_prefix:
        raise malformed(f"malformed id {given}", "MALFORMED_ID")
    return row_id


def read(call: Call, table: Table, row_id: str) -> Reply:
    """Answer with one live record: the fields that the query names, or all."""
    names = _split(call.query.get("fields", "")) or [field.name for field in table.shown()]
    return Reply(_projection(call, table, names)(table.live[row_id]), rows=1)


def _projection(call: Call, table: Table, names: Sequence[str]) -> Project:
    reads = {}
    for name in names:
        field = table.field(name)
        if field is None:
            message = f"No such column '{name}' on sobject of type {table.name}"
            raise ApiError(400, "INVALID_FIELD", message, violation=True)
        reads[field.name] = reader(table, field)
    return project(call.org.store, reads, call.base)
