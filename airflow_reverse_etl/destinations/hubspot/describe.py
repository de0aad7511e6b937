"""Asks HubSpot what it has: object types, custom ones too, and their properties."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.hubspot.errors import ForbiddenError, NotThereError
from airflow_reverse_etl.destinations.hubspot.words import mapping, mappings, texts
from airflow_reverse_etl.errors import BatchRejectedError, ConfigurationError, FatalError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_reverse_etl.destinations.hubspot.connection import Addresses
    from airflow_reverse_etl.destinations.rest import Rest

RECORD_ID = "hs_object_id"
CONTACTS = "contacts"
EMAIL = "email"

STANDARD = {
    CONTACTS: "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "tickets": "0-5",
    "products": "0-7",
    "line_items": "0-8",
    "quotes": "0-14",
    "tasks": "0-27",
    "notes": "0-46",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
    "invoices": "0-53",
    "users": "0-115",
    "postal_mail": "0-116",
    "orders": "0-123",
    "leads": "0-136",
    "carts": "0-142",
    "services": "0-162",
    "courses": "0-410",
    "listings": "0-420",
    "appointments": "0-421",
}
"""HubSpot's own object types whose names its paths take, and their type ids (its page "Understanding the CRM")."""

SINGULAR = {
    "contact": CONTACTS,
    "company": "companies",
    "deal": "deals",
    "ticket": "tickets",
    "product": "products",
    "line_item": "line_items",
}
"""Only the old ones: an account may have a custom object that is called `service` or `course`."""

TYPE_ID = re.compile(r"\d+-\d+")


@dataclass(frozen=True)
class Property:
    """A field of a HubSpot object.

    :param type: `string`, `number`, `bool`, `date`, `datetime`, `enumeration`, `phone_number`, ...
    :param field_type: how a form shows it; `checkbox` takes several values.
    :param unique: no two records share a value of it, so it can serve as a key.
    :param unwritable: why it cannot be written, as the end of a sentence; empty if it can.
    """

    name: str
    label: str = ""
    type: str = "string"
    field_type: str = "text"
    unique: bool = False
    unwritable: str = ""


@dataclass(frozen=True)
class Described:
    """An object type as HubSpot spells it, and its properties by their names."""

    object: str
    properties: Mapping[str, Property]

    @cached_property
    def _by_lower_case(self) -> dict[str, str]:
        return {name.lower(): name for name in self.properties}

    def spelling(self, written: str) -> str:
        """Return HubSpot's name of a property, whatever the case of the query's column; unknown ones as they are."""
        name = written.strip()
        if name.lower() == RECORD_ID:
            return RECORD_ID
        return name if name in self.properties else self._by_lower_case.get(name.lower(), name)


def read_property(body: Mapping[str, Any]) -> Property:
    """Read one property of HubSpot's list."""
    if body.get("archived"):
        unwritable = "is archived: restore it in HubSpot's settings, or leave it out"
    elif body.get("calculated"):
        unwritable = "is calculated by HubSpot: leave it out"
    elif mapping(body.get("modificationMetadata")).get("readOnlyValue"):
        unwritable = "is read only: leave it out"
    else:
        unwritable = ""
    return Property(
        name=str(body.get("name") or ""),
        label=str(body.get("label") or ""),
        type=str(body.get("type") or "string"),
        field_type=str(body.get("fieldType") or "text"),
        unique=bool(body.get("hasUniqueValue")),
        unwritable=unwritable,
    )


def read_properties(rest: Rest, addresses: Addresses, object_type: str, **asked: str) -> dict[str, Property]:
    """Return the properties of an object type by name.

    :param asked: what else to ask for, for example `dataSensitivity`.
    :raises NotThereError: HubSpot has no such object type.
    :raises RetryableError: the answer lists none.
    """
    params = {"archived": "false", **asked}
    answer = rest.read("GET", addresses.properties(object_type), params=params)
    found = [read_property(item) for item in mappings(mapping(answer.body).get("results"))]
    if not found and not asked:
        message = f"{rest.url} lists no properties of {object_type!r}; is it the address of HubSpot's API?"
        raise RetryableError(message, code="NO_PROPERTIES")  # or an answer lost its body on the way
    return {item.name: item for item in found if item.name}


def hidden_properties(rest: Rest, addresses: Addresses, object_type: str) -> dict[str, Property]:
    """Return the properties that HubSpot lists only when asked for: sensitive and archived ones.

    A token that may not see them has none of them.
    """
    found: dict[str, Property] = {}
    asked = ({"archived": "true"}, {"dataSensitivity": "highly_sensitive"}, {"dataSensitivity": "sensitive"})
    for params in asked:
        try:
            found |= read_properties(rest, addresses, object_type, **params)
        except (FatalError, BatchRejectedError):
            continue
    return found


def describe(rest: Rest, addresses: Addresses, written: str) -> Described:
    """Return what HubSpot has under the name, type id or full name of an object type.

    :raises ConfigurationError: there is no such object type; the message names those that there are.
    """
    written = written.strip()
    object_type = standard_name(written)
    custom: list[Mapping[str, Any]] = []
    if object_type is None and not TYPE_ID.fullmatch(written):
        custom = _custom_objects(rest, addresses)
        object_type = _custom_id(custom, written)
    object_type = object_type or written
    try:
        return Described(object_type, read_properties(rest, addresses, object_type))
    except (NotThereError, BatchRejectedError) as error:
        message = _wrong_address(rest, addresses) if object_type in STANDARD else _unknown_object(written, custom)
        raise ConfigurationError(message, code=error.code) from error


def standard_name(written: str) -> str | None:
    """Return HubSpot's name of one of its own object types: `Contacts`, `contact` and `0-1` are `contacts`."""
    name = written.lower().replace(" ", "_")
    by_id = {type_id: known for known, type_id in STANDARD.items()}
    return name if name in STANDARD else by_id.get(name) or SINGULAR.get(name)


def _custom_objects(rest: Rest, addresses: Addresses) -> list[Mapping[str, Any]]:
    """Return the schemas of the account's custom objects; none if the token may not see them or there can be none."""
    try:
        answer = rest.read("GET", addresses.schemas())
    except (ForbiddenError, NotThereError, BatchRejectedError):
        return []
    return mappings(mapping(answer.body).get("results"))


def _names(schema: Mapping[str, Any]) -> list[str]:
    """Return what a custom object may be called: its name, its full name and its labels."""
    labels = mapping(schema.get("labels"))
    called = (schema.get("name"), schema.get("fullyQualifiedName"), labels.get("plural"), labels.get("singular"))
    return [name for value in called for name in texts(value)]


def _custom_id(schemas: Iterable[Mapping[str, Any]], written: str) -> str | None:
    """Return the type id of a custom object: HubSpot's paths refuse its short name.

    :raises ConfigurationError: several have that name.
    """
    ids = [
        str(schema["objectTypeId"])
        for schema in schemas
        if schema.get("objectTypeId") and written.lower() in (name.lower() for name in _names(schema))
    ]
    if len(set(ids)) > 1:
        message = f"{written!r} is the name of several custom objects: give one of their type ids, {', '.join(ids)}"
        raise ConfigurationError(message)
    return ids[0] if ids else None


def _wrong_address(rest: Rest, addresses: Addresses) -> str:
    """Return the sentence about a HubSpot that lacks what every HubSpot has."""
    return (
        f"{rest.url} knows none of HubSpot's own object types in API version {addresses.version}: "
        f"correct the connection's host or its api_version"
    )


def _unknown_object(written: str, custom: Iterable[Mapping[str, Any]]) -> str:
    """Return the sentence that says which object types there are."""
    own = [f"{schema.get('name')} ({schema.get('objectTypeId')})" for schema in custom]
    known = [*STANDARD, *(str(schema.get("name")) for schema in custom)]
    near = get_close_matches(written.lower(), known, n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return (
        f"HubSpot has no object type {written!r}: {meant}Give a name such as contacts, companies, deals or tickets, "
        f"a type id such as '2-1234567', or the name of a custom object"
        + (f" ({', '.join(own)})" if own else " (the token may see none)")
    )
