"""What a user's name of a field leads to: a field of the object, or of a related record by its external id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from airflow_reverse_etl.destinations.salesforce.shape import FieldShape, ObjectShape, near


class NoSuchPathError(Exception):
    """The name leads nowhere; the message is a sentence for the user."""


@dataclass(frozen=True)
class FieldPath:
    """Where a value goes.

    :param name: as Salesforce spells it: `Name`, `Account.Ext__c`, `Lead:Who.Email`.
    :param field: the field that holds the value, of the related object where there is one.
    :param lookup: the field that points to the related record, None for a field of the object itself.
    :param parent: the related object.
    :param polymorphic: whether Salesforce must be told which object is meant.
    """

    name: str
    field: FieldShape
    lookup: FieldShape | None = None
    parent: str = ""
    polymorphic: bool = False

    @property
    def written_field(self) -> FieldShape:
        """The field of the object itself that changes."""
        return self.lookup or self.field


def find_path(written: str, shape: ObjectShape, describe: Callable[[str], ObjectShape]) -> FieldPath:
    """Find what a name leads to, without regard to case.

    :param describe: describes a related object.
    :raises NoSuchPathError: nothing, or more than one thing.
    """
    if "." in written:
        return _related(written.strip(), shape, describe)
    field = shape.field(written)
    if field:
        return FieldPath(field.name, field)
    lookup = shape.lookup(written)
    if lookup:
        raise NoSuchPathError(
            f"{written!r} is a relationship: write {lookup.name!r} for the Id of the related record, "
            f"or '{lookup.relationship}.<external id field of {' or '.join(lookup.refers_to)}>'"
        )
    raise NoSuchPathError(
        f"{shape.name} has no field {written!r} that this user may see"
        + near(written, (f.name for f in shape.fields.values()))
    )


def _related(written: str, shape: ObjectShape, describe: Callable[[str], ObjectShape]) -> FieldPath:
    relation, _, field_name = written.partition(".")
    kind, _, relationship = relation.rpartition(":")
    lookup = shape.lookup(relationship)
    if lookup is None:
        raise NoSuchPathError(_no_relationship(relationship, written, shape))
    parent = describe(_parent(kind, lookup, written))
    field = parent.field(field_name)
    if field is not None and field.is_record_id:
        raise NoSuchPathError(f"{written!r}: write {lookup.name!r} for the Id of the related record")
    if field is None or not field.external_id:
        fault = f"{parent.name} has no field {field_name!r}" if field is None else f"{field.name} is no external id"
        choice = ", ".join(repr(name) for name in parent.external_ids()) or "none yet: mark a field as External ID"
        raise NoSuchPathError(f"{written!r}: {fault}; fields that name a record of {parent.name}: {choice}")
    polymorphic = len(lookup.refers_to) > 1
    name = f"{parent.name}:" * polymorphic + f"{lookup.relationship}.{field.name}"
    return FieldPath(name, field, lookup, parent.name, polymorphic)


def _parent(kind: str, lookup: FieldShape, written: str) -> str:
    """Return the related object that is meant."""
    known = {name.lower(): name for name in lookup.refers_to}
    if kind.lower() in known:
        return known[kind.lower()]
    if not kind and len(known) == 1:
        return lookup.refers_to[0]
    rest = written.rpartition(":")[2]
    choice = " or ".join(repr(f"{name}:{rest}") for name in lookup.refers_to) if len(known) > 1 else repr(rest)
    raise NoSuchPathError(
        f"{written!r}: {lookup.name} points to {' or '.join(lookup.refers_to) or 'no object'}; write {choice}"
    )


def _no_relationship(relationship: str, written: str, shape: ObjectShape) -> str:
    lookup = shape.field(relationship)
    if lookup is not None and lookup.relationship:
        return f"{written!r}: the relationship of {lookup.name} is called {lookup.relationship!r} here"
    names = [f.relationship for f in shape.fields.values() if f.relationship]
    return f"{shape.name} has no relationship {relationship!r} (in {written!r})" + near(relationship, names)
