"""Field masks: which part of an answer is wanted (`?fields=`), and which part of an object an update touches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import ApiError, invalid, malformed
from airflow_reverse_etl.destinations.google_sheets.sandbox.schema import MESSAGES, fields_of

_MARKS = ",./()"
_TOKEN = re.compile(r"[^,./()]+|[,./()]")

# A mask as a tree: the name of a field, and what is wanted of it; an empty tree is all of it.
Mask = dict[str, "Mask"]


def select(mask: Mask, answer: object) -> object:
    """The part of an answer that the mask names."""
    if not mask or "*" in mask:
        return answer
    if isinstance(answer, list):
        return [select(mask, item) for item in answer]
    if not isinstance(answer, Mapping):
        return answer
    return {name: select(inner, answer[name]) for name, inner in mask.items() if name in answer}


def wants(mask: Mask | None, *names: str) -> bool:
    """Whether an answer under this mask may hold the field that the names lead to. None is no mask: everything."""
    for name in names:
        if not mask or "*" in mask:
            return True
        if name not in mask:
            return False
        mask = mask[name]
    return True


def answer_mask(text: str, message: str) -> Mask:
    """Parse the `fields` parameter of a call whose answer is `message`.

    :raises ApiError: 400 if it names a field that this answer has not (a space after a comma is part of the name).
    """
    mask = _parse(text)
    wrong = None if mask is None else _unknown(mask, message, "")
    if mask is None or wrong is not None:
        path = text if wrong is None else wrong
        reason = f"Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'."
        raise malformed("Request contains an invalid argument.", [(path, reason)])
    return mask


def update_mask(text: object, message: str) -> Mask:
    """Parse the `fields` of an update of `message`.

    :raises ApiError: 400 if it is missing or names an unknown field.
    """
    if not text:
        raise _missing()
    mask = _parse(str(text))
    if mask is None:
        raise invalid(f"Invalid field: {text}")
    wrong = _unknown(mask, message, "")
    if wrong is not None:
        raise invalid(f"Invalid field: {wrong}")
    return mask


def apply(mask: Mask, old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, object]:
    """The old object with the masked fields taken from the new one: set if it has them, cleared if not."""
    if not mask or "*" in mask:
        return {name: value for name, value in new.items() if value is not None}
    merged = dict(old)
    for name, inner in mask.items():
        value, before = new.get(name), old.get(name)
        if inner and "*" not in inner:
            parts = (before if isinstance(before, Mapping) else {}, value if isinstance(value, Mapping) else {})
            value = apply(inner, *parts) or None
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    return merged


def _missing() -> ApiError:
    return malformed("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")


@cache
def _types(message: str) -> dict[str, str]:
    return fields_of(MESSAGES[message])[0]


def _unknown(mask: Mask, message: str, before: str) -> str | None:
    """The first path of the mask that the message has not."""
    if message not in MESSAGES:
        return before.rstrip(".") if mask and message not in ("any", "*") else None
    types = _types(message)
    for name, inner in mask.items():
        if name == "*":
            continue
        if name not in types:
            return before + _first_path(name, inner)
        wrong = _unknown(inner, types[name].strip("[]"), f"{before}{name}.")
        if wrong is not None:
            return wrong
    return None


def _first_path(name: str, inner: Mask) -> str:
    for child, more in inner.items():
        return f"{name}.{_first_path(child, more)}"
    return name


def _parse(text: str) -> Mask | None:
    """The tree of a mask such as `a,b(c,d/e),f.g`; None if it cannot be read."""
    tokens = _TOKEN.findall(text)[::-1]
    root: Mask = {}
    return root if _paths(tokens, root) and not tokens else None


def _paths(tokens: list[str], node: Mask) -> bool:
    """Hang paths with commas between them on a node; tokens are taken from the end. False at a token out of place."""
    while _path(tokens, node):
        if not tokens or tokens[-1] != ",":
            return True
        tokens.pop()
    return False


def _path(tokens: list[str], node: Mask) -> bool:
    if not tokens or tokens[-1] in _MARKS:
        return False
    inner = node.setdefault(tokens.pop(), {})
    if not tokens or tokens[-1] in ",)":
        return True
    if tokens.pop() == "(":
        return _paths(tokens, inner) and bool(tokens) and tokens.pop() == ")"
    return _path(tokens, inner)
