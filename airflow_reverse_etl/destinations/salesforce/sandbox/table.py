"""The records of one object, what may be written to them, and the indexes that keep unique values unique."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.salesforce.sandbox import ids
from airflow_reverse_etl.destinations.salesforce.sandbox.catalog import ObjectSpec, system_fields
from airflow_reverse_etl.destinations.salesforce.sandbox.errors import RowError

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.sandbox.fields import Field

Row = dict[str, Any]
# Finds the id of a related record when the turn of its row comes.
Link = Callable[[], str]
# What a row writes: values by field, and the links that are to be followed first, if it has any.
Parsed = tuple[Row, list[tuple[str, Link]] | None]
# Field to write, check of the JSON value, and whether the check gives a link.
Setter = tuple[str, Callable[[Any], Any], bool]
Setters = dict[str, Setter]
# Looks at a whole record and gives the sentence with which a validation rule refuses it, or None.
Rule = Callable[[Mapping[str, Any]], str | None]

# Of several errors of one record the vendor reports the one that its checks meet first.
_RANK: Mapping[str, int] = {
    "INVALID_FIELD": 0,
    "INVALID_FIELD_FOR_INSERT_UPDATE": 1,
    "INVALID_TYPE_ON_FIELD_IN_RECORD": 2,
    "NUMBER_OUTSIDE_VALID_RANGE": 2,
    "STRING_TOO_LONG": 3,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": 4,
    "INVALID_EMAIL_ADDRESS": 5,
    "MALFORMED_ID": 6,
}
_READ_ONLY = (
    "Unable to create/update fields: {0}. Please check the security settings of this field and verify that it is "
    "read/write for your profile or permission set."
)


class Table:
    """One object: `live` and `deleted` map the 18-character ids to rows, which are never changed in place."""

    def __init__(self, spec: ObjectSpec) -> None:
        self.spec = spec
        self.live: dict[str, Row] = {}
        self.deleted: dict[str, Row] = {}
        self.rules: list[Rule] = []
        self.fields: dict[str, Field] = {}
        self.indexes: dict[str, dict[object, tuple[str, ...]]] = {}
        self.ids = ids.sequence(spec.key_prefix)
        self._numbers = itertools.count(1)
        self._add((*system_fields(), *spec.fields))

    @property
    def name(self) -> str:
        """The object's API name."""
        return self.spec.name

    def extend(self, fields: Iterable[Field]) -> None:
        """Add fields, or replace those of the same name."""
        added = tuple(fields)
        names = {field.name.casefold() for field in added}
        kept = tuple(field for field in self.spec.fields if field.name.casefold() not in names)
        self.spec = replace(self.spec, fields=(*kept, *added))
        for field in added:
            self.indexes.pop(field.name, None)
        self._add(added)

    def _add(self, fields: Iterable[Field]) -> None:
        self.fields |= {field.name.casefold(): field for field in fields}
        shown = self.fields.values()
        self._by_name = {field.name: field for field in shown}
        self.unique = [field for field in shown if field.unique]
        self.required = [field.name for field in shown if field.required_on_create]
        self.never_null = {field.name for field in shown if field.updateable and not field.nillable}
        self.counted = [field.name for field in shown if field.auto_number]
        self.defaults = {
            field.name: field.default for field in shown if field.default is not None and not field.formula
        }
        for field in shown:
            if field.indexed and field.name not in self.indexes:
                self.index(field)

    def field(self, name: str) -> Field | None:
        """Find a field that the API user may see, by its name in any case."""
        found = self.fields.get(name.casefold())
        return found if found is not None and found.accessible else None

    def shown(self) -> list[Field]:
        """List the fields that the API user may see."""
        return [field for field in self.fields.values() if field.accessible]

    def index(self, field: Field) -> None:
        """Keep an index of a field from now on."""
        index: dict[object, tuple[str, ...]] = {}
        self.indexes[field.name] = index
        for row_id, row in self.live.items():
            if row.get(field.name) is not None:
                _enter(index, field.key(row[field.name]), row_id)

    def find(self, field: Field, value: object) -> tuple[str, ...]:
        """Give the ids of the live records with this stored value in an indexed field."""
        return self.indexes[field.name].get(field.key(value), ())

    def next_number(self) -> str:
        """Give the auto-number of a record that is about to be created."""
        return f"{next(self._numbers):08d}"

    def place(self, row_id: str, row: Row | None, written: Mapping[str, Any] | None = None) -> Row | None:
        """Put a record (None: take it away) and give the one that was there.

        :param written: the only fields that can have changed; None is all.
        """
        old = self.live.get(row_id)
        for name, index in self.indexes.items():
            if written is not None and name not in written:
                continue
            before = old.get(name) if old else None
            after = row.get(name) if row else None
            if before != after:
                if before is not None:
                    _leave(index, self._by_name[name].key(before), row_id)
                if after is not None:
                    _enter(index, self._by_name[name].key(after), row_id)
        if row is not None:
            self.live[row_id] = row
        elif old is not None:
            del self.live[row_id]
        return old

    def read(self, field: Field, row: Mapping[str, Any]) -> object:
        """Give a field of a record as the API returns it."""
        if field.formula is not None:
            return field.formula(row)
        return row.get(field.name, field.default if field.type == "boolean" else None)

    def parse(self, record: Mapping[str, Any], setters: Setters) -> Parsed:
        """Check a record's values and turn them into what is stored.

        :raises RowError: the first error in the vendor's order of checks.
        :raises WrongTypeError: a value has the wrong JSON type, whatever else is wrong.
        """
        values: Row = {}
        links: list[tuple[str, Link]] | None = None
        try:
            for name, given in record.items():
                field, check, linked = setters.get(name) or self._setter(name, setters)
                values[field] = found = check(given)
                if linked and found is not None:
                    links = [*(links or ()), (field, found)]
        except RowError:
            raise self._first_error(record, setters) from None
        return values, links

    def _setter(self, name: str, setters: Setters) -> Setter:
        found = setters.get(name.casefold())
        if found is None:
            raise RowError("INVALID_FIELD", f"No such column '{name}' on sobject of type {self.name}")
        return found

    def _first_error(self, record: Mapping[str, Any], setters: Setters) -> RowError:
        errors = []
        for name, given in record.items():
            try:
                self._setter(name, setters)[1](given)
            except RowError as error:
                errors.append(error)
        return min(errors, key=lambda error: _RANK.get(error.code, len(_RANK)))


def read_only(field: Field) -> Setter:
    """Make the setter of a field that may not be written."""

    def check(_: Any) -> None:
        raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", _READ_ONLY.format(field.name), [field.name])

    return field.name, check, False


def _enter(index: dict[object, tuple[str, ...]], key: object, row_id: str) -> None:
    index[key] = (*index.get(key, ()), row_id)


def _leave(index: dict[object, tuple[str, ...]], key: object, row_id: str) -> None:
    left = tuple(each for each in index[key] if each != row_id)
    if left:
        index[key] = left
    else:
        del index[key]
