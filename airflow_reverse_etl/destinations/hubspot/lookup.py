"""Finds records by a unique property, exactly: never through the search index, which lags behind the writes."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.hubspot.describe import EMAIL
from airflow_reverse_etl.destinations.hubspot.outcomes import NOT_FOUND, NOT_NAMED, Line, Names, Outcomes
from airflow_reverse_etl.destinations.hubspot.words import mapping, mappings, texts
from airflow_reverse_etl.model import Found, RecordOutcome, Status, rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airflow_reverse_etl.destinations.rest import Rest
    from airflow_reverse_etl.model import KeyForm

    Gone = Callable[[str], RecordOutcome]
    """What becomes of a key under which there is no record."""

MORE_EMAILS = "hs_additional_emails"
"""A contact is found by these, too. HubSpot does not say which input found which record, so we read them."""


@dataclass
class Lookup:
    """What HubSpot has under some keys. It did not speak of a key that is in neither.

    :param found: key -> record.
    :param missing: keys under which HubSpot says that there is nothing.
    """

    found: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)


def look_up(rest: Rest, address: str, key_property: str, form: KeyForm, keys: Sequence[str]) -> Lookup:
    """Read the records that hold these values of a unique property.

    :param address: of the object type's batch/read.
    :param keys: at most 100.
    :raises RetryableError, FatalError, BatchRejectedError:
    """
    result = Lookup()
    if not keys:
        return result
    asked = [key_property, "createdate", "hs_createdate"] + [MORE_EMAILS] * (key_property == EMAIL)
    body = {"idProperty": key_property, "properties": asked, "inputs": [{"id": form.normal(key)} for key in keys]}
    answer = mapping(rest.read("POST", address, json_body=body).body)
    names = Names(keys, form)
    for record in mappings(answer.get("results")):
        for value in _values(record, key_property):
            key = names.find(value)
            if key is not None:
                result.found.setdefault(key, record)
    for item in mappings(answer.get("errors")):
        if item.get("category") == NOT_FOUND:
            said = (names.find(value) for value in texts(mapping(item.get("context")).get("ids")))
            result.missing |= {key for key in said if key is not None and key not in result.found}
    return result


def _values(record: Mapping[str, Any], key_property: str) -> Iterator[str]:
    """Yield what a record may have been found by."""
    properties = mapping(record.get("properties"))
    yield str(properties.get(key_property) or "")
    if key_property == EMAIL:
        yield from str(properties.get(MORE_EMAILS) or "").split(";")


def as_found(record: Mapping[str, Any]) -> Found:
    """Return a record that was read as what the engine wants to know of it."""
    properties = mapping(record.get("properties"))
    written = record.get("createdAt") or properties.get("createdate") or properties.get("hs_createdate")
    try:
        created = dt.datetime.fromisoformat(str(written)).timestamp()
    except ValueError:
        created = None
    return Found(str(record.get("id") or ""), created)


def no_such_record(key: str) -> RecordOutcome:
    """Return the outcome of an update that matches no record."""
    return rejected(key, "NOT_FOUND", "HubSpot has no record with this key")


def under_record_ids(lines: Sequence[Line], found: Lookup, gone: Gone) -> tuple[list[Line], Outcomes]:
    """Return the lines under the ids of their records, and the outcomes of those that have none."""
    resolved: list[Line] = []
    outcomes: Outcomes = {}
    for line in lines:
        record_id = str(found.found.get(line.key, {}).get("id") or "")
        if record_id:
            resolved.append(replace(line, name=record_id))
        elif line.key in found.missing:
            outcomes[line.key] = gone(line.key)
        else:
            outcomes[line.key] = RecordOutcome(line.key, Status.UNKNOWN, code="NOT_NAMED", message=NOT_NAMED)
    return resolved, outcomes


def with_valid_ids(lines: Sequence[Line]) -> tuple[list[Line], Outcomes]:
    """Return the lines whose names can be record ids, and the outcomes of the others, which HubSpot would not name."""
    valid = [line for line in lines if line.name.isascii() and line.name.isdigit()]
    message = "a HubSpot record id is digits only, so there is no record of this id"
    wrong = {line.key: rejected(line.key, "NOT_FOUND", message) for line in lines if line not in valid}
    return valid, wrong


def without_doubles(lines: Sequence[Line]) -> tuple[list[Line], Outcomes]:
    """Return the lines that mean a record of their own, and the outcomes of those that share one.

    Two e-mail addresses of one contact do. HubSpot refuses a batch with both; which row is right is not ours to guess.
    """
    times = Counter(line.name for line in lines)
    single = [line for line in lines if times[line.name] == 1]
    return single, {line.key: same_record(line) for line in lines if times[line.name] > 1}


def same_record(line: Line) -> RecordOutcome:
    """Return the outcome of a row that means the same record as another row."""
    message = f"another row means the same HubSpot record ({line.name}): keep one of them in the query"
    return rejected(line.key, "SAME_RECORD", message)
