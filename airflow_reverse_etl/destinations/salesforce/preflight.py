"""Everything that can be known to be wrong before a row moves, said at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from airflow_reverse_etl.destinations.salesforce.lookup import SEARCHABLE
from airflow_reverse_etl.destinations.salesforce.paths import FieldPath, NoSuchPathError, find_path
from airflow_reverse_etl.destinations.salesforce.shape import RECORD_ID, FieldShape, ObjectShape, near
from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import JobType, KeyForm, Target

FLAGS: Mapping[str | int, bool] = {True: True, False: False, "true": True, "false": False}
WRITES = frozenset({JobType.CREATE, JobType.UPDATE, JobType.UPSERT})
CREATES = frozenset({JobType.CREATE, JobType.UPSERT})
UPDATES = frozenset({JobType.UPDATE, JobType.UPSERT})
SEARCHES = frozenset({JobType.CREATE, JobType.UPDATE, JobType.DELETE})
"""Job types that look records up by their key themselves; an upsert leaves that to Salesforce."""


@dataclass(frozen=True)
class Preflight:
    """One check of a target against what Salesforce describes.

    :param jobs: the job types that will be carried out.
    :param describe: describes a related object.
    """

    target: Target
    jobs: frozenset[JobType]
    shape: ObjectShape
    describe: Callable[[str], ObjectShape]

    def complete(self, fields: Sequence[str]) -> tuple[Target, list[str]]:
        """Return the target completed (but for its account), and warnings.

        :raises ConfigurationError: all that is wrong, in one message.
        """
        key, problems = self._key()
        problems = [*option_problems(self.target.options), *self._object(), *problems]
        paths: dict[str, FieldPath] = {}
        if self.jobs & WRITES:
            paths, more = self._paths(fields, key)
            problems += more
        missing = self._missing(paths.values(), key)
        if missing and JobType.CREATE in self.jobs:
            problems.append(f"a new {self.shape.name} must have {_listed(missing)} too: add {_them(missing)} to fields")
        if problems:
            raise ConfigurationError(f"Salesforce object {self.shape.name}: " + "; ".join(problems))
        return self._completed(key, paths), self._warnings(key, missing)

    def _completed(self, key: FieldShape | None, paths: dict[str, FieldPath]) -> Target:
        names = {written: path.name for written, path in paths.items()}
        if key is not None:
            names[self.target.key or RECORD_ID] = key.name
        return replace(
            self.target,
            object=self.shape.name,
            key=key.name if key else None,
            key_form=key.key_form() if key else KeyForm(),
            key_is_written=key is not None and not key.is_record_id,
            timezone=self.target.options.get("timezone") or "UTC",
            names=names,
        )

    def _warnings(self, key: FieldShape | None, missing: list[str]) -> list[str]:
        warnings = []
        if key is not None and not key.unique and self.jobs != {JobType.CREATE}:
            warnings.append(f"{key.name} is not unique: rows whose key several records share will be refused")
        if missing and JobType.UPSERT in self.jobs:
            warnings.append(
                f"rows whose {self.shape.name} does not exist yet will be refused: they need {_listed(missing)}"
            )
        return warnings

    def _object(self) -> list[str]:
        """Return what the connection's user may not do with the object."""
        lacks = [
            verb
            for verb, jobs, allowed in (
                ("create", CREATES, self.shape.createable),
                ("change", UPDATES, self.shape.updateable),
                ("delete", {JobType.DELETE}, self.shape.deletable),
            )
            if self.jobs & jobs and not allowed
        ]
        return [f"the connection's user may not {' or '.join(lacks)} its records"] if lacks else []

    def _key(self) -> tuple[FieldShape | None, list[str]]:
        """Return the field that identifies a record, and what is wrong with it."""
        written = self.target.key
        if written is None:
            if JobType.UPSERT in self.jobs:
                return None, [f"upsert needs key=: {self._upsert_keys()}"]
            return (None if self.jobs == {JobType.CREATE} else self.shape.field(RECORD_ID)), []
        if "." in written:
            return None, [f"the key {written!r} must be a field of {self.shape.name} itself"]
        key = self.shape.field(written)
        if key is None:
            return None, [
                f"there is no field {written!r} for key=" + near(written, (f.name for f in self.shape.fields.values()))
            ]
        return key, [
            problem for problem in (self._record_id(key) if key.is_record_id else self._key_field(key)) if problem
        ]

    def _record_id(self, key: FieldShape) -> list[str]:
        if JobType.UPSERT in self.jobs:
            return [f"records cannot be upserted by Id: use job_type='update', or {self._upsert_keys()}"]
        if JobType.CREATE in self.jobs:
            return ["a new record has no Id yet: leave key out and give key_column, or name a field that is written"]
        return []

    def _key_field(self, key: FieldShape) -> list[str]:
        problems = []
        if JobType.UPSERT in self.jobs and not key.external_id:
            problems.append(f"{key.name} is no external id, so records cannot be upserted by it: {self._upsert_keys()}")
        if self.jobs & CREATES and not key.createable:
            problems.append(f"the key {key.name} cannot be written" + _reason(key))
        if self.jobs & SEARCHES and not (key.filterable and key.type in SEARCHABLE):
            problems.append(f"records cannot be looked up by {key.name} ({key.type}): choose another key")
        return problems

    def _upsert_keys(self) -> str:
        names = self.shape.external_ids()
        if names:
            return f"give an external id field, one of {_listed(names)}"
        return "give an external id field; there is none yet, so mark a field as External ID in Salesforce"

    def _paths(self, fields: Sequence[str], key: FieldShape | None) -> tuple[dict[str, FieldPath], list[str]]:
        """Return where each field leads, and what is wrong with them."""
        paths: dict[str, FieldPath] = {}
        problems: list[str] = []
        owners: dict[str, str] = {}
        for written in fields:
            try:
                path = find_path(written, self.shape, self.describe)
            except (NoSuchPathError, ConfigurationError) as problem:  # the latter: no such related object
                problems.append(str(problem))
                continue
            paths[written] = path
            field = path.written_field
            other = owners.setdefault(field.name, written)
            if other != written:
                problems.append(f"{other!r} and {written!r} both write {field.name}: keep one of them")
            elif key is None or field.name != key.name:
                problems += self._unwritable(field)
        return paths, problems

    def _unwritable(self, field: FieldShape) -> list[str]:
        moments = []
        if self.jobs & CREATES and not field.createable:
            moments.append("created")
        if self.jobs & UPDATES and not field.updateable:
            moments.append("changed")
        return (
            [f"{field.name} cannot be written when a record is {' or '.join(moments)}" + _reason(field)]
            if moments
            else []
        )

    def _missing(self, paths: Collection[FieldPath], key: FieldShape | None) -> list[str]:
        """Return what a create must carry and does not."""
        if not self.jobs & CREATES:
            return []
        written = {path.written_field.name for path in paths} | ({key.name} if key else set())
        return sorted(
            field.name for field in self.shape.fields.values() if field.required and field.name not in written
        )


def option_problems(options: Any) -> list[str]:
    """Return what is wrong with the values of `options`."""
    flags = ("allow_duplicates", "assignment_rules")
    wrong = [name for name in flags if options.get(name) is not None and _flag(options[name]) is None]
    problems = [f"options[{name!r}] is true or false" for name in wrong]
    zone = options.get("timezone")
    if zone:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, TypeError, OSError):
            problems.append(f"options['timezone'] is an IANA name such as 'Europe/Berlin', not {zone!r}")
    return problems


def option(target: Target, name: str) -> bool:
    """Return a flag among the options; False where it is not set."""
    return _flag(target.options.get(name)) or False


def _flag(written: Any) -> bool | None:
    if isinstance(written, str):
        written = written.strip().lower()
    return FLAGS.get(written) if isinstance(written, str | int) else None


def _reason(field: FieldShape) -> str:
    return f" ({field.made_by})" if field.made_by else " by the connection's user"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
