"""References to other records: given as an id, or as an object that holds the related record's external id.

What is sent is checked at once; the related record is looked for when the row's turn comes, so that it may have been
written by the same call. Rules: "Using Relationship Fields" and "Upsert Records" in the vendor's REST API guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.salesforce.sandbox import ids
from airflow_reverse_etl.destinations.salesforce.sandbox.checks import check_for
from airflow_reverse_etl.destinations.salesforce.sandbox.errors import RowError, WrongTypeError
from airflow_reverse_etl.destinations.salesforce.sandbox.table import Link, Table

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.sandbox.fields import Field

Resolver = Callable[[Any], Link | None]


class Links:
    """Makes the checks of reference fields.

    :param tables: the org's objects by their names in lower case; read when a value arrives, not before.
    :param existing: gives an id back if a live record has it, else raises RowError.
    """

    def __init__(self, tables: Mapping[str, Table], existing: Callable[[str], str]) -> None:
        self._tables = tables
        self._existing = existing

    def by_id(self, field: Field) -> Resolver:
        """Make the check of a value like `"AccountId": "001..."`."""
        prefixes = frozenset(self._tables[name.casefold()].spec.key_prefix for name in field.reference_to)

        def check(value: Any) -> Link | None:
            if value is None:
                return None
            if not isinstance(value, str):
                raise WrongTypeError("reference", value)
            row_id = ids.canonical(value)
            if row_id is None or row_id[:3] not in prefixes:
                raise RowError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", [field.name])
            return partial(self._existing, row_id)

        return check

    def by_key(self, field: Field) -> Resolver:
        """Make the check of a value like `"Account": {"External_Id__c": "a-1"}`."""
        ways: dict[tuple[str | None, str], Resolver] = {}

        def check(value: Any) -> Link | None:
            if value is None:
                return None
            if not isinstance(value, dict):
                raise WrongTypeError("reference", value)
            attributes = value.get("attributes")
            named = attributes.get("type") if isinstance(attributes, dict) else None
            names = [name for name in value if name != "attributes"]
            if len(names) != 1:
                message = f"{len(names)} fields provided in an external foreign key reference: {field.relationship}"
                raise RowError("INVALID_FIELD", message, [field.name])
            way = ways.get((named, names[0]))
            if way is None:
                way = ways[named, names[0]] = self._way(field, self._target(field, named), names[0])
            return way(value[names[0]])

        return check

    def _target(self, field: Field, named: object) -> Table:
        if named is None and len(field.reference_to) > 1:
            message = f"A polymorphic foreign key reference needs the type of the related object: {field.relationship}"
            raise RowError("INVALID_FIELD", message, [field.name])
        for name in field.reference_to:
            if named is None or str(named).casefold() == name.casefold():
                return self._tables[name.casefold()]
        message = f"{named} is not a type that {field.relationship} can refer to"
        raise RowError("INVALID_FIELD", message, [field.name])

    def _way(self, field: Field, table: Table, name: str) -> Resolver:
        target = table.field(name)
        if target is not None and target.type == "id":
            return self.by_id(field)
        if target is None or not target.upsert_key:
            message = (
                f"Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field "
                f"for {table.name}"
            )
            raise RowError("INVALID_FIELD", message)
        stored = check_for(target)
        return lambda key: partial(_by_key, table, target, stored(key), key)


def _by_key(table: Table, field: Field, value: object, given: object) -> str:
    found = table.find(field, value) if value is not None else ()
    if len(found) == 1:
        return found[0]
    if found:
        raise several_found(field, found)
    message = f"Foreign key external ID: {given} not found for field {field.name} in entity {table.name}"
    raise RowError("INVALID_FIELD", message)


def several_found(field: Field, found: tuple[str, ...]) -> RowError:
    """Make the error for an external id that more than one record has."""
    message = f"{field.label}: more than one record found for external id field: [{', '.join(found)}]"
    return RowError("DUPLICATE_EXTERNAL_ID", message, [field.name])
