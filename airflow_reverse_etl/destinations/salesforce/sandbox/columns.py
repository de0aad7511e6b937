"""Finds the fields that a query names, on the object itself or along relationships, and reads them from records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.salesforce.sandbox import soql
from airflow_reverse_etl.destinations.salesforce.sandbox.table import Row, Table

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.sandbox.fields import Field
    from airflow_reverse_etl.destinations.salesforce.sandbox.store import Store

Read = Callable[[Row], Any]
Project = Callable[[Row], dict[str, object]]

_ADVICE = "Please reference your WSDL or the describe call for the appropriate names."


@dataclass(frozen=True)
class Column:
    """A field of a query; `direct` is false where a relationship leads to it."""

    read: Read
    field: Field
    direct: bool


class Columns:
    """The fields that one statement may name.

    :param base: path of the API version, for the `url` in the attributes of each record.
    """

    def __init__(self, store: Store, statement: soql.Statement, base: str) -> None:
        self._store = store
        self._text = statement.text
        self._base = base
        self.table = self._source(statement.object)

    def _source(self, path: soql.Path) -> Table:
        name = ".".join(path.names)
        table = self._store.table(name)
        if table is None:
            message = (
                f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to "
                f"append the '__c' after the entity name. {_ADVICE}"
            )
            soql.refuse(self._text, path.place, message, "INVALID_TYPE")
        return table

    def find(self, path: soql.Path) -> Column:
        """Find the field of a path.

        :raises ApiError: 400 INVALID_FIELD, there is no such field or relationship.
        """
        names = self._without_object(path)
        return self._walk([self.table], names, path)

    def _without_object(self, path: soql.Path) -> Sequence[str]:
        named = len(path.names) > 1 and path.names[0].casefold() == self.table.name.casefold()
        own = named and self._link([self.table], path.names[0]) is None
        return path.names[1:] if own else path.names

    def _walk(self, tables: Sequence[Table], names: Sequence[str], path: soql.Path) -> Column:
        if len(names) == 1:
            return self._last(tables, names[0], path)
        link = self._known_link(tables, names[0], path)
        targets = [self._store.tables[name.casefold()] for name in link.reference_to]
        below = self._walk(targets, names[1:], path)

        def read(row: Row) -> Any:
            parent = self._parent(row.get(link.name))
            return None if parent is None else below.read(parent)

        return Column(read, below.field, direct=False)

    def _last(self, tables: Sequence[Table], name: str, path: soql.Path) -> Column:
        fields = {table.spec.key_prefix: (table, field) for table in tables if (field := table.field(name)) is not None}
        if not fields:
            message = (
                f"No such column '{name}' on entity '{tables[0].name}'. If you are attempting to use a custom field, "
                f"be sure to append the '__c' after the custom field name. {_ADVICE}"
            )
            soql.refuse(self._text, path.place, message, "INVALID_FIELD")
        table, field = next(iter(fields.values()))
        if len(tables) == 1:
            return Column(reader(table, field), field, direct=table is self.table)

        def read(row: Row) -> Any:
            found = fields.get(row["Id"][:3])
            return None if found is None else found[0].read(found[1], row)

        return Column(read, field, direct=False)

    def _known_link(self, tables: Sequence[Table], name: str, path: soql.Path) -> Field:
        link = self._link(tables, name)
        if link is None:
            message = f"Didn't understand relationship '{name}' in field path. {_ADVICE}"
            soql.refuse(self._text, path.place, message, "INVALID_FIELD")
        return link

    def _link(self, tables: Iterable[Table], name: str) -> Field | None:
        wanted = name.casefold()
        shown = (field for table in tables for field in table.shown())
        return next((field for field in shown if (field.relationship or "").casefold() == wanted), None)

    def _parent(self, row_id: str | None) -> Row | None:
        table = None if row_id is None else self._store.table_of(row_id)
        if table is None or row_id is None:
            return None
        return table.live.get(row_id) or table.deleted.get(row_id)

    def projection(self, paths: Sequence[soql.Path]) -> Project:
        """Make the function that returns the selected fields of a record, related ones in objects of their own.

        :raises ApiError: 400, an unknown field, or one that is selected twice.
        """
        seen: set[str] = set()
        for path in paths:
            name = ".".join(self._without_object(path)).casefold()
            if name in seen:
                soql.refuse(self._text, path.place, f"duplicate field selected: {'.'.join(path.names)}")
            seen.add(name)
        return self._nested([self.table], [(self._without_object(path), path) for path in paths])

    def _nested(self, tables: Sequence[Table], wanted: Sequence[tuple[Sequence[str], soql.Path]]) -> Project:
        reads: dict[str, Read] = {}
        for names, path in wanted:
            if len(names) == 1:
                column = self._last(tables, names[0], path)
                reads[column.field.name] = column.read
                continue
            link = self._known_link(tables, names[0], path)
            if link.relationship not in reads:
                start = names[0].casefold()
                same = [(other[1:], each) for other, each in wanted if len(other) > 1 and other[0].casefold() == start]
                reads[str(link.relationship)] = self._related(link, same)
        return project(self._store, reads, self._base)

    def _related(self, link: Field, wanted: Sequence[tuple[Sequence[str], soql.Path]]) -> Read:
        targets = [self._store.tables[name.casefold()] for name in link.reference_to]
        inner = self._nested(targets, wanted)

        def read(row: Row) -> Any:
            parent = self._parent(row.get(link.name))
            return None if parent is None else inner(parent)

        return read


def reader(table: Table, field: Field) -> Read:
    """Make the function that reads a field as the API returns it."""
    if field.formula is None and field.type != "boolean":
        name = field.name
        return lambda row: row.get(name)
    return lambda row: table.read(field, row)


def project(store: Store, reads: Mapping[str, Read], base: str) -> Project:
    """Make the function that returns a record with its attributes in front."""
    parts = list(reads.items())

    def made(row: Row) -> dict[str, object]:
        row_id = row["Id"]
        table = store.table_of(row_id)
        name = table.name if table else ""
        record: dict[str, object] = {"attributes": {"type": name, "url": f"{base}/sobjects/{name}/{row_id}"}}
        for part, read in parts:
            record[part] = read(row)
        return record

    return made
