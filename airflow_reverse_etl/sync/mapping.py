"""Which column of the query goes to which field of the application: pure, and settled before a row is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import Field, JobType, NullRule, Settings, Target


@dataclass(frozen=True)
class Source:
    """Where a destination field's value comes from: `column` is the ordinal of a column of the query."""

    field: str
    column: int
    nulls: NullRule = "write"


@dataclass(frozen=True)
class Columns:
    """The columns of a query, found by name without regard to case."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        folded = [name.casefold() for name in self.names]
        twice = sorted({name for name in self.names if folded.count(name.casefold()) > 1})
        if twice:
            message = (
                f"the query has several columns named {', '.join(twice)} (case does not count); "
                f"give each a name of its own with `as`"
            )
            raise ConfigurationError(message)

    def find(self, name: str | None) -> int | None:
        """Return the ordinal of the column with this name, or None."""
        folded = (name or "").casefold()
        return next((i for i, known in enumerate(self.names) if known.casefold() == folded), None)


@dataclass(frozen=True)
class Mapped:
    """The mapping of one run.

    :param key: ordinal of the key's column.
    :param sources: one per destination field, in the order of the task's `fields`.
    :param by_position: the fields were matched to columns by their order.
    """

    columns: Columns
    key: int
    sources: tuple[Source, ...]
    by_position: bool = False

    @property
    def key_column(self) -> str:
        """The name of the column that holds the key."""
        return self.columns.names[self.key]

    def described(self) -> str:
        """Return the mapping as one line for the log."""
        pairs = [f"{source.field} ← {self.columns.names[source.column]}" for source in self.sources]
        return ", ".join(pairs) + (", by position" if self.by_position else "")


def key_ordinal(columns: Columns, settings: Settings, key: str | None) -> int:
    """Return which column holds the key.

    It is `key_column`, else what `fields` maps to the key, else the column named like it, else the first.

    :raises ConfigurationError: `key_column` is no column.
    """
    mapped = _mapped_to_key(columns, settings, key)
    if settings.key_column is None:
        return columns.find(mapped or key) or 0
    found = columns.find(settings.key_column)
    if found is None:
        message = f"`key_column` is {settings.key_column!r}, but the query's columns are {', '.join(columns.names)}"
        raise ConfigurationError(message)
    if mapped and mapped.casefold() != settings.key_column.casefold():
        message = (
            f"`key_column` is {settings.key_column!r}, but `fields` takes {key!r} from the column {mapped!r}: "
            f"leave one of them out"
        )
        raise ConfigurationError(message)
    return found


def _mapped_to_key(columns: Columns, settings: Settings, key: str | None) -> str | None:
    """Return the column that `fields` itself gives to the key."""
    if settings.fields is None:
        return None
    if not isinstance(settings.fields, Mapping):
        listed = any(name.casefold() == (key or "").casefold() for name in settings.fields)
        return key if listed and columns.find(key) is not None else None
    return next((f.column for name, f in settings.fields.items() if name.casefold() == (key or "").casefold()), None)


def wanted_fields(columns: Columns, settings: Settings, default_key: str | None) -> list[str]:
    """Return the destination fields to check, as the user spelled them; the key's first, where the user named it."""
    named = [settings.key] if settings.key else []
    if settings.job_type is JobType.DELETE:
        return named
    if settings.fields is not None:
        fields = list(settings.fields)
    else:
        key = settings.key or default_key
        skip = key_ordinal(columns, settings, key) if key or settings.key_column else None
        fields = [name for i, name in enumerate(columns.names) if i != skip]
    folded = {name.casefold() for name in named}
    return named + [name for name in fields if name.casefold() not in folded]


def map_columns(columns: Columns, settings: Settings, target: Target) -> Mapped:
    """Match fields to columns.

    :param target: as `check` completed it: its key is known and its names are the application's.
    :raises ConfigurationError: the fields match partly or not at all.
    """
    key = key_ordinal(columns, settings, settings.key or target.key)
    if settings.job_type is JobType.DELETE:
        return Mapped(columns, key, ())
    sources, by_position = _sources(columns, settings, key)
    renamed = [Source(target.name_of(s.field), s.column, s.nulls) for s in sources]
    renamed = _with_key(renamed, key, settings, target)
    if not renamed:
        message = f"the query has only the key's column ({columns.names[key]}): nothing would be written"
        raise ConfigurationError(message)
    return Mapped(columns, key, tuple(renamed), by_position)


def _sources(columns: Columns, settings: Settings, key: int) -> tuple[list[Source], bool]:
    fields = settings.fields
    if fields is None:
        return [Source(name, i) for i, name in enumerate(columns.names) if i != key], False
    if isinstance(fields, Mapping):
        return _by_mapping(columns, fields), False
    named = (settings.key or "").casefold()
    return _by_list(columns, [name for name in fields if name.casefold() != named], key)


def _by_mapping(columns: Columns, fields: Mapping[str, Field]) -> list[Source]:
    found = {name: columns.find(field.column) for name, field in fields.items()}
    missing = [fields[name].column for name, column in found.items() if column is None]
    if missing:
        raise _missing(missing, columns)
    return [Source(name, column, fields[name].nulls) for name, column in found.items() if column is not None]


def _by_list(columns: Columns, fields: Sequence[str], key: int) -> tuple[list[Source], bool]:
    found = {name: columns.find(name) for name in fields}
    missing = [name for name, column in found.items() if column is None]
    if not missing:
        return [Source(name, column) for name, column in found.items() if column is not None], False
    others = [i for i in range(len(columns.names)) if i != key]
    if len(missing) == len(fields) == len(others):
        return [Source(name, column) for name, column in zip(fields, others, strict=True)], True
    raise _missing(missing, columns)


def _missing(names: Sequence[str], columns: Columns) -> ConfigurationError:
    message = (
        f"`fields` needs {', '.join(names)}, but the query's columns are {', '.join(columns.names)}; "
        f"rename a column with `as`, or map it: fields={{'{names[0]}': '<column>'}}"
    )
    return ConfigurationError(message)


def _with_key(sources: list[Source], key: int, settings: Settings, target: Target) -> list[Source]:
    """Add the key's own field where a record is found or made by it, or take out a record id that nobody may write."""
    if target.key is None:
        return sources
    others = [source for source in sources if source.field.casefold() != target.key.casefold()]
    if not target.key_is_written:
        return others
    if settings.job_type in (JobType.CREATE, JobType.UPSERT):
        return [Source(target.key, key), *others]
    return others
