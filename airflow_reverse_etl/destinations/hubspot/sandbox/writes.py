"""How one row becomes a change of one record: checked first, written second, so that a batch can be all or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from airflow_reverse_etl.destinations.hubspot.sandbox.answers import (
    CONFLICT,
    OBJECT_NOT_FOUND,
    VALIDATION_ERROR,
    Refusal,
)
from airflow_reverse_etl.destinations.hubspot.sandbox.checks import Invalid
from airflow_reverse_etl.destinations.hubspot.sandbox.portal import Record, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_reverse_etl.destinations.hubspot.sandbox.portal import ObjectType, Portal
    from airflow_reverse_etl.destinations.hubspot.sandbox.settings import ConditionalRule

    Detail = dict[str, object]


class Result(msgspec.Struct):
    """A record as HubSpot answers it."""

    id: str
    properties: Mapping[str, str | None]
    createdAt: str  # noqa: N815  HubSpot's spelling
    updatedAt: str  # noqa: N815
    archived: bool
    url: str
    new: bool | msgspec.UnsetType = msgspec.UNSET
    objectWriteTraceId: str | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    warnings: list[Detail] | msgspec.UnsetType = msgspec.UNSET
    archivedAt: str | msgspec.UnsetType = msgspec.UNSET  # noqa: N815
    propertiesWithHistory: dict[str, list[Detail]] | msgspec.UnsetType = msgspec.UNSET  # noqa: N815


@dataclass
class RowError(Exception):
    """Why one row cannot be written.

    :param details: one member of "Property values were not valid: [...]" for each bad value.
    :param context: what the error names besides the row, such as `existingId`.
    :param heading: what a refused batch says instead of "Property values were not valid".
    """

    category: str
    message: str = ""
    status: int = 400
    details: Sequence[Detail] = ()
    context: dict[str, list[str]] = field(default_factory=dict)
    heading: str = ""

    def item(self, trace_id: str) -> dict[str, object]:
        """The entry of `errors` in a 207: without `errors` and `links`, whatever HubSpot's description says."""
        return {
            "status": "error",
            "category": self.category,
            "message": self.message or _listed(self.details),
            "context": {"objectWriteTraceId": [trace_id], **self.context},
        }


class NoSuchRecord(Exception):  # noqa: N818  an answer, not an error of the fake
    """A row that means a record which is not there."""


def _listed(details: Iterable[Detail]) -> str:
    return f"Property values were not valid: {msgspec.json.encode(list(details)).decode()}"


def refusal(errors: Sequence[RowError]) -> Refusal:
    """What HubSpot answers when rows without trace ids are bad: bad values all together, anything else one by one."""
    details = [detail for error in errors for detail in error.details]
    if not details:
        first = errors[0]
        extra: dict[str, object] = {"context": first.context} if first.category == VALIDATION_ERROR else {}
        return Refusal(first.status, first.message, first.category, extra if first.context else {})
    each = [{"message": d["message"], "code": d["error"], "context": {"propertyName": [d["name"]]}} for d in details]
    return Refusal(400, errors[0].heading or _listed(details), VALIDATION_ERROR, {"errors": each})


@dataclass(slots=True)
class Draft:
    """A row that may be written. `record` None: it creates one."""

    values: dict[str, str]
    record: Record | None
    warnings: list[Detail] | None


class Writer:
    """Writes rows of one object within one call."""

    def __init__(self, portal: Portal, kind: ObjectType, *, modern: bool) -> None:
        settings = portal.settings
        self._portal = portal
        self._kind = kind
        self._modern = modern
        self._now = portal.now()
        self._at = text_of(self._now)
        self._stateful = kind.stateful.keys()
        self._minimum = kind.minimum if settings.require_minimum else ()
        self._required = settings.required_properties.get(kind.name, ()) if modern else ()
        self._conditions = settings.conditional_rules.get(kind.name, ()) if modern else ()
        self._url = f"https://app.hubspot.com/contacts/{settings.portal_id}/record/{kind.type_id}/"

    def draft(self, sent: dict[str, str], record: Record | None) -> Draft:
        """Check a row against its object and against the other records.

        :raises RowError: it cannot be written.
        """
        checks = self._kind.checks
        warnings = None
        try:
            values = {name: checks[name](value) for name, value in sent.items()}
        except (KeyError, Invalid):
            values, warnings = self._one_by_one(sent)
        if not self._stateful.isdisjoint(values):
            self._settle(values, record)
        if record is None and self._minimum:
            self._refuse_below_minimum(values)
        if self._required or self._conditions:
            self._refuse_by_rule(values, record)
        for name, value, index in self._kind.claims(values):
            owner = index.get(value)
            if owner is not None and (record is None or owner != record.id):
                raise self._taken(name, value, owner, record)
        return Draft(values, record, warnings)

    def commit(self, draft: Draft) -> Result:
        """Write what was checked."""
        kind, values, record = self._kind, draft.values, draft.record
        if record is None:
            record_id = self._portal.new_id()
            record = Record(record_id, {}, self._at, self._at)
            kind.live[record_id] = record
            properties = {
                "createdate": self._at,
                kind.modified: self._at,
                "hs_object_id": record_id,
                **kind.born_with,
                **values,
            }
        else:
            record.updated_at = self._at
            properties = {**record.properties, **values, kind.modified: self._at}
        if kind.keyed_by_email and "email" in values:
            properties["hs_email_domain"] = values["email"].partition("@")[2]
        old = record.properties
        if any(values[name] != old.get(name, "") for name in kind.indexes if name in values):
            kind.reindex(record.id, old, properties)
        record.properties = properties
        kind.search.note(self._now, record, properties)
        echo = properties if draft.record is None else self._echo(values, properties)
        return Result(record.id, echo, record.created_at, self._at, False, self._url + record.id)  # noqa: FBT003

    def _echo(self, values: dict[str, str], properties: dict[str, str]) -> dict[str, str]:
        automatic = {name: properties[name] for name in self._kind.echoed if name in properties}
        return automatic | values

    def _one_by_one(self, sent: dict[str, str]) -> tuple[dict[str, str], list[Detail] | None]:
        values: dict[str, str] = {}
        warnings: list[Detail] = []
        details: list[Detail] = []
        for name, value in sent.items():
            check = self._kind.checks.get(name)
            if check is None:
                details.append(self._detail(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
                continue
            try:
                values[name] = check(value)
            except Invalid as invalid:
                if self._modern and invalid.normalized:
                    values[name] = invalid.normalized
                    warnings.append(_normalized(name, value, invalid.normalized))
                else:
                    details.append(self._detail(name, invalid.code, invalid.message, value))
        if details:
            raise RowError(VALIDATION_ERROR, details=details)
        return values, warnings or None

    def _detail(self, name: str, code: str, message: str, value: str | None = None) -> Detail:
        detail: Detail = {
            "isValid": False,
            "message": message,
            "error": code,
            "name": name,
            "localizedErrorMessage": message,
            "portalId": self._portal.settings.portal_id,
        }
        return detail if value is None else detail | {"propertyValue": value}

    def _settle(self, values: dict[str, str], record: Record | None) -> None:
        current = record.properties if record is not None else {}
        for name in self._stateful & values.keys():
            if values[name]:
                values[name] = self._kind.stateful[name](current.get(name, ""), values[name])

    def _refuse_below_minimum(self, values: Mapping[str, str]) -> None:
        lacking = [group for group in self._minimum if not any(values.get(name) for name in group)]
        if lacking:
            message = f"Error creating {self._kind.legacy}. Some required properties were not set."
            raise RowError(VALIDATION_ERROR, message, context={"properties": [n for group in lacking for n in group]})

    def _refuse_by_rule(self, values: Mapping[str, str], record: Record | None) -> None:
        after = {**record.properties, **values} if record is not None else values
        # An update that leaves a required property alone passes, even if the record has no value there.
        asked = [name for name in self._required if record is None or name in values]
        details = [
            self._detail(name, "MISSING_REQUIRED_PROPERTY", f"A value for {name} must be provided")
            for name in asked
            if not after.get(name)
        ]
        details += [self._conditional(rule) for rule in self._conditions if _breaks(rule, after)]
        if details:
            raise RowError(VALIDATION_ERROR, details=details, heading="The property values provided are invalid")

    def _conditional(self, rule: ConditionalRule) -> Detail:
        message = f"{rule.required} is required because of a conditional property rule based on [{rule.property}]"
        return self._detail(rule.required, "MISSING_CONDITIONAL_REQUIRED_PROPERTY", message)

    def _taken(self, name: str, value: str, owner: str, record: Record | None) -> RowError:
        if record is None and name == "email":
            message = f"Contact already exists. Existing ID: {owner}"
            return RowError(CONFLICT, message, 409, context={"existingId": [owner]})
        # HubSpot names the id that a new record would have had.
        mine = record.id if record is not None else self._portal.new_id()
        kind = self._kind
        type_text = kind.type_id if kind.custom else f"ObjectTypeId{{legacyObjectType={kind.legacy}}}"
        coordinates = f"portalId={self._portal.settings.portal_id}, objectTypeId={type_text}, propertyName={name}"
        message = (
            f"Cannot set PropertyValueCoordinates{{{coordinates}, value={value}}} on {mine}. "
            f"{owner} already has that value."
        )
        return RowError(VALIDATION_ERROR, message)


def missing_item(kind: ObjectType, ids: Sequence[str], trace_ids: Sequence[str] = ()) -> dict[str, object]:
    """The one entry of `errors` that names all records which are not there."""
    context = {"ids": list(ids)}
    if trace_ids:
        context["objectWriteTraceId"] = list(trace_ids)
    return {
        "status": "error",
        "category": OBJECT_NOT_FOUND,
        "message": (
            f"Could not get some {kind.legacy} objects, they may be deleted or not exist. Check that ids are valid."
        ),
        "context": context,
    }


def _breaks(rule: ConditionalRule, values: Mapping[str, str]) -> bool:
    return values.get(rule.property) == rule.value and not values.get(rule.required)


def _normalized(name: str, raw: str, value: str) -> Detail:
    return {
        "category": "PROPERTY_VALUE_NORMALIZED",
        "message": f"The value for {name} was normalized",
        "context": {"propertyName": [name], "rawValue": [raw], "normalizedValue": [value]},
    }
