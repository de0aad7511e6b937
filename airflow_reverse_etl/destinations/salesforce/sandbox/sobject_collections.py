"""Endpoints: sObject Collections. Up to 200 records a call, answered one by one and in order.

Rules: "sObject Collections" in the vendor's REST API guide (create, update, upsert, delete). Every value is checked
before the first record is written: one of a wrong JSON type fails the call with nothing written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.salesforce.sandbox import faults
from airflow_reverse_etl.destinations.salesforce.sandbox.call import Call, Reply, parser_message
from airflow_reverse_etl.destinations.salesforce.sandbox.checks import check_for
from airflow_reverse_etl.destinations.salesforce.sandbox.errors import (
    RowError,
    WrongTypeError,
    malformed,
    not_found,
)
from airflow_reverse_etl.destinations.salesforce.sandbox.ids import canonical
from airflow_reverse_etl.destinations.salesforce.sandbox.links import several_found
from airflow_reverse_etl.destinations.salesforce.sandbox.store import duplicate_value

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.sandbox.fields import Field
    from airflow_reverse_etl.destinations.salesforce.sandbox.table import Parsed, Table

Record = dict[str, Any]
Result = dict[str, object]
# Writes one row and gives its result, or raises RowError.
Write = Callable[[], Result]

_FIRST_VERSION, _FIRST_UPSERT = 42.0, 46.0
_ROLLED_BACK = RowError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


def create(call: Call) -> Reply:
    """Answer `POST composite/sobjects`."""
    records, all_or_none = _records(call, _FIRST_VERSION)
    return _answer(call, _Creates(call, records, _types(call, records)).read, len(records), all_or_none=all_or_none)


class _Creates:
    def __init__(self, call: Call, records: list[Record], tables: list[Table]) -> None:
        self._store, self._allow = call.org.store, call.allows_duplicates
        self._records, self._tables = records, tables
        self._raced = faults.raced_rows(call.fault, len(records))

    def read(self, row: int) -> Write:
        record, table = self._records[row], self._tables[row]
        if "id" in record or "Id" in record:
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        parsed = table.parse(record, self._store.setters(table, creating=True))
        return partial(self._write, row, table, parsed)

    def _write(self, row: int, table: Table, parsed: Parsed) -> Result:
        row_id = self._store.insert(table, parsed, allow_duplicates=self._allow)
        if row in self._raced:
            raise duplicate_value(next(iter(table.unique), table.fields["id"]), row_id)
        return {"id": row_id, "success": True, "errors": []}


def update(call: Call) -> Reply:
    """Answer `PATCH composite/sobjects`."""
    records, all_or_none = _records(call, _FIRST_VERSION)
    return _answer(call, _Updates(call, records, _types(call, records)).read, len(records), all_or_none=all_or_none)


class _Updates:
    def __init__(self, call: Call, records: list[Record], tables: list[Table]) -> None:
        self._store, self._allow = call.org.store, call.allows_duplicates
        self._records, self._tables = records, tables
        self._limit = call.org.settings.updates_of_one_record
        self._times: Counter[str] = Counter()

    def read(self, row: int) -> Write:
        record, table = self._records[row], self._tables[row]
        given = record.pop("id", None) or _take(record, "Id")
        parsed = table.parse(record, self._store.setters(table, creating=False))
        if given is None:
            raise RowError("MISSING_ARGUMENT", "Id not specified in an update call")
        return partial(self._write, table, given, parsed)

    def _write(self, table: Table, given: object, parsed: Parsed) -> Result:
        row_id = given if isinstance(given, str) and given in table.live else self._store.locate(table, given)
        self._times[row_id] += 1
        if self._times[row_id] > self._limit:
            message = (
                f"Maximum number of duplicate updates in one batch ({self._limit} allowed). "
                f"Attempt to update Id more than once in this Api call: {row_id[:15]}"
            )
            raise RowError("DUPLICATE_VALUE", message)
        self._store.update(table, row_id, parsed, allow_duplicates=self._allow)
        return {"id": row_id, "success": True, "errors": []}


def upsert(call: Call) -> Reply:
    """Answer `PATCH composite/sobjects/{object}/{field}`: rows with the same key in one call are all refused."""
    table = call.table()
    field = call.key_field(table)
    records, all_or_none = _records(call, _FIRST_UPSERT)
    if any(each is not table for each in _types(call, records)):
        raise malformed(f"The records of this call have to be of the type {table.name}", "INVALID_INPUT")
    if any("id" in record or "Id" in record for record in records):
        raise malformed("The Id field should not be specified in the sobject data.", "INVALID_FIELD")
    return _answer(call, _Upserts(call, records, table, field).read, len(records), all_or_none=all_or_none)


class _Upserts:
    def __init__(self, call: Call, records: list[Record], table: Table, field: Field) -> None:
        self._store, self._allow = call.org.store, call.allows_duplicates
        self._records, self._table, self._field = records, table, field
        self._check = check_for(field)
        self._index = table.indexes[field.name]
        self._setters = {creating: self._store.setters(table, creating=creating) for creating in (True, False)}
        self._times: Counter[object] = Counter()
        self._raced = faults.raced_rows(call.fault, len(records))

    def read(self, row: int) -> Write:
        record = self._records[row]
        key = self._check(_take(record, self._field.name))
        if key is None:
            raise RowError("MISSING_ARGUMENT", f"{self._field.name} not specified")
        form = self._field.key(key)
        self._times[form] += 1
        found = self._index.get(form, ())
        parsed = self._table.parse(record, self._setters[not found])
        return partial(self._write, row, key, found, parsed)

    def _write(self, row: int, key: object, found: tuple[str, ...], parsed: Parsed) -> Result:
        if self._times[self._field.key(key)] > 1:
            raise RowError("DUPLICATE_VALUE", f"Duplicate external id specified: {key}", [self._field.name])
        if len(found) > 1:
            raise several_found(self._field, found)
        if found:
            self._store.update(self._table, found[0], parsed, allow_duplicates=self._allow)
            return {"id": found[0], "success": True, "errors": [], "created": False}
        parsed[0][self._field.name] = key
        row_id = self._store.insert(self._table, parsed, allow_duplicates=self._allow)
        if row in self._raced:
            raise duplicate_value(self._field, row_id)
        return {"id": row_id, "success": True, "errors": [], "created": True}


def delete(call: Call) -> Reply:
    """Answer `DELETE composite/sobjects?ids=...&allOrNone=...`."""
    _require_version(call, _FIRST_VERSION)
    given = [each.strip() for each in call.query.get("ids", "").split(",") if each.strip()]
    _require_count(call, given)
    store = call.org.store

    def read(row: int) -> Write:
        row_id = canonical(given[row])
        table = None if row_id is None else store.table_of(row_id)
        if row_id is None or table is None:
            raise RowError("MALFORMED_ID", f"malformed id {given[row]}")
        return partial(write, table, row_id)

    def write(table: Table, row_id: str) -> Result:
        store.delete(table, store.existing(row_id))
        return {"id": row_id, "success": True, "errors": []}

    all_or_none = call.query.get("allOrNone", "false").lower() == "true"
    return _answer(call, read, len(given), all_or_none=all_or_none, failed_ids=given)


def _records(call: Call, first_version: float) -> tuple[list[Record], bool]:
    _require_version(call, first_version)
    body = call.json()
    unknown = sorted(set(body) - {"records", "allOrNone"})
    if unknown:
        raise malformed(f'Unrecognized field "{unknown[0]}" at [line:1, column:{call.body.find(unknown[0].encode())}]')
    all_or_none = body.get("allOrNone", False)
    if not isinstance(all_or_none, bool):
        raise call.parser_error(WrongTypeError("boolean", all_or_none))
    records = body.get("records", [])
    if not _all_objects(records):
        raise malformed("records has to be an array of sObjects")
    _require_count(call, records)
    return records, all_or_none


def _all_objects(records: object) -> bool:
    return isinstance(records, list) and all(isinstance(record, dict) for record in records)


def _require_count(call: Call, given: Sequence[object]) -> None:
    most = call.org.settings.records_per_call
    if len(given) > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise malformed(message, "EXCEEDED_ID_LIMIT")
    if not given:
        raise malformed("At least 1 record is required", "REQUIRED_FIELD_MISSING")


def _require_version(call: Call, first: float) -> None:
    if call.version < first:
        raise not_found(violation=True)


def _types(call: Call, records: Iterable[Record]) -> list[Table]:
    """Take the type off each record; a run of one type is a chunk, of which a call may have ten."""
    tables: list[Table] = []
    known: dict[str, Table] = {}
    for record in records:
        attributes = record.pop("attributes", None)
        name = attributes.get("type") if isinstance(attributes, dict) else None
        if not isinstance(name, str):
            raise malformed("Each record needs attributes with the type of the sObject", "INVALID_INPUT")
        if name not in known:
            known[name] = _type(call, name)
        tables.append(known[name])
    chunks = 1 + sum(before is not after for before, after in pairwise(tables))
    most = call.org.settings.chunks_per_call
    if chunks > most:
        message = (
            f"Cannot have more than {most} chunks in a single operation. Please rearrange the data to reduce chunking."
        )
        raise malformed(message, "LIMIT_EXCEEDED")
    return tables


def _type(call: Call, name: str) -> Table:
    table = call.org.store.table(name)
    if table is None:
        raise malformed(f"sObject type '{name}' is not supported.", "INVALID_TYPE")
    return table


def _take(record: Record, name: str) -> Any:
    if name in record:
        return record.pop(name)
    spelled = next((each for each in record if each.casefold() == name.casefold()), None)
    return None if spelled is None else record.pop(spelled)


def _answer(
    call: Call, read: Callable[[int], Write], count: int, *, all_or_none: bool, failed_ids: Sequence[str] = ()
) -> Reply:
    rows = _read(call, read, count)
    refused = faults.refused_rows(call.fault, count)
    results: list[Result] = []
    with call.org.store.journal() as take_back:
        for row, write in enumerate(rows):
            try:
                if row in refused:
                    raise refused[row]
                if isinstance(write, RowError):
                    raise write
                results.append(write())
            except RowError as error:
                named = {"id": failed_ids[row]} if failed_ids else {}
                results.append({**named, "success": False, "errors": [error.body()]})
        if all_or_none and not all(result["success"] for result in results):
            take_back()
            results = [_rolled_back(call, result) if result["success"] else result for result in results]
    return Reply(faults.after_rows(call.fault, results), rows=count)


def _read(call: Call, read: Callable[[int], Write], count: int) -> list[Write | RowError]:
    rows: list[Write | RowError] = []
    for row in range(count):
        try:
            rows.append(read(row))
        except RowError as error:
            rows.append(error)
        except WrongTypeError as error:
            if not call.org.settings.per_record_type_errors:
                raise call.parser_error(error) from error
            rows.append(RowError("JSON_PARSER_ERROR", parser_message(error, call.plain_body())))
    return rows


def _rolled_back(call: Call, result: Result) -> Result:
    # A record that there was before keeps its id; one that was only just created has none any more.
    created = call.method == "POST" or result.get("created", False)
    named = {} if created else {"id": result["id"]}
    return {**named, "success": False, "errors": [_ROLLED_BACK.body()]}
