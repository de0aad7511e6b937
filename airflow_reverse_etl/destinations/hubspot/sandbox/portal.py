"""The state of one portal: its objects, their records, and the indexes that keep unique values unique."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_reverse_etl.destinations.hubspot.sandbox import catalogue
from airflow_reverse_etl.destinations.hubspot.sandbox.answers import Refusal
from airflow_reverse_etl.destinations.hubspot.sandbox.checks import check_for, iso, joined
from airflow_reverse_etl.destinations.hubspot.sandbox.limits import Limits
from airflow_reverse_etl.destinations.hubspot.sandbox.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from airflow_reverse_etl.destinations.hubspot.sandbox.checks import Check
    from airflow_reverse_etl.destinations.hubspot.sandbox.properties import Property

_FIRST_ID = 171_591_000_001
_ADDITIONAL = "hs_additional_emails"


@dataclass(slots=True)
class Record:
    """One record. `properties` is replaced on every write and never changed, so that others may hold on to it."""

    id: str
    properties: dict[str, str]
    created_at: str
    updated_at: str
    archived_at: str = ""


class SearchIndex:
    """What a search sees: every write, but only `search_lag_seconds` after it was made."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pending: deque[tuple[float, str, Record, dict[str, str] | None]] = deque()
        self._entries: dict[str, tuple[Record, dict[str, str]]] = {}

    def note(self, now: float, record: Record, properties: dict[str, str] | None) -> None:
        """Remember a write; `properties` None says that the record is gone."""
        self._pending.append((now, record.id, record, properties))

    def settle(self) -> None:
        """Let in what is old enough. Called with every write, so that the queue stays short."""
        ripe = self._settings.clock() - self._settings.search_lag_seconds
        while self._pending and self._pending[0][0] <= ripe:
            _, record_id, record, properties = self._pending.popleft()
            if properties is None:
                self._entries.pop(record_id, None)
            else:
                self._entries[record_id] = (record, properties)

    def entries(self) -> Iterable[tuple[Record, dict[str, str]]]:
        """Return the records with their properties as the search knows them."""
        self.settle()
        return self._entries.values()


@dataclass(slots=True, kw_only=True)
class ObjectType:
    """One kind of record: what it may hold, and what it holds."""

    type_id: str
    name: str
    singular: str
    legacy: str
    modified: str
    settings: Settings
    search: SearchIndex
    custom: bool = False
    minimum: tuple[tuple[str, ...], ...] = ()
    shown: tuple[str, ...] = ()
    properties: dict[str, Property] = field(default_factory=dict)
    live: dict[str, Record] = field(default_factory=dict)
    archived: dict[str, Record] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    indexes: dict[str, dict[str, str]] = field(default_factory=dict)
    checks: dict[str, Check] = field(default_factory=dict)
    stateful: dict[str, Callable[[str, str], str]] = field(default_factory=dict)
    born_with: dict[str, str] = field(default_factory=dict)
    echoed: tuple[str, ...] = ()

    @property
    def keyed_by_email(self) -> bool:
        return self.type_id == "0-1"

    def define(self, definitions: Iterable[Property]) -> None:
        """Add or replace properties, and make ready what every write needs of them."""
        self.properties |= {definition.name: definition for definition in definitions}
        usable = [definition for definition in self.properties.values() if not definition.archived]
        self.checks = {definition.name: check_for(definition, self.settings) for definition in usable}
        self.stateful = {
            definition.name: append
            for definition in usable
            if definition.type == "enumeration" and definition.field_type == "checkbox"
        }
        if "lifecyclestage" in self.checks:
            self.stateful["lifecyclestage"] = forward_only
        self.echoed = ("createdate", self.modified, "hs_object_id")
        if self.keyed_by_email:
            self.echoed += ("hs_email_domain", "lifecyclestage")
            self.born_with = {"lifecyclestage": "lead"}
        self._index(definition.name for definition in usable if definition.unique)

    def _index(self, unique: Iterable[str]) -> None:
        emails = self.indexes.get("email", {})
        shared = {"email": emails, _ADDITIONAL: emails} if self.keyed_by_email else {}
        self.indexes = shared | {name: self.indexes.get(name, {}) for name in unique}

    def index_for(self, id_property: str) -> dict[str, str] | None:
        """Return value -> record id for a property that identifies records, or None if it does not."""
        return None if id_property == _ADDITIONAL else self.indexes.get(id_property)

    def find(self, record_id: str) -> Record | None:
        """Return the live record with this id, or the one that it was merged into."""
        record = self.live.get(record_id)
        while record is None and record_id in self.merged:
            record_id = self.merged[record_id]
            record = self.live.get(record_id)
        return record

    def claims(self, values: dict[str, str]) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Yield (property, value, its index) for all values that must be unique."""
        for name, index in self.indexes.items():
            value = values.get(name)
            if not value:
                continue
            for part in value.split(";") if name == _ADDITIONAL else (value,):
                yield name, part, index

    def reindex(self, record_id: str, old: dict[str, str], new: dict[str, str]) -> None:
        """Give up the unique values that a record had, and take those that it has."""
        for _, value, index in self.claims({name: value for name, value in old.items() if name in self.indexes}):
            if index.get(value) == record_id:
                del index[value]
        for _, value, index in self.claims(new):
            index[value] = record_id

    def archive(self, record: Record, now: float) -> None:
        """Take a record out of everything but the archive."""
        del self.live[record.id]
        self.archived[record.id] = record
        record.archived_at = text_of(now)
        self.reindex(record.id, record.properties, {})
        self.search.note(now, record, None)


def forward_only(current: str, new: str) -> str:
    """`lifecyclestage` never goes back; it can be cleared first."""
    order = catalogue.LIFECYCLE
    if current in order and new in order and order.index(new) < order.index(current):
        return current
    return new


def append(current: str, new: str) -> str:
    """A value that begins with a semicolon is added to those that are there."""
    return joined(f"{current}{new}".split(";") if new.startswith(";") else new.split(";"))


def text_of(now: float) -> str:
    """HubSpot's way to write a moment given in seconds since the epoch."""
    return iso(datetime.fromtimestamp(now, UTC))


class Portal:
    """One customer's account. All its handlers run on one event loop, so nothing here needs a lock."""

    def __init__(self) -> None:
        self.violations: list[dict[str, object]] = []
        self.reset()

    def reset(self) -> None:
        """Begin anew, with the objects of a new portal and default settings."""
        self.settings = Settings()
        self.limits = Limits(self.settings)
        self.random = random.Random(self.settings.seed)  # noqa: S311  repeatable, not secret
        self.types: dict[str, ObjectType] = {}
        self._aliases: dict[str, str] = {}
        self._next_id = _FIRST_ID
        self._next_type = 30_410_001
        self.violations.clear()
        for standard in catalogue.standard_objects():
            kind = ObjectType(
                type_id=standard.type_id,
                name=standard.name,
                singular=standard.singular,
                legacy=standard.legacy,
                modified=standard.modified,
                minimum=standard.minimum,
                shown=standard.shown,
                settings=self.settings,
                search=SearchIndex(self.settings),
            )
            kind.define(standard.properties)
            self._add(kind, standard.name, standard.singular)

    def _add(self, kind: ObjectType, *aliases: str) -> None:
        self.types[kind.type_id] = kind
        self._aliases |= dict.fromkeys((kind.type_id, *aliases), kind.type_id)

    def create_type(self, name: str, label: str) -> ObjectType:
        """Add a custom object. HubSpot knows it by `2-<n>` and by `p<portal>_<name>`, not by its short name."""
        type_id = f"2-{self._next_type}"
        self._next_type += 1
        kind = ObjectType(
            type_id=type_id,
            name=name,
            singular=label,
            legacy=type_id,
            modified="hs_lastmodifieddate",
            settings=self.settings,
            search=SearchIndex(self.settings),
            custom=True,
        )
        kind.define(catalogue.everywhere(f"{name}_information", kind.modified))
        self._add(kind, self.full_name(kind))
        return kind

    def full_name(self, kind: ObjectType) -> str:
        """Return `p<portal>_<name>` for a custom object, the legacy name for one of HubSpot's own."""
        return f"p{self.settings.portal_id}_{kind.name}" if kind.custom else kind.legacy

    def type_named(self, given: str) -> ObjectType:
        """Find an object by what stands in a path: name, type id or fully qualified name.

        :raises Refusal: there is none.
        """
        type_id = self._aliases.get(given.lower())
        if type_id is not None:
            return self.types[type_id]
        looks_like_an_id = given.replace("-", "", 1).isdigit()
        what = "Invalid object or event type id" if looks_like_an_id else "Unable to infer object type from"
        raise Refusal(400, f"{what}: {given}", None)

    def local_type(self, name: str) -> ObjectType | None:
        """Find an object by any name that a person would use, a custom object's short name among them."""
        named = self._aliases.get(name.lower())
        if named is not None:
            return self.types[named]
        return next((kind for kind in self.types.values() if kind.custom and kind.name == name), None)

    def new_id(self) -> str:
        record_id = str(self._next_id)
        self._next_id += self.random.choice((1, 3, 7))
        return record_id

    def now(self) -> float:
        return self.settings.clock()
