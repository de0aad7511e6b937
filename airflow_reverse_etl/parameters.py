"""What a user may write, checked in one pure function: at parse for what holds no template, and again once rendered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import Field, JobType, NullRule, Settings

OTHER_WORDS = {
    "insert": "create",
    "append": "create",
    "merge": "upsert",
    "sync": "upsert",
    "upload": "upsert",
    "remove": "delete",
    "archive": "delete",
}
"""What other tools call our job types, so that the error can say the right word."""


NOTHING = ("None", "none", "null")
"""How a template spells a value that is not there."""


def is_given(value: Any) -> bool:
    """Whether a parameter was given: a template spells "nothing" as `None`."""
    return value is not None and not (isinstance(value, str) and value in NOTHING)


class Unclear(Exception):  # noqa: N818  it never leaves this module
    """One parameter cannot be understood; the text says what to write instead."""


def validate(
    values: Mapping[str, Any],
    *,
    options: Mapping[str, Any] | None = None,
    required_options: Sequence[str] = (),
    default_key_is_written: bool = False,
    complete: bool = True,
) -> Settings | None:
    """Check the parameters of a task and convert those that arrive as text.

    :param values: parameters by name; one that is missing is not known yet (it holds a template) or has its default.
    :param options: the options that the destination declares; None where only its hook knows them.
    :param required_options: those of them that must be given.
    :param default_key_is_written: the destination's default key is an ordinary field (Google Sheets).
    :param complete: all values are known: check them all together and return the settings.
    :raises ConfigurationError: everything that is wrong, in one message.
    """
    problems: list[str] = []
    known: dict[str, Any] = {}
    for name, value in values.items():
        if name not in READERS:
            continue
        try:
            known[name] = READERS[name](value)
        except Unclear as problem:
            problems.append(str(problem))
    if isinstance(known.get("options"), Mapping) and options is not None:
        problems += _option_problems(known["options"], options)
        missing = [name for name in required_options if name not in known["options"]]
        problems += [f"the option `{name}` is missing: this destination cannot do without it" for name in missing]
    problems += _together(known, default_key_is_written=default_key_is_written, complete=complete)
    if problems:
        raise ConfigurationError("; ".join(problems) + ".")
    if not complete:
        return None
    return Settings(**{name: value for name, value in known.items() if name in Settings.__dataclass_fields__})


def _together(known: Mapping[str, Any], *, default_key_is_written: bool, complete: bool) -> list[str]:
    """Return what is wrong between parameters that are each right; says nothing of what is not known yet."""

    def absent(name: str) -> bool:
        return known.get(name) is None and (complete or name in known)

    problems = []
    job_type, on_missing = known.get("job_type"), known.get("on_missing")
    if job_type is JobType.UPSERT and absent("key") and not default_key_is_written:
        problems.append(
            "an upsert needs `key`: the destination field by which a record is found or made, "
            "such as an external id field (Salesforce) or `email` or another unique property (HubSpot)"
        )
    if job_type is JobType.CREATE and absent("key") and absent("key_column") and not default_key_is_written:
        problems.append(
            "a create needs `key` (a written field by which a record can be looked up) or `key_column` "
            "(the column that tells the rows apart), so that no row is created twice"
        )
    if on_missing in ("delete", "clear"):
        if job_type is JobType.DELETE:
            problems.append("`on_missing` has no meaning for the job type 'delete'; leave it out")
        if job_type is JobType.CREATE and absent("key") and not default_key_is_written:
            problems.append("`on_missing` with the job type 'create' needs `key`: nothing else names what to remove")
    return problems


def _text(name: str, what: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            message = f"`{name}` must be {what}, not {_shown(value)}"
            raise Unclear(message)
        return value

    return read


def _query(value: Any) -> str:
    if not isinstance(value, str) or not value.strip().rstrip(";").strip():
        message = "`query` is empty: write one SELECT, or the name of a .sql file"
        raise Unclear(message)
    return value


def _one_name(name: str) -> Callable[[Any], str | None]:
    def read(value: Any) -> str | None:
        if not is_given(value):
            return None
        if isinstance(value, list | tuple | set):
            message = (
                f"`{name}` is one name, not several: put a composite key together in the query "
                f"(for example `tenant || '-' || id as sync_key`)"
            )
            raise Unclear(message)
        return _text(name, "a name or left out")(value)

    return read


def _choice(name: str, choices: Sequence[str], words: Mapping[str, str] | None = None) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = str(value).strip().lower() if isinstance(value, str) else value
        if text in choices:
            return str(text)
        meant = (words or {}).get(str(text))
        hint = f" (did you mean '{meant}'?)" if meant else ""
        message = f"`{name}` is {_shown(value)}, but must be one of {', '.join(repr(c) for c in choices)}{hint}"
        raise Unclear(message)

    return read


def _job_type(value: Any) -> JobType:
    return JobType(_choice("job_type", [verb.value for verb in JobType], OTHER_WORDS)(value))


def _flag(name: str) -> Callable[[Any], bool]:
    def read(value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        message = f"`{name}` must be true or false, not {_shown(value)}"
        raise Unclear(message)

    return read


def _batch_size(value: Any) -> int | None:
    if not is_given(value):
        return None
    number = _number(value)
    if isinstance(number, int) and number > 0:
        return number
    message = f"`batch_size` must be a whole number above zero, not {_shown(value)}"
    raise Unclear(message)


def _rows_or_share(name: str) -> Callable[[Any], int | float]:
    """An int is rows, a float in (0, 1] a share; text keeps the difference, and "5%" is a share too."""

    def read(value: Any) -> int | float:
        text = value.strip() if isinstance(value, str) else ""
        percent = _number(text[:-1]) if text.endswith("%") else None
        number: int | float | None = _number(value) if percent is None else percent / 100
        if isinstance(number, int) and number >= 0:
            return number
        if isinstance(number, float) and 0 <= number <= 1:
            return number or 0
        message = (
            f"`{name}` is {_shown(value)}, but must be a number of rows (0, 1, 2, ...), "
            f"or a share of them: '5%' or a float above 0 and up to 1.0"
        )
        raise Unclear(message)

    return read


def _number(value: Any) -> int | float | None:
    """Return the number that a value is or spells: an int where it is whole, else a float; None where it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return None
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return None


def _fields(value: Any) -> Mapping[str, Field] | Sequence[str] | None:
    if not is_given(value):
        return None
    if isinstance(value, str):
        value = _json("fields", value, 'a list such as ["aps__c"] or a mapping such as {"aps__c": "aps"}')
    if value is None:
        return None
    if isinstance(value, Mapping):
        fields: Mapping[str, Field] | list[str] = {_named(name): _field(name, source) for name, source in value.items()}
    elif isinstance(value, list | tuple) and all(isinstance(name, str) and name.strip() for name in value):
        fields = list(value)
    else:
        message = (
            f"`fields` must be a list of destination fields, or a mapping from them to columns, not {_shown(value)}"
        )
        raise Unclear(message)
    if not fields:
        message = "`fields` is empty: name the destination fields to write, or leave it out to write every column"
        raise Unclear(message)
    seen = [name.casefold() for name in fields]
    twice = sorted({name for name in fields if seen.count(name.casefold()) > 1})
    if twice:
        message = f"`fields` names {', '.join(twice)} more than once (case does not count)"
        raise Unclear(message)
    return fields


def _named(name: Any) -> str:
    if isinstance(name, str) and name.strip():
        return name
    message = f"`fields` maps {_shown(name)}, which is no name of a destination field"
    raise Unclear(message)


def _field(name: Any, source: Any) -> Field:
    if isinstance(source, Field):
        source = {"column": source.column, "nulls": source.nulls}
    if isinstance(source, str) and source.strip():
        return Field(source)
    column = source.get("column") if isinstance(source, Mapping) and set(source) <= {"column", "nulls"} else None
    if isinstance(source, Mapping) and isinstance(column, str) and column.strip():
        nulls = source.get("nulls", "write")
        if nulls in get_args(NullRule):
            return Field(column, nulls=nulls)
        message = f"`fields`: the nulls of {name!r} are {nulls!r}, but must be one of {get_args(NullRule)}"
        raise Unclear(message)
    message = (
        f"`fields`: the source of {name!r} must be a column name, Field('column', nulls='skip'), "
        f'or {{"column": ..., "nulls": ...}}, not {_shown(source)}'
    )
    raise Unclear(message)


def _options(value: Any) -> Mapping[str, Any]:
    if not is_given(value):
        return {}
    if isinstance(value, str):
        value = _json("options", value, 'a mapping such as {"timezone": "Europe/Berlin"}')
    if value is None:
        return {}
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: setting for name, setting in value.items() if is_given(setting)}
    message = f"`options` must be a mapping from names to values, not {_shown(value)}"
    raise Unclear(message)


def _option_problems(given: Mapping[str, Any], declared: Mapping[str, Any]) -> list[str]:
    problems = []
    for name, value in given.items():
        if name not in declared:
            close = get_close_matches(name, list(declared), n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"it has {', '.join(sorted(declared)) or 'none'}"
            problems.append(f"`options` has {name!r}, which this destination does not know ({hint})")
        elif isinstance(declared[name], tuple) and value not in declared[name]:
            problems.append(f"the option '{name}' is {_shown(value)}, but must be one of {declared[name]}")
        elif declared[name] == "text" and not (isinstance(value, str) and value.strip()):
            problems.append(f"the option '{name}' must be a text, not {_shown(value)}")
        elif declared[name] == "zone" and not _is_zone(value):
            problems.append(f"the option '{name}' is {_shown(value)}, which is no IANA zone such as 'Europe/Berlin'")
        elif declared[name] == "flag" and str(value).lower() not in ("true", "false"):
            problems.append(f"the option '{name}' must be true or false, not {_shown(value)}")
        elif declared[name] == "number" and _number(value) is None:
            problems.append(f"the option '{name}' must be a number, not {_shown(value)}")
    return problems


def _is_zone(value: Any) -> bool:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, TypeError, ValueError, OSError):
        return False
    return True


def flag(options: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """Return an option that is true or false, also where it arrived as text."""
    return str(options.get(name, default)).lower() == "true"


def _json(name: str, text: str, example: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        message = f"`{name}` is the text {_shown(text)}, which is no JSON; write {example}"
        raise Unclear(message) from None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _bind_parameters(value: Any) -> Any:
    if isinstance(value, str) and is_given(value):
        value = _json("parameters", value, 'a list such as [1, "a"] or a mapping such as {"day": "2026-01-01"}')
    if not is_given(value) or isinstance(value, Mapping | list | tuple):
        return value
    message = f"`parameters` must be a list or a mapping of bind parameters, not {_shown(value)}"
    raise Unclear(message)


READERS: Mapping[str, Callable[[Any], Any]] = {
    "query": _query,
    "parameters": _bind_parameters,
    "destination": _text("destination", "the name of a destination"),
    "object": _text("object", "the name of an object, such as 'account', 'contacts' or a sheet's tab"),
    "warehouse_conn_id": _text("warehouse_conn_id", "the id of an Airflow connection"),
    "destination_conn_id": _text("destination_conn_id", "the id of an Airflow connection"),
    "fields": _fields,
    "key": _one_name("key"),
    "key_column": _one_name("key_column"),
    "job_type": _job_type,
    "batch_size": _batch_size,
    "changes_only": _flag("changes_only"),
    "on_missing": _choice("on_missing", ("ignore", "delete", "clear")),
    "max_missing": _rows_or_share("max_missing"),
    "max_rejected": _rows_or_share("max_rejected"),
    "on_unknown": _choice("on_unknown", ("hold", "resend")),
    "options": _options,
    "sync_id": _text("sync_id", "a name"),
}
