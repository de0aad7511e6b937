"""The fake as the sandbox and the tests see it: one portal of HubSpot that answers over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from airflow_reverse_etl.destinations.hubspot.sandbox import faults
from airflow_reverse_etl.destinations.hubspot.sandbox.coverage import COVERAGE
from airflow_reverse_etl.destinations.hubspot.sandbox.portal import Portal, Record, text_of
from airflow_reverse_etl.destinations.hubspot.sandbox.properties import FIELD_TYPES, from_body
from airflow_reverse_etl.destinations.hubspot.sandbox.routes import routes
from airflow_reverse_etl.destinations.hubspot.sandbox.shapes import NewProperty

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute

    from airflow_reverse_etl.destinations.hubspot.sandbox.limits import Traffic
    from airflow_reverse_etl.destinations.hubspot.sandbox.portal import ObjectType
    from airflow_reverse_etl.destinations.hubspot.sandbox.settings import Settings


class Fake:
    """One portal, in memory.

    Contacts, companies, deals, tickets, products and line_items are there. Contacts have the custom properties
    `customer_id` (unique), `score`, `vip`, `plan`, `interests`, `signed_up_on` and `last_seen_at`; companies have
    `account_key` (unique) and `aps`.
    """

    FAULTS: ClassVar[Mapping[str, str]] = faults.FAULTS
    COVERAGE: ClassVar[Sequence[tuple[str, str, str]]] = COVERAGE

    def __init__(self) -> None:
        self._portal = Portal()
        self.routes: list[BaseRoute] = routes(self._portal)
        self.violations = self._portal.violations

    @property
    def settings(self) -> Settings:
        """Every limit and switch; change them in place."""
        return self._portal.settings

    @property
    def traffic(self) -> Traffic:
        """How the clients have behaved: calls, 429s that they provoked, peaks."""
        return self._portal.limits.traffic

    def connection(self, base_url: str) -> dict[str, object]:
        """Return an Airflow connection, as a dictionary, that reaches this fake at `base_url`."""
        token = next(iter(self.settings.tokens))
        return {"conn_type": "hubspot", "host": base_url, "login": "", "password": token, "extra": {}}

    def objects(self) -> dict[str, int]:
        """Return how many live records each object holds, by its name."""
        return {kind.name: len(kind.live) for kind in self._portal.types.values()}

    def records(self, object: str) -> list[dict[str, object]]:
        """Return the live records: `id` and every property that has a value, as text.

        :raises LookupError: there is no such object.
        """
        return [
            {"id": record.id, **{name: value for name, value in record.properties.items() if value}}
            for record in self._named(object).live.values()
        ]

    def seed(self, object: str, records: list[dict[str, object]]) -> list[str]:
        """Put records in by hand, read-only properties included; `hs_object_id` is the record id. Return the ids.

        :raises LookupError: there is no such object or property.
        :raises ValueError: a unique value or an id is there already.
        """
        kind = self._named(object)
        ids = [self._put(kind, record) for record in records]
        kind.search.settle()
        return ids

    def define(
        self,
        object: str,
        properties: Sequence[Mapping[str, object]] = (),
        *,
        singular: str = "",
        required: Sequence[str] = (),
        shown: Sequence[str] = (),
    ) -> str:
        """Add properties to an object; a name that no object has yet makes a custom object. Return its type id.

        :param properties: as in HubSpot's properties API (`name`, `type`, `fieldType`, `hasUniqueValue`, `options`).
            Only `name` is needed: `type` is "string", `fieldType` fits the type, `options` may be a list of values.
        :param singular: the label of a new custom object.
        :param required: the properties without which a record of a custom object cannot be created.
        :param shown: the properties that reads give if they are asked for none.
        """
        kind = self._portal.local_type(object) or self._portal.create_type(object, singular or object)
        if kind.custom:
            kind.minimum += tuple((name,) for name in required)
            kind.shown += tuple(shown)
        bodies = [msgspec.convert(_completed(one, kind), NewProperty) for one in properties]
        kind.define(from_body(body, text_of(self._portal.now())) for body in bodies)
        return kind.type_id

    def reset(self) -> None:
        """Go back to the initial state: no records, default settings, no violations, no custom objects."""
        self._portal.reset()

    def _named(self, name: str) -> ObjectType:
        kind = self._portal.local_type(name)
        if kind is None:
            known = ", ".join(self.objects())
            message = f"there is no object {name!r}; there are {known}"
            raise LookupError(message)
        return kind

    def _put(self, kind: ObjectType, given: Mapping[str, object]) -> str:
        values = {name: _as_text(value) for name, value in given.items() if value is not None}
        unknown = [name for name in values if name not in kind.checks]
        if unknown:
            message = f"{kind.name} has no property {', '.join(unknown)}; `define` adds it"
            raise LookupError(message)
        if "email" in kind.indexes and "email" in values:
            values["email"] = values["email"].strip().lower()
        taken = [f"{name}={value}" for name, value, index in kind.claims(values) if value in index]
        record_id = values.get("hs_object_id") or self._portal.new_id()
        if taken or record_id in kind.live:
            message = f"{kind.name} has it already: {', '.join(taken) or record_id}"
            raise ValueError(message)
        now = self._portal.now()
        at = text_of(now)
        automatic = {"createdate": at, kind.modified: at, "hs_object_id": record_id}
        record = Record(record_id, automatic | kind.born_with | values, at, at)
        kind.live[record_id] = record
        kind.reindex(record_id, {}, record.properties)
        kind.search.note(now, record, record.properties)
        return record_id


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _completed(given: Mapping[str, object], kind: ObjectType) -> dict[str, object]:
    group = next(iter(kind.properties.values())).group
    of_type = str(given.get("type", "string"))
    field_types = FIELD_TYPES.get(of_type, ("text",))
    options = given.get("options", ())
    listed = options if isinstance(options, (list, tuple)) else ()
    return {
        "label": given["name"],
        "type": of_type,
        "fieldType": field_types[0],
        "groupName": group,
        **given,
        "options": [one if isinstance(one, dict) else {"value": str(one), "label": str(one)} for one in listed],
    }
