"""The data of the org: creates, updates, deletes and finds records under the rules that Salesforce applies to each.

Order of the checks of one record: references, required fields, unique values, validation rules, duplicate rules.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.salesforce.sandbox import ids
from airflow_reverse_etl.destinations.salesforce.sandbox.catalog import ObjectSpec, standard_objects
from airflow_reverse_etl.destinations.salesforce.sandbox.checks import check_for
from airflow_reverse_etl.destinations.salesforce.sandbox.errors import RowError
from airflow_reverse_etl.destinations.salesforce.sandbox.fields import Field, make
from airflow_reverse_etl.destinations.salesforce.sandbox.links import Links
from airflow_reverse_etl.destinations.salesforce.sandbox.table import Parsed, Row, Setter, Setters, Table, read_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from airflow_reverse_etl.destinations.salesforce.sandbox.settings import Settings

_SHORT = 15
_PREFIX = 3


class Store:
    """All objects of the org. Names of objects and fields are found in any case."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.tables: dict[str, Table] = {}
        self._prefixes: dict[str, Table] = {}
        self._setters: dict[tuple[str, bool], Setters] = {}
        self._journal: list[tuple[Table, str, Row | None]] | None = None
        self._links = Links(self.tables, self.existing)
        self._second = 0
        self._stamp: Mapping[str, Any] = {}
        self.user_id = ids.first("005")
        self._blanks: dict[str, Row] = {}
        self.org_id = ids.first("00D")
        for spec in standard_objects():
            self._add(Table(spec))
        self._found_org()

    def _found_org(self) -> None:
        self.put(self.tables["organization"], {"Name": "Sandbox", "IsSandbox": True, "InstanceName": "CS1"})
        user = {"Username": self._settings.username, "FirstName": "Integration", "LastName": "User", "Alias": "integ"}
        self.put(self.tables["user"], {**user, "Email": self._settings.username})

    def _add(self, table: Table) -> None:
        self.tables[table.name.casefold()] = table
        self._prefixes[table.spec.key_prefix] = table

    def table(self, name: str) -> Table | None:
        """Find an object by its API name, in any case."""
        return self.tables.get(name.casefold())

    def table_of(self, row_id: str) -> Table | None:
        """Find the object that an id belongs to, by its first three characters."""
        return self._prefixes.get(row_id[:_PREFIX])

    def define(self, name: str, fields: Iterable[Field], key_prefix: str | None) -> Table:
        """Make a custom object, or add fields to one that there is.

        :raises ValueError: the key prefix is taken.
        """
        table = self.table(name)
        if table is None:
            prefix = key_prefix or f"a{sum(taken.startswith('a') for taken in self._prefixes):02d}"
            if prefix in self._prefixes:
                message = f"the key prefix {prefix} belongs to {self._prefixes[prefix].name} already"
                raise ValueError(message)
            self._add(table := Table(_custom(name, prefix)))
        table.extend(fields)
        self._setters.clear()
        self._blanks.clear()
        return table

    def setters(self, table: Table, *, creating: bool) -> Setters:
        """Give what may be written to an object; `Table.parse` reads it."""
        key = (table.name, creating)
        if key not in self._setters:
            self._setters[key] = self._compiled(table, creating=creating)
        return self._setters[key]

    def _compiled(self, table: Table, *, creating: bool) -> Setters:
        setters: Setters = {}

        def put(name: str | None, field: Field, check: Callable[[Any], Any]) -> None:
            if name:
                writable = field.createable if creating else field.updateable
                setter: Setter = (field.name, check, field.type == "reference") if writable else read_only(field)
                setters[name] = setters[name.casefold()] = setter

        for field in table.shown():
            if field.type == "reference":
                put(field.name, field, self._links.by_id(field))
                put(field.relationship, field, self._links.by_key(field))
            else:
                put(field.name, field, check_for(field))
        return setters

    def locate(self, table: Table, given: object) -> str:
        """Find the live record with this 15- or 18-character id.

        :raises RowError: MALFORMED_ID, ENTITY_IS_DELETED or INVALID_CROSS_REFERENCE_KEY.
        """
        row_id = ids.canonical(given)
        if row_id is None or row_id[:_PREFIX] != table.spec.key_prefix:
            raise RowError("MALFORMED_ID", f"{table.spec.label} ID: id value of incorrect type: {given}", ["Id"])
        return self.existing(row_id)

    def existing(self, row_id: str) -> str:
        """Give the id back if a live record has it.

        :raises RowError: ENTITY_IS_DELETED or INVALID_CROSS_REFERENCE_KEY.
        """
        table = self.table_of(row_id)
        if table is not None and row_id in table.live:
            return row_id
        if table is not None and row_id in table.deleted:
            raise RowError("ENTITY_IS_DELETED", "entity is deleted")
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")

    def insert(self, table: Table, parsed: Parsed, *, allow_duplicates: bool = False) -> str:
        """Create a record and give its id.

        :raises RowError: the record is refused.
        """
        values = _followed(parsed)
        if None in values.values():
            # A null for what Salesforce fills in by itself counts as absent.
            values = {
                name: value for name, value in values.items() if value is not None or name not in table.never_null
            }
        missing = [name for name in table.required if values.get(name) is None]
        if missing:
            raise _missing(missing)
        if not table.spec.writable:
            raise RowError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {table.name} cannot be inserted")
        row = self._new(table, values)
        self._guard(table, row, values, allow_duplicates=allow_duplicates)
        self._place(table, row["Id"], row, values)
        return str(row["Id"])

    def put(self, table: Table, values: Row) -> None:
        """Create a record without asking any rule."""
        row = self._new(table, values)
        self._place(table, row["Id"], row)

    def _new(self, table: Table, values: Row) -> Row:
        row = self._blank(table) | values
        for name in table.counted:
            row[name] = table.next_number()
        row["Id"] = next(table.ids)
        return row

    def _blank(self, table: Table) -> Row:
        """Give a record of this second in which nothing is written yet."""
        stamps = self._stamps()
        blank = self._blanks.get(table.name)
        if blank is None:
            owner = {"OwnerId": self.user_id} if "ownerid" in table.fields else {}
            created = {"CreatedDate": stamps["LastModifiedDate"], "CreatedById": self.user_id}
            blank = self._blanks[table.name] = {"Id": "", **table.defaults, **owner, **created, **stamps}
        return blank

    def update(self, table: Table, row_id: str, parsed: Parsed, *, allow_duplicates: bool = False) -> None:
        """Change a live record.

        :raises RowError: the change is refused.
        """
        values = _followed(parsed)
        if None in values.values():
            nulls = [name for name, value in values.items() if value is None and name in table.never_null]
            if nulls:
                raise _missing(nulls)
        row = {**table.live[row_id], **values, **self._stamps()}
        self._guard(table, row, values, allow_duplicates=allow_duplicates)
        self._place(table, row_id, row, values)

    def delete(self, table: Table, row_id: str) -> None:
        """Move a live record to the recycle bin."""
        row = table.live[row_id]
        self._place(table, row_id, None)
        table.deleted[row_id] = {**row, "IsDeleted": True, **self._stamps()}

    def _guard(self, table: Table, row: Row, values: Mapping[str, Any], *, allow_duplicates: bool) -> None:
        for field in table.unique:
            value = values.get(field.name)
            for other in () if value is None else table.find(field, value):
                if other != row["Id"]:
                    raise duplicate_value(field, other)
        for rule in table.rules:
            sentence = rule(row)
            if sentence is not None:
                raise RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", sentence)
        if self._settings.duplicate_rules and not allow_duplicates:
            self._ask_duplicate_rule(table, row["Id"], values)

    def _ask_duplicate_rule(self, table: Table, row_id: str, values: Mapping[str, Any]) -> None:
        rules = {name.casefold(): field for name, field in self._settings.duplicate_rules.items()}
        field = table.field(rules.get(table.name.casefold(), ""))
        if field is None or values.get(field.name) is None:
            return
        if field.name not in table.indexes:
            table.index(field)
        if any(each != row_id for each in table.find(field, values[field.name])):
            raise RowError("DUPLICATES_DETECTED", "Use one of these records?")

    @contextmanager
    def journal(self) -> Iterator[Callable[[], None]]:
        """Remember what is written inside; the function that it gives takes all of it back."""
        written: list[tuple[Table, str, Row | None]] = []
        self._journal = written

        def take_back() -> None:
            self._journal = None
            for table, row_id, old in reversed(written):
                table.deleted.pop(row_id, None)
                table.place(row_id, old)

        try:
            yield take_back
        finally:
            self._journal = None

    def _place(self, table: Table, row_id: str, row: Row | None, written: Mapping[str, Any] | None = None) -> None:
        old = table.place(row_id, row, written)
        if self._journal is not None:
            self._journal.append((table, row_id, old))

    def _stamps(self) -> Mapping[str, Any]:
        """Give what every write leaves on a record; the time is UTC in whole seconds."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._blanks.clear()
            now = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime(second))
            self._stamp = {"LastModifiedDate": now, "LastModifiedById": self.user_id, "SystemModstamp": now}
        return self._stamp


def duplicate_value(field: Field, other_id: str) -> RowError:
    """Make the error for a unique value that another record has."""
    message = f"duplicate value found: {field.name} duplicates value on record with id: {other_id[:_SHORT]}"
    return RowError("DUPLICATE_VALUE", message)


def _custom(name: str, key_prefix: str) -> ObjectSpec:
    named = make("Name", "string", length=80, name_field=True, defaulted_on_create=True)
    owner = make(
        "OwnerId",
        "reference",
        reference_to=("Group", "User"),
        relationship="Owner",
        nillable=False,
        defaulted_on_create=True,
    )
    return ObjectSpec(name, key_prefix, (named, owner), f"{name.removesuffix('__c')}s")


def _followed(parsed: Parsed) -> Row:
    values, links = parsed
    for name, link in links or ():
        values[name] = link()
    return values


def _missing(names: Sequence[str]) -> RowError:
    return RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(names)}]", names)
