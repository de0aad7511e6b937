"""Reads HubSpot's refusals: which code, which properties, in which words."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

INVALID_VALUES = "Property values were not valid: "
"""What HubSpot says before a list, in JSON, of the properties that it refuses."""


@dataclass(frozen=True)
class Refusal:
    """Why HubSpot said no.

    :param category: HubSpot's class of the refusal (`VALIDATION_ERROR`, `CONFLICT`, `OBJECT_NOT_FOUND`, ...).
    :param code: the most exact code that it gave (`INVALID_EMAIL`, `PROPERTY_DOESNT_EXIST`, ...), else the category.
    :param message: its own words.
    :param fields: the properties that it named.
    """

    category: str
    code: str
    message: str
    fields: tuple[str, ...] = ()


def read_refusal(body: Mapping[str, Any]) -> Refusal:
    """Read the body of a refused call, or one item of a multi-status answer's `errors`.

    HubSpot's page "Error handling" wants every field of such a body treated as optional.
    """
    message = str(body.get("message") or "")
    category = str(body.get("category") or body.get("errorType") or "")
    codes: list[str] = []
    fields: list[str] = []
    for detail in mappings(body.get("errors")):
        codes.extend(texts(detail.get("code")))
        fields.extend(texts(mapping(detail.get("context")).get("propertyName")))
    for code, name in _invalid_values(message):
        codes.append(code)
        fields.append(name)
    fields.extend(texts(mapping(body.get("context")).get("propertyName")))
    fields.extend(re.findall(r"PropertyValueCoordinates\{.*?propertyName=([^,}]+)", message))
    return Refusal(
        category=category,
        code=next((code for code in codes if code), "") or category or "REFUSED",
        message=message,
        fields=tuple(dict.fromkeys(name for name in fields if name)),
    )


def _invalid_values(message: str) -> Iterator[tuple[str, str]]:
    """Yield code and property of each refused value; the JSON may be cut off, long lists of options are."""
    _, found, tail = message.partition(INVALID_VALUES)
    if not found:
        return
    try:
        details = json.loads(tail)
    except ValueError:
        codes = re.findall(r'"error"\s*:\s*"([A-Z0-9_]+)"', tail)
        names = re.findall(r'"name"\s*:\s*"([^"\\]+)"', tail)
        yield from zip(codes, names, strict=False)
        yield from ((code, "") for code in codes[len(names) :])
        yield from (("", name) for name in names[len(codes) :])
        return
    for detail in mappings(details):
        yield str(detail.get("error") or ""), str(detail.get("name") or "")


def mapping(value: object) -> Mapping[str, Any]:
    """Return a JSON object, or an empty one where the answer holds something else."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """Return the JSON objects of a list, or none where the answer holds something else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """Return one text or a list of them as a list: HubSpot's contexts hold lists, but not always."""
    items: Iterable[object] = value if isinstance(value, list) else [] if value is None else [value]
    return [str(item) for item in items if isinstance(item, str | int)]
