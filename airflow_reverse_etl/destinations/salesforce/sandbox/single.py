"""Endpoints: one record, named by its id or by an external id.

Rules: "sObject Basic Information", "sObject Rows" and "sObject Rows by External ID" in the vendor's REST API guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_reverse_etl.destinations.salesforce.sandbox import faults, reading
from airflow_reverse_etl.destinations.salesforce.sandbox.call import Call, Reply
from airflow_reverse_etl.destinations.salesforce.sandbox.checks import check_for
from airflow_reverse_etl.destinations.salesforce.sandbox.errors import (
    ApiError,
    RowError,
    WrongTypeError,
    malformed,
    not_found,
    wrong_verb,
)
from airflow_reverse_etl.destinations.salesforce.sandbox.store import duplicate_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_reverse_etl.destinations.salesforce.sandbox.fields import Field
    from airflow_reverse_etl.destinations.salesforce.sandbox.table import Parsed, Table

_FIRST_CREATED_FLAG = 46.0


def create(call: Call) -> Reply:
    """Answer `POST sobjects/{object}`: 201 with the new id."""
    return _guarded(call, _create)


def by_id(call: Call) -> Reply:
    """Answer GET, PATCH and DELETE of `sobjects/{object}/{id}`."""
    return _guarded(call, _by_id)


def by_key(call: Call) -> Reply:
    """Answer GET, PATCH (upsert) and DELETE of `sobjects/{object}/{field}/{value}`."""
    return _guarded(call, _by_key)


def _guarded(call: Call, answer: Callable[[Call], Reply]) -> Reply:
    """Turn what is wrong with the record into the answer of a whole call."""
    try:
        for error in faults.refused_rows(call.fault, 1).values():
            raise error
        return answer(call)
    except WrongTypeError as error:
        raise call.parser_error(error) from error
    except RowError as error:
        status = 404 if error.code == "ENTITY_IS_DELETED" else 400
        raise ApiError(status, error.code, error.message, fields=error.fields) from error


def _create(call: Call) -> Reply:
    table = call.table()
    row_id = _insert(call, table, _parsed(call, table, creating=True))
    return _created(call, table, row_id, {"id": row_id, "success": True, "errors": []})


def _created(call: Call, table: Table, row_id: str, body: dict[str, object]) -> Reply:
    return Reply(body, 201, {"Location": f"{call.base}/sobjects/{table.name}/{row_id}"}, rows=1)


def _insert(call: Call, table: Table, parsed: Parsed, key: Field | None = None) -> str:
    row_id = call.org.store.insert(table, parsed, allow_duplicates=call.allows_duplicates)
    if faults.raced_rows(call.fault, 1):
        raise duplicate_value(key or table.fields["id"], row_id)
    return row_id


def _parsed(call: Call, table: Table, *, creating: bool, key: Field | None = None) -> Parsed:
    record = call.json()
    record.pop("attributes", None)
    for name in record:
        if name.casefold() in {"id", key.name.casefold() if key else "id"}:
            raise malformed(f"The {name} field should not be specified in the sobject data.", "INVALID_FIELD")
    return table.parse(record, call.org.store.setters(table, creating=creating))


def _by_id(call: Call) -> Reply:
    table = call.table()
    given = call.at["id"]
    field = table.field(given)
    if field is not None and field.upsert_key:
        raise wrong_verb(call.method, ("HEAD", "GET", "POST"))
    try:
        row_id = call.org.store.locate(table, given)
    except RowError as error:
        if error.code == "ENTITY_IS_DELETED":
            raise
        text = f"Provided external ID field does not exist or is not accessible: {given}"
        raise (not_found(text) if error.code == "MALFORMED_ID" else not_found()) from error
    return _on_record(call, table, row_id)


def _on_record(call: Call, table: Table, row_id: str) -> Reply:
    if call.method == "GET":
        return reading.read(call, table, row_id)
    if call.method == "DELETE":
        call.org.store.delete(table, row_id)
    else:
        parsed = _parsed(call, table, creating=False)
        call.org.store.update(table, row_id, parsed, allow_duplicates=call.allows_duplicates)
    return Reply(None, 204, rows=1)


def _by_key(call: Call) -> Reply:
    table = call.table()
    named = table.field(call.at["field"])
    if named is not None and named.type == "id":
        return _by_id(call.at_id(call.at["value"]))
    field = call.key_field(table)
    key = check_for(field)(call.at["value"])
    if key is None:
        raise wrong_verb(call.method, ("HEAD", "GET", "POST"))
    found = table.find(field, key)
    if len(found) > 1:
        return Reply([f"{call.base}/sobjects/{table.name}/{row_id}" for row_id in found], 300)
    if call.method == "PATCH":
        return _upsert(call, table, field, key, found[0] if found else None)
    if not found:
        raise not_found()
    return _on_record(call, table, found[0])


def _upsert(call: Call, table: Table, field: Field, key: object, row_id: str | None) -> Reply:
    parsed = _parsed(call, table, creating=row_id is None, key=field)
    if row_id is not None:
        call.org.store.update(table, row_id, parsed, allow_duplicates=call.allows_duplicates)
        if call.version < _FIRST_CREATED_FLAG:
            return Reply(None, 204, rows=1)
        return Reply({"id": row_id, "success": True, "errors": [], "created": False}, rows=1)
    if call.query.get("updateOnly", "false").lower() == "true":
        raise not_found()
    parsed[0][field.name] = key
    new_id = _insert(call, table, parsed, field)
    body: dict[str, object] = {"id": new_id, "success": True, "errors": []}
    if call.version >= _FIRST_CREATED_FLAG:
        body["created"] = True
    return _created(call, table, new_id, body)
