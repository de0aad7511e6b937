"""What a client asks before it writes: properties, the schemas of custom objects, and the account."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow_reverse_etl.destinations.hubspot.sandbox import properties as definitions
from airflow_reverse_etl.destinations.hubspot.sandbox import shapes
from airflow_reverse_etl.destinations.hubspot.sandbox.answers import Answer, Refusal, malformed, not_found
from airflow_reverse_etl.destinations.hubspot.sandbox.portal import text_of

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.hubspot.sandbox.call import Call
    from airflow_reverse_etl.destinations.hubspot.sandbox.portal import ObjectType, Portal
    from airflow_reverse_etl.destinations.hubspot.sandbox.properties import Property

_CREATED = "2026-01-15T09:00:00.000Z"
_NEVER_UNIQUE = ("products",)


def list_properties(call: Call) -> Answer:
    archived = call.query.get("archived") == "true"
    found = [one.as_json() for one in call.kind.properties.values() if one.archived == archived]
    return Answer(200, {"results": found})


def read_property(call: Call) -> Answer:
    return Answer(200, _property(call, archived=call.query.get("archived") == "true").as_json())


def read_properties(call: Call) -> Answer:
    asked = shapes.read(call, shapes.PropertyNames)
    names = [one.get("name", "") for one in asked.inputs]
    known = {name: one for name, one in call.kind.properties.items() if one.archived == asked.archived}
    missing = [name for name in names if name not in known]
    at = text_of(call.portal.now())
    body: dict[str, object] = {
        "status": "COMPLETE",
        "results": [known[name].as_json() for name in names if name in known],
        "startedAt": at,
        "completedAt": at,
    }
    if missing:
        error = {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not find some properties.",
            "context": {"name": missing},
        }
        body |= {"numErrors": 1, "errors": [error]}
    return Answer(207 if missing else 200, body)


def create_property(call: Call) -> Answer:
    """Create a property; one that is archived under this name comes back instead."""
    new = definitions.from_body(shapes.read(call, shapes.NewProperty), text_of(call.portal.now()))
    there = call.kind.properties.get(new.name)
    if there is not None and not there.archived:
        message = f"A property named '{new.name}' already exists."
        extra: dict[str, object] = {"subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS"}
        raise Refusal(409, message, "OBJECT_ALREADY_EXISTS", extra)
    if new.unique:
        _refuse_unique(call)
    call.kind.define([new])
    return Answer(201, new.as_json())


def update_property(call: Call) -> Answer:
    old, body = _property(call), shapes.read(call, shapes.ChangedProperty)
    if not old.custom:
        raise Refusal(400, f"The definition of {old.name} is read only.")
    if body.has_unique_value not in (None, old.unique):
        raise Refusal(400, "hasUniqueValue can only be set when a property is created.")
    new = definitions.changed(old, body)
    call.kind.define([new])
    return Answer(200, new.as_json())


def archive_property(call: Call) -> Answer:
    old = _property(call)
    if not old.custom:
        raise Refusal(400, f"{old.name} is defined by HubSpot and cannot be archived.")
    call.kind.define([replace(old, archived=True)])
    return Answer(204)


def _property(call: Call, *, archived: bool = False) -> Property:
    found = call.kind.properties.get(call.tail)
    if found is None or found.archived != archived:
        raise not_found()
    return found


def _refuse_unique(call: Call) -> None:
    kind, most = call.kind, call.portal.settings.max_unique_properties
    if kind.name in _NEVER_UNIQUE:
        raise malformed(f"Unique properties are not supported for {kind.name}.")
    if sum(one.unique and not one.archived for one in kind.properties.values()) >= most:
        raise Refusal(400, f"{kind.name} has {most} unique properties already; there cannot be more.")


def list_schemas(call: Call) -> Answer:
    """Custom objects only: HubSpot does not list its own."""
    kinds = [] if call.query.get("archived") == "true" else call.portal.types.values()
    return Answer(200, {"results": [_schema(call.portal, kind) for kind in kinds if kind.custom]})


def read_schema(call: Call) -> Answer:
    return Answer(200, _schema(call.portal, call.kind))


def _schema(portal: Portal, kind: ObjectType) -> dict[str, object]:
    usable = [one for one in kind.properties.values() if not one.archived]
    shown = kind.shown[0] if kind.shown else "hs_object_id"
    return {
        "id": kind.type_id.partition("-")[2],
        "objectTypeId": kind.type_id,
        "fullyQualifiedName": portal.full_name(kind),
        "name": kind.name,
        "labels": {"singular": kind.singular.capitalize(), "plural": kind.name.capitalize()},
        "primaryDisplayProperty": shown,
        "secondaryDisplayProperties": list(kind.shown[1:]),
        "searchableProperties": list(kind.shown),
        "requiredProperties": [name for group in kind.minimum for name in group],
        "properties": [one.as_json() for one in usable],
        "associations": [],
        "archived": False,
        "createdAt": _CREATED,
        "updatedAt": _CREATED,
    }


def account(call: Call) -> Answer:
    settings = call.portal.settings
    offset = datetime.fromtimestamp(call.portal.now(), ZoneInfo(settings.time_zone)).utcoffset()
    seconds = int(offset.total_seconds()) if offset else 0
    body: dict[str, Any] = {
        "portalId": settings.portal_id,
        "accountType": settings.account_type,
        "timeZone": settings.time_zone,
        "companyCurrency": settings.company_currency,
        "additionalCurrencies": [],
        "utcOffset": f"{'-' if seconds < 0 else '+'}{abs(seconds) // 3600:02}:{abs(seconds) // 60 % 60:02}",
        "utcOffsetMilliseconds": seconds * 1000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": settings.data_hosting_location,
    }
    return Answer(200, body)
