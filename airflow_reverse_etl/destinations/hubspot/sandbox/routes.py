"""Which path does what, in the old and in the dated spelling of HubSpot's paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from airflow_reverse_etl.destinations.hubspot.sandbox import batch, metadata, search, single
from airflow_reverse_etl.destinations.hubspot.sandbox.gate import Gate, Verb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.routing import BaseRoute

    from airflow_reverse_etl.destinations.hubspot.sandbox.portal import Portal

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_READ = "crm.objects.{object}.read"
_WRITE = "crm.objects.{object}.write"
_READ_SCHEMA = "crm.schemas.{object}.read"
_WRITE_SCHEMA = "crm.schemas.{object}.write"

_OBJECTS: Mapping[str, Mapping[str, Verb]] = {
    "/batch/create": {"POST": Verb(batch.create, _WRITE)},
    "/batch/update": {"POST": Verb(batch.update, _WRITE)},
    "/batch/upsert": {"POST": Verb(batch.upsert, _WRITE)},
    "/batch/read": {"POST": Verb(batch.read, _READ)},
    "/batch/archive": {"POST": Verb(batch.archive, _WRITE)},
    "/search": {"POST": Verb(search.search, _READ, search=True)},
    "/gdpr-delete": {"POST": Verb(single.gdpr_delete, _WRITE)},
    "/merge": {"POST": Verb(single.merge, _WRITE)},
    "": {"GET": Verb(single.page, _READ), "POST": Verb(single.create, _WRITE)},
    "/{tail}": {
        "GET": Verb(single.read, _READ),
        "PATCH": Verb(single.update, _WRITE),
        "DELETE": Verb(single.delete, _WRITE),
    },
}
_PROPERTIES: Mapping[str, Mapping[str, Verb]] = {
    "/batch/read": {"POST": Verb(metadata.read_properties, _READ_SCHEMA)},
    "": {
        "GET": Verb(metadata.list_properties, _READ_SCHEMA),
        "POST": Verb(metadata.create_property, _WRITE_SCHEMA),
    },
    "/{tail}": {
        "GET": Verb(metadata.read_property, _READ_SCHEMA),
        "PATCH": Verb(metadata.update_property, _WRITE_SCHEMA),
        "DELETE": Verb(metadata.archive_property, _WRITE_SCHEMA),
    },
}
_SCHEMAS: Mapping[str, Mapping[str, Verb]] = {
    "": {"GET": Verb(metadata.list_schemas, "crm.schemas.custom.read")},
    "/{object}": {"GET": Verb(metadata.read_schema, _READ_SCHEMA)},
}
_ACCOUNT: Mapping[str, Mapping[str, Verb]] = {"": {"GET": Verb(metadata.account)}}

_AREAS: tuple[tuple[str, Mapping[str, Mapping[str, Verb]]], ...] = (
    ("/crm/v3/objects/{object}", _OBJECTS),
    ("/crm/objects/{version}/{object}", _OBJECTS),
    ("/crm/v3/properties/{object}", _PROPERTIES),
    ("/crm/properties/{version}/{object}", _PROPERTIES),
    ("/crm/v3/schemas", _SCHEMAS),
    ("/crm-object-schemas/{version}/schemas", _SCHEMAS),
    ("/account-info/{version}/details", _ACCOUNT),
)


def routes(portal: Portal) -> list[BaseRoute]:
    """Return all routes; the last one answers whatever HubSpot does not have."""
    gate = Gate(portal)
    known = [
        Route(base + tail, gate.endpoint(verbs), methods=_METHODS)
        for base, tails in _AREAS
        for tail, verbs in tails.items()
    ]
    return [*known, Route("/{path:path}", gate.endpoint({}), methods=_METHODS)]
