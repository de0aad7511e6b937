"""A record as a read answers it: the properties that were asked for, null where there is no value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from airflow_reverse_etl.destinations.hubspot.sandbox.writes import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_reverse_etl.destinations.hubspot.sandbox.call import Call
    from airflow_reverse_etl.destinations.hubspot.sandbox.portal import Record


def as_read(
    call: Call,
    record: Record,
    wanted: Iterable[str],
    history: Sequence[str] = (),
    properties: Mapping[str, str] | None = None,
) -> Result:
    """Return one record.

    :param wanted: names of properties; those that the object lacks are left out, as HubSpot does.
    :param history: names of properties to give with their history, of which the fake keeps the last entry only.
    :param properties: the values to show, where they are not the present ones.
    """
    values = record.properties if properties is None else properties
    kind = call.kind
    names = dict.fromkeys(("createdate", kind.modified, "hs_object_id"))
    asked = [name for name in wanted if name in kind.checks]
    names |= dict.fromkeys(asked or kind.shown)
    url = f"https://app.hubspot.com/contacts/{call.portal.settings.portal_id}/record/{kind.type_id}/{record.id}"
    shown = {name: values.get(name) or None for name in names}
    result = Result(record.id, shown, record.created_at, record.updated_at, bool(record.archived_at), url)
    if record.archived_at:
        result.archivedAt = record.archived_at
    result.propertiesWithHistory = _history(record, history) if history else msgspec.UNSET
    return result


def _history(record: Record, names: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    return {
        name: [{"value": record.properties[name], "timestamp": record.updated_at, "sourceType": "INTEGRATION"}]
        for name in names
        if record.properties.get(name)
    }


def names_in(call: Call, parameter: str) -> list[str]:
    """Return the names in a query parameter, given once with commas or several times."""
    return [name for value in call.query.getlist(parameter) for name in value.split(",") if name]
