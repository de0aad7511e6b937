"""Compares what a task asks for with what HubSpot has, before a row moves, and says at once all that is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from airflow_reverse_etl.destinations.hubspot.describe import CONTACTS, EMAIL, RECORD_ID, Property
from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import JobType, KeyForm, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_reverse_etl.destinations.hubspot.describe import Described

WRITING = frozenset({JobType.CREATE, JobType.UPDATE, JobType.UPSERT})
FINDING = frozenset({JobType.UPDATE, JobType.UPSERT, JobType.DELETE})


def complete(
    target: Target, job_types: Sequence[JobType], fields: Sequence[str], described: Described, account: str
) -> Target:
    """Return the target as HubSpot spells it.

    :raises ConfigurationError: all that is wrong, in one message.
    """
    jobs = frozenset(job_types)
    timezone = str(target.options.get("timezone") or "UTC")
    problems = _timezone_problems(timezone)
    names = {written: described.spelling(written) for written in [*fields, *([target.key] if target.key else [])]}
    key = _key(target, jobs, names)
    if key:
        problems += _key_problems(key, jobs, described)
    elif JobType.UPSERT in jobs:
        problems.append(f"upsert needs a key: {_possible_keys(described)}")
    if jobs & WRITING:
        problems += _field_problems(target, jobs, fields, names, described)
    if problems:
        listed = "".join(f"\n- {problem}" for problem in problems)
        message = f"HubSpot's {described.object} cannot be written like this:{listed}"
        raise ConfigurationError(message)
    return replace(
        target,
        object=described.object,
        key=key,
        account=account,
        key_form=key_form(described.object, key, described.properties),
        key_is_written=key != RECORD_ID,
        timezone=timezone,
        names=names,
    )


def key_form(object_type: str, key: str | None, properties: Mapping[str, Property]) -> KeyForm:
    """Return how HubSpot compares the values of a key.

    E-mail addresses of contacts without regard to case and surrounding blanks; record ids and numbers as numbers; the
    values of other unique properties, whose comparison HubSpot does not document, exactly.
    """
    if is_contact_email(object_type, key):
        return KeyForm(trim=True, fold=True)
    field = properties.get(key or "")
    return KeyForm(number=key == RECORD_ID or (field is not None and field.type == "number"))


def is_unique(object_type: str, key: str, properties: Mapping[str, Property]) -> bool:
    """Return whether HubSpot finds at most one record by a value of a property."""
    return is_contact_email(object_type, key) or (key in properties and properties[key].unique)


def is_contact_email(object_type: str, key: str | None) -> bool:
    """Return whether a key is the one property that HubSpot itself keeps unique."""
    return object_type == CONTACTS and key == EMAIL


def unknown_names(target: Target, fields: Sequence[str], described: Described) -> list[str]:
    """Return the fields, the key among them, that HubSpot did not list."""
    written = [*fields, *([target.key] if target.key else [])]
    return [name for name in written if described.spelling(name) not in described.properties]


def _timezone_problems(name: str) -> list[str]:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # by how the name is wrong
        return [f"options.timezone {name!r} is no time zone: write an IANA name such as 'Europe/Berlin'"]
    return []


def _key(target: Target, jobs: frozenset[JobType], names: Mapping[str, str]) -> str | None:
    """Return the key's own name; the default is the record id, except where records are only made."""
    if target.key:
        return names[target.key]
    return RECORD_ID if jobs & FINDING and JobType.UPSERT not in jobs else None


def _key_problems(key: str, jobs: frozenset[JobType], described: Described) -> list[str]:
    if key == RECORD_ID:
        if JobType.UPSERT in jobs:
            wrong = f"HubSpot gives the record id {RECORD_ID!r} itself, so nothing can be upserted by it"
            return [f"{wrong}: use job_type='update', or {_possible_keys(described)}"]
        return [f"{RECORD_ID!r} cannot be written, so it is no key for create"] if JobType.CREATE in jobs else []
    field = described.properties.get(key)
    if field is None:
        return [_unknown(key, described, "key")]
    problems = []
    if jobs & {JobType.CREATE, JobType.UPSERT} and field.unwritable:
        problems.append(f"the key {key!r} {field.unwritable}")
    if jobs & FINDING and not is_unique(described.object, key, described.properties):
        wrong = f"the property {key!r} does not require unique values, so HubSpot finds no records by it"
        problems.append(f"{wrong}: {_possible_keys(described)}")
    return problems


def _possible_keys(described: Described) -> str:
    """Return the advice which keys there are."""
    unique = sorted(
        item.name
        for item in described.properties.values()
        if is_unique(described.object, item.name, described.properties) and not item.unwritable
    )
    if unique:
        return "use " + " or ".join(f"key={name!r}" for name in unique[:10])
    return "create a property of this object with 'require unique values' in HubSpot and use it as key"


def _field_problems(
    target: Target, jobs: frozenset[JobType], fields: Sequence[str], names: Mapping[str, str], described: Described
) -> list[str]:
    """Return what is wrong with the fields, the key left out: it has been looked at, and need not be written."""
    key = names[target.key] if target.key else None
    problems = []
    for written in fields:
        name = names[written]
        field = described.properties.get(name)
        if name == key or (name == RECORD_ID and key is None and JobType.CREATE not in jobs):
            continue
        if name == RECORD_ID:
            problems.append(f"{written!r} is HubSpot's own id of a record and cannot be written: leave it out")
        elif field is None:
            problems.append(_unknown(written, described, "property"))
        elif field.unwritable:
            problems.append(f"the property {name!r} {field.unwritable}")
    twice = [name for name, count in Counter(names[written] for written in dict.fromkeys(fields)).items() if count > 1]
    return problems + [f"the property {name!r} is written by several fields: keep one" for name in twice]


def _unknown(written: str, described: Described, what: str) -> str:
    """Return the sentence about a property that is not there, with the likeliest ones meant."""
    by_label = {item.label.lower(): item.name for item in described.properties.values() if item.label}
    near = [by_label[written.strip().lower()]] if written.strip().lower() in by_label else []
    near = near or get_close_matches(written.lower(), described.properties, n=3)
    near = near or [by_label[label] for label in get_close_matches(written.lower(), by_label, n=1)]
    meant = f"did you mean {' or '.join(map(repr, near))}?" if near else "create it in HubSpot, or leave it out"
    return f"there is no property {written!r} (given as {what}): {meant}"
