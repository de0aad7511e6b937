"""What `describe` says of an object, reduced to what a sync must know of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_reverse_etl.model import KeyForm

RECORD_ID = "Id"
NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})
IDS = frozenset({"id", "reference"})


@dataclass(frozen=True)
class FieldShape:
    """One field; the names in the comments are those of the REST API Developer Guide, "sObject Describe".

    :param required: a create must carry it: createable, not nillable, not defaultedOnCreate.
    :param external_id: externalId or idLookup: records can be named by it, in an upsert or from a related record.
    :param length: the longest text that it holds; 0 where that says nothing.
    :param relationship: the name under which a related record is written by its external id, for a lookup.
    :param refers_to: the objects that a lookup may point to.
    :param made_by: what fills the field instead of us ("formula", "auto number"), or nothing.
    """

    name: str
    type: str
    createable: bool = True
    updateable: bool = True
    filterable: bool = True
    required: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    length: int = 0
    relationship: str | None = None
    refers_to: tuple[str, ...] = ()
    made_by: str = ""

    @property
    def is_record_id(self) -> bool:
        """Whether this is the record's own Id."""
        return self.name == RECORD_ID

    def key_form(self) -> KeyForm:
        """Return how Salesforce compares values of this field."""
        if self.type in IDS:
            return KeyForm(prefix=15)  # the further three characters of an 18-character Id are a checksum
        if self.type in NUMBERS:
            return KeyForm(number=True)
        if self.type == "date":
            return KeyForm()
        return KeyForm(trim=True, fold=not self.case_sensitive)


@dataclass(frozen=True)
class ObjectShape:
    """One object and its fields, which are found without regard to case.

    :param fields: lower-case name -> field.
    :param key_prefix: the first three characters of its records' Ids; empty where that is not said.
    """

    name: str
    createable: bool
    updateable: bool
    deletable: bool
    fields: Mapping[str, FieldShape]
    key_prefix: str = ""

    def field(self, written: str) -> FieldShape | None:
        """Return a field by its name in any case."""
        return self.fields.get(written.strip().lower())

    def lookup(self, relationship: str) -> FieldShape | None:
        """Return the lookup field behind a relationship's name in any case (`Account` is behind it `AccountId`)."""
        wanted = relationship.strip().lower()
        return next((f for f in self.fields.values() if f.relationship and f.relationship.lower() == wanted), None)

    def external_ids(self) -> list[str]:
        """Return the fields by which records can be upserted or referred to, custom ones first."""
        names = [f.name for f in self.fields.values() if f.external_id and not f.is_record_id]
        return sorted(names, key=lambda name: (not name.endswith("__c"), name))


def read_object(body: Any) -> ObjectShape:
    """Read the answer to `GET sobjects/<object>/describe`.

    A property that is absent is taken for the common case; what that gets wrong, Salesforce refuses record by record.

    :raises ValueError: this is no description of an object.
    """
    if not isinstance(body, dict) or not isinstance(body.get("fields"), list) or not isinstance(body.get("name"), str):
        raise ValueError("no description of an object")  # noqa: TRY004  of an answer, not of an argument
    fields = [_read_field(item) for item in body["fields"] if isinstance(item, dict) and item.get("name")]
    by_name = {field.name.lower(): field for field in fields}
    by_name.setdefault(RECORD_ID.lower(), FieldShape(RECORD_ID, "id", createable=False, updateable=False, unique=True))
    return ObjectShape(
        name=body["name"],
        createable=body.get("createable", True) is True,
        updateable=body.get("updateable", True) is True,
        deletable=body.get("deletable", True) is True,
        fields=by_name,
        key_prefix=str(body.get("keyPrefix") or ""),
    )


def _read_field(item: Mapping[str, Any]) -> FieldShape:
    def flag(name: str, absent: bool) -> bool:  # noqa: FBT001  what to take an absent property for
        return item.get(name, absent) is True

    createable = flag("createable", absent=True)
    return FieldShape(
        name=item["name"],
        type=str(item.get("type") or "string").lower(),
        createable=createable,
        updateable=flag("updateable", absent=True),
        filterable=flag("filterable", absent=True),
        required=createable and not flag("nillable", absent=True) and not flag("defaultedOnCreate", absent=False),
        external_id=flag("externalId", absent=False) or flag("idLookup", absent=False),
        unique=flag("unique", absent=False) or item["name"] == RECORD_ID,
        case_sensitive=flag("caseSensitive", absent=False),
        length=item["length"] if isinstance(item.get("length"), int) else 0,
        relationship=item.get("relationshipName") or None,
        refers_to=tuple(item.get("referenceTo") or ()),
        made_by="formula" if flag("calculated", absent=False) else "auto number" * flag("autoNumber", absent=False),
    )


def near(written: str, names: Iterable[str]) -> str:
    """Return "; did you mean 'Name'?" for names that resemble what was written, else nothing."""
    by_lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(written.lower(), by_lower, n=3, cutoff=0.7)
    return f"; did you mean {' or '.join(repr(by_lower[name]) for name in close)}?" if close else ""
