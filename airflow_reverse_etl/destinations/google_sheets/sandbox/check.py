"""Says what is wrong with a request in the words of Google's JSON transcoder, before any handler sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import ApiError, malformed
from airflow_reverse_etl.destinations.google_sheets.sandbox.schema import (
    COMMON_PARAMETERS,
    ENUMS,
    MESSAGES,
    PACKAGE,
    PARAMETERS,
    TYPE_NAMES,
    fields_of,
)


class Violation(NamedTuple):
    """One fault: where it is (names and positions from the outside in) and what Google says of it."""

    place: tuple[str | int, ...]
    unknown: str | None  # the name that does not exist, or None when a value is wrong
    text: str

    def at(self, part: str | int) -> Violation:
        return Violation((part, *self.place), self.unknown, self.text)


Check = Callable[[object], Sequence[Violation]]
FINE: Sequence[Violation] = ()
INT32 = 2**31

# What a cell of an ordinary write looks like: looked at first, because there are many of them.
PLAIN_VALUES: Mapping[str, tuple[type, ...]] = {
    "stringValue": (str,),
    "numberValue": (int, float),
    "boolValue": (bool,),
    "formulaValue": (str,),
}


def check_body(message: str, body: object, root: str) -> None:
    """Check a decoded JSON body.

    :param message: name of its message.
    :param root: what Google calls the body in its sentences: "data" where the method binds it to a field, else "".
    :raises ApiError: 400 with every violation.
    """
    found = _message(message)(body)
    if found:
        raise refusal([violation.at(root) if root else violation for violation in found])


def check_query(method: str, pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Check and convert the query parameters of a method.

    :raises ApiError: 400 if a parameter is unknown or has a wrong value.
    """
    known = _parameters(method)
    values: dict[str, object] = {}
    found: list[Violation] = []
    for name, text in pairs:
        kind = known.get(name)
        if kind is None:
            reason = f"Cannot bind query parameter. Field '{name}' could not be found in request message."
            found.append(Violation((), name, reason))
        elif kind == "[string]":
            values.setdefault(name, [])
            values[name].append(text)  # type: ignore[attr-defined]
        elif kind == "bool":
            values[name] = text.lower() in ("true", "1", "")
            if text.lower() not in ("true", "false", "1", "0", ""):
                found.append(_wrong("TYPE_BOOL", text).at(name))
        else:
            values[name] = text
            found += [violation.at(name) for violation in _check(kind)(text)]
    if values.get("alt", "json") != "json":
        found.append(Violation((), None, 'Invalid value "alt": the sandbox answers JSON'))
    if found:
        raise refusal(found)
    return values


def refusal(found: Sequence[Violation]) -> ApiError:
    """The 400 that carries these violations."""
    pairs = [_sentence(violation) for violation in found]
    return malformed("\n".join(text for _, text in pairs), pairs)


def _sentence(violation: Violation) -> tuple[str, str]:
    place = _path(violation.place)
    if violation.unknown is not None:
        where = f" at '{place}'" if place else ""
        return place, f'Invalid JSON payload received. Unknown name "{violation.unknown}"{where}: {violation.text}'
    return place, f"Invalid value at '{place}' {violation.text}"


def _path(place: Sequence[str | int]) -> str:
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            snake = re.sub(r"([A-Z])", r"_\1", part).lower()
            text += f".{snake}" if text else snake
    return text


def _wrong(kind: str, value: object) -> Violation:
    return Violation((), None, f"({kind}), {json.dumps(value, ensure_ascii=False, default=str)}")


def _type_name(kind: str) -> str:
    return "type.googleapis.com/" + TYPE_NAMES.get(kind, PACKAGE + kind)


@cache
def _parameters(method: str) -> dict[str, str]:
    return {**fields_of(COMMON_PARAMETERS)[0], **fields_of(PARAMETERS[method])[0]}


@cache
def _check(kind: str) -> Check:
    """The check of one type of the schema."""
    if kind == "any":
        return lambda _: FINE
    if kind.startswith("["):
        return _repeated(kind[1:-1])
    if kind in ENUMS:
        names = frozenset(ENUMS[kind])
        wrong = _type_name(kind)
        return lambda value: FINE if type(value) is str and value in names else (_wrong(wrong, value),)
    if kind == "CellData":
        return _cell(_message(kind))
    if kind in MESSAGES:
        return _message(kind)
    return _scalar(kind)


def _scalar(kind: str) -> Check:
    if kind == "int32":
        return lambda value: FINE if type(value) is int and -INT32 <= value < INT32 else (_wrong("TYPE_INT32", value),)
    types = {"string": (str,), "bool": (bool,), "double": (int, float), "ListValue": (list,)}[kind]
    wrong = _type_name(kind) if kind == "ListValue" else f"TYPE_{kind.upper()}"
    return lambda value: FINE if type(value) in types else (_wrong(wrong, value),)


def _repeated(kind: str) -> Check:
    item = _check(kind)

    def check(value: object) -> Sequence[Violation]:
        if type(value) is not list:
            return item(value) or (_wrong(f"repeated {kind}", value),)
        found: list[Violation] = []
        for position, element in enumerate(value):
            wrong = item(element)
            if wrong:
                found += [violation.at(position) for violation in wrong]
        return found

    return check


@cache
def _message(kind: str) -> Check:
    types, groups = fields_of(MESSAGES[kind])
    checks: dict[str, Check] = {}  # filled on first use: messages may hold themselves

    def check(value: object) -> Sequence[Violation]:
        if type(value) is not dict:
            return (_wrong(_type_name(kind), value),)
        found: list[Violation] = []
        for name, content in value.items():
            known = types.get(name)
            if known is None:
                found.append(Violation((), name, "Cannot find field."))
            elif content is not None:  # null is the same as absent
                run = checks.get(name)
                if run is None:
                    run = checks[name] = _check(known)
                found += [violation.at(name) for violation in run(content)]
        if groups and len(value) > 1:
            found += _set_twice(groups, value)
        return found

    return check


def _set_twice(groups: Sequence[tuple[str, ...]], value: Mapping[str, object]) -> list[Violation]:
    found = []
    for group in groups:
        named = [name for name in value if name in group and value[name] is not None]
        if len(named) > 1:
            text = f"(oneof), oneof field '{named[0]}' is already set. Cannot set '{named[1]}'"
            found.append(Violation((), None, text))
    return found


def _cell(general: Check) -> Check:
    """A check of CellData that tells the ordinary cell (one value, nothing else) apart without looking any closer."""

    def check(cell: object) -> Sequence[Violation]:
        if type(cell) is dict and len(cell) == 1:
            value = cell.get("userEnteredValue")
            if type(value) is dict and len(value) == 1:
                for name, content in value.items():
                    if type(content) in PLAIN_VALUES.get(name, ()):
                        return FINE
        return general(cell)

    return check
