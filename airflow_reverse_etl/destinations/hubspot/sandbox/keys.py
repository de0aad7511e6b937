"""How a row or a path says which record it means: by record id, or by the value of a unique property."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_reverse_etl.destinations.hubspot.sandbox.answers import Refusal

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.hubspot.sandbox.call import Call
    from airflow_reverse_etl.destinations.hubspot.sandbox.portal import Record


def refuse_unless_unique(call: Call, id_property: str | None) -> None:
    """Refuse a property that does not identify records. None, the record id, always does.

    :raises Refusal: it has no unique values.
    """
    by_order = call.mode == "email_not_unique" and id_property == "email"
    if id_property is None or (call.kind.index_for(id_property) is not None and not by_order):
        return
    message = f"Unable to perform update/upsert by non-unique {call.kind.type_id} property {id_property}"
    raise Refusal(400, f"{message} in portal ID {call.portal.settings.portal_id}", malformed=not by_order)


def canonical(id_property: str | None, given: str) -> str:
    """Return a key in the form in which HubSpot compares it."""
    return given.strip().lower() if id_property == "email" else given


def find(call: Call, id_property: str | None, key: str) -> Record | None:
    """Return the live record that a canonical key means."""
    if id_property is None:
        return call.kind.find(key)
    record_id = call.kind.indexes[id_property].get(key)
    return call.kind.live[record_id] if record_id is not None else None
