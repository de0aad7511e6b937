"""What HubSpot knows of a property, and how it tells: the body of the properties endpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from airflow_reverse_etl.destinations.hubspot.sandbox.answers import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_reverse_etl.destinations.hubspot.sandbox.shapes import ChangedProperty, NewProperty, OptionBody

# Which field types a new property may have, by its type.
FIELD_TYPES: Mapping[str, tuple[str, ...]] = {
    "string": ("text", "textarea", "html", "phonenumber", "file"),
    "phone_number": ("phonenumber",),
    "number": ("number", "text"),
    "date": ("date",),
    "datetime": ("date",),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox"),
    "bool": ("booleancheckbox",),
}
Value = TypeVar("Value")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of an enumeration."""

    value: str
    label: str
    hidden: bool = False


_YES_NO = (Option("true", "Yes"), Option("false", "No"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """The definition of one property of an object."""

    name: str
    label: str
    type: str
    field_type: str
    group: str
    description: str = ""
    options: tuple[Option, ...] = ()
    unique: bool = False
    calculated: bool = False
    read_only: bool = False
    referenced_object: str = ""
    custom: bool = True
    hidden: bool = False
    archived: bool = False
    created_at: str = field(default="")

    def as_json(self) -> dict[str, object]:
        """The body that the properties endpoint gives for it."""
        body: dict[str, object] = {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [
                {"label": o.label, "value": o.value, "displayOrder": place, "hidden": o.hidden}
                for place, o in enumerate(self.options)
            ],
            "displayOrder": -1,
            "calculated": self.calculated,
            "externalOptions": bool(self.referenced_object),
            "archived": self.archived,
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "hubspotDefined": not self.custom,
            "formField": not (self.calculated or self.read_only),
            "modificationMetadata": {
                "archivable": self.custom,
                "readOnlyDefinition": not self.custom,
                "readOnlyOptions": not self.custom,
                "readOnlyValue": self.calculated or self.read_only,
            },
        }
        if self.created_at:
            body |= {"createdAt": self.created_at, "updatedAt": self.created_at}
        if self.referenced_object:
            body["referencedObjectType"] = self.referenced_object
        return body


def from_body(body: NewProperty, created_at: str) -> Property:
    """Make a property of the body that creates it.

    :raises Refusal: its name is none, or its type and fieldType do not go together.
    """
    if _NAME.fullmatch(body.name) is None:
        raise Refusal(400, f"Property name {body.name!r} is invalid. It must start with a letter and be lowercase.")
    if body.field_type not in FIELD_TYPES.get(body.type, ()):
        raise Refusal(400, f"fieldType {body.field_type!r} is not valid for type {body.type!r}.")
    return Property(
        name=body.name,
        label=body.label,
        type=body.type,
        field_type=body.field_type,
        group=body.group_name,
        description=body.description,
        options=_YES_NO if body.type == "bool" else options_from(body.options),
        unique=body.has_unique_value,
        hidden=body.hidden,
        created_at=created_at,
    )


def changed(old: Property, body: ChangedProperty) -> Property:
    """Return a property as a change leaves it. `options` replaces all choices."""
    return replace(
        old,
        label=_kept(old.label, body.label),
        type=_kept(old.type, body.type),
        field_type=_kept(old.field_type, body.field_type),
        group=_kept(old.group, body.group_name),
        description=_kept(old.description, body.description),
        hidden=_kept(old.hidden, body.hidden),
        options=old.options if body.options is None else options_from(body.options),
    )


def _kept(old: Value, new: Value | None) -> Value:
    return old if new is None else new


def options_from(options: Iterable[OptionBody]) -> tuple[Option, ...]:
    """Read the choices of an enumeration.

    :raises Refusal: two of them have the same value.
    """
    read = tuple(Option(one.value, one.label or one.value, one.hidden) for one in options)
    if len({option.value for option in read}) < len(read):
        raise Refusal(400, "Property options must have unique values.")
    return read
