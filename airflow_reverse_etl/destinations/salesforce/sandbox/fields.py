"""A field of an object, and how describe shows it.

Shape: "DescribeSObjectResult" in the vendor's SOAP API Developer Guide, as the REST API sends it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SOAP_TYPES: Mapping[str, str] = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "string": "xsd:string",
    "picklist": "xsd:string",
    "multipicklist": "xsd:string",
    "textarea": "xsd:string",
    "phone": "xsd:string",
    "url": "xsd:string",
    "email": "xsd:string",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "address": "urn:address",
}
NUMBERS = frozenset({"double", "currency", "percent", "int"})
IDS = frozenset({"id", "reference"})
QUOTED = frozenset({"string", "picklist", "multipicklist", "textarea", "phone", "url", "email", *IDS})

_LONGEST_FILTERABLE = 255
_DEFAULT_LENGTH: Mapping[str, int] = {
    "string": 255,
    "picklist": 255,
    "multipicklist": 4099,
    "textarea": 255,
    "phone": 40,
    "url": 255,
    "email": 80,
    "id": 18,
    "reference": 18,
}
_DESCRIBED_AS: Mapping[str, str] = {
    "name": "name",
    "type": "type",
    "label": "label",
    "length": "length",
    "precision": "precision",
    "scale": "scale",
    "digits": "digits",
    "nillable": "nillable",
    "createable": "createable",
    "updateable": "updateable",
    "defaultedOnCreate": "defaulted_on_create",
    "defaultValue": "default",
    "externalId": "external_id",
    "idLookup": "id_lookup",
    "unique": "unique",
    "caseSensitive": "case_sensitive",
    "restrictedPicklist": "restricted",
    "picklistValues": "values",
    "referenceTo": "reference_to",
    "relationshipName": "relationship",
    "autoNumber": "auto_number",
    "calculated": "calculated",
    "accessible": "accessible",
}


@dataclass(frozen=True)
class Field:
    """One field. `formula` computes the value when it is read; `accessible=False` hides it from the API user."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    defaulted_on_create: bool = False
    default: object = None
    external_id: bool = False
    id_lookup: bool = False
    unique: bool = False
    case_sensitive: bool = False
    restricted: bool = False
    values: tuple[str, ...] = ()
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    auto_number: bool = False
    calculated: bool = False
    name_field: bool = False
    accessible: bool = True
    formula: Callable[[Mapping[str, Any]], object] | None = None

    @property
    def custom(self) -> bool:
        """True for fields that an administrator added."""
        return self.name.endswith("__c")

    @property
    def required_on_create(self) -> bool:
        """True when a create without a value is refused."""
        return self.createable and not self.nillable and not self.defaulted_on_create

    @property
    def filterable(self) -> bool:
        """True when a query may filter by it: not so for long text and addresses."""
        return self.type != "address" and not (self.type == "textarea" and self.length > _LONGEST_FILTERABLE)

    @property
    def indexed(self) -> bool:
        """True when records are looked up by it."""
        return self.unique or self.external_id or (self.id_lookup and self.type != "id")

    @property
    def upsert_key(self) -> bool:
        """True when an upsert may name it."""
        return (self.external_id or self.id_lookup) and self.type != "id"

    def key(self, value: Any) -> Any:
        """Give the form in which two values of this field are compared for equality."""
        return value if self.case_sensitive or not isinstance(value, str) else value.casefold()


def make(name: str, kind: str, **how: Any) -> Field:
    """Make a field, with the label, length and digits that its name and type suggest where they are not given."""
    made = Field(name, kind, **how)
    if kind not in SOAP_TYPES:
        known = ", ".join(sorted(SOAP_TYPES))
        message = f"unknown field type {kind!r} of {name}; use one of {known}"
        raise ValueError(message)
    guessed: dict[str, Any] = {}
    if not made.label:
        guessed["label"] = label_of(name)
    if not made.length and kind in _DEFAULT_LENGTH:
        guessed["length"] = _DEFAULT_LENGTH[kind]
    if kind == "int" and not made.digits:
        guessed["digits"] = 8
    if kind in NUMBERS and kind != "int" and not made.precision:
        guessed["precision"] = 18
    if made.external_id:
        guessed["id_lookup"] = True
    if kind == "boolean":
        guessed |= {"nillable": False, "defaulted_on_create": True, "default": bool(made.default)}
    if made.auto_number or made.calculated or made.formula or kind in {"id", "address"}:
        guessed |= {"createable": False, "updateable": False}
    return replace(made, **guessed)


def from_describe(described: Mapping[str, Any]) -> Field:
    """Make a field from the names of describe, for example `{"name": "Ext__c", "type": "string", "unique": True}`.

    :raises ValueError: a name that describe does not know, or no name or type.
    """
    unknown = sorted(set(described) - set(_DESCRIBED_AS))
    if unknown or not {"name", "type"} <= set(described):
        known = ", ".join(_DESCRIBED_AS)
        message = f"a field needs name and type and may have {known}; not {', '.join(unknown) or 'less'}"
        raise ValueError(message)
    how: dict[str, Any] = {
        _DESCRIBED_AS[key]: tuple(value) if isinstance(value, list) else value for key, value in described.items()
    }
    return make(how.pop("name"), how.pop("type"), **how)


def label_of(name: str) -> str:
    """Turn an API name into words: `AnnualRevenue` is "Annual Revenue", `AccountId` "Account ID", `Tier__c` "Tier"."""
    if name.endswith("__c"):
        return name.removesuffix("__c").replace("_", " ")
    return re.sub(r"\bId$", "ID", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name))


def describe(field: Field) -> dict[str, object]:
    """Give the field's entry in the `fields` of describe, with every key that the vendor sends."""
    is_text = SOAP_TYPES[field.type] == "xsd:string"
    plain = field.filterable and field.type not in {"multipicklist", "address"}
    groupable = plain and field.type not in {"double", "currency", "percent", "datetime", "time"}
    return {
        "aggregatable": plain and field.type != "boolean",
        "aiPredictionField": False,
        "autoNumber": field.auto_number,
        "byteLength": field.length * 3 if is_text else field.length,
        "calculated": field.calculated or field.formula is not None,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": field.createable,
        "custom": field.custom,
        "defaultValue": field.default,
        "defaultValueFormula": None,
        "defaultedOnCreate": field.defaulted_on_create,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": field.digits,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": field.external_id,
        "extraTypeInfo": "plaintextarea" if field.type == "textarea" else None,
        "filterable": field.filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": groupable,
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": field.id_lookup,
        "inlineHelpText": None,
        "label": field.label,
        "length": field.length,
        "mask": None,
        "maskType": None,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": len(field.reference_to) > 1,
        "nillable": field.nillable,
        "permissionable": field.nillable and field.createable,
        "picklistValues": [
            {"active": True, "defaultValue": value == field.default, "label": value, "validFor": None, "value": value}
            for value in field.values
        ],
        "polymorphicForeignKey": len(field.reference_to) > 1,
        "precision": field.precision,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "searchPrefilterable": field.type == "reference",
        "soapType": SOAP_TYPES[field.type],
        "sortable": plain,
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable,
        "writeRequiresMasterRead": False,
    }
