"""Holds a request against the discovery document of the Sheets API that google-api-python-client brings along."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient

DOCUMENT = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "sheets.v4.json"
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "any": (str, bool, int, float, list, dict, type(None)),
}


@cache
def document() -> dict[str, Any]:
    """Return the discovery document."""
    return json.loads(DOCUMENT.read_text())


@cache
def methods() -> tuple[dict[str, Any], ...]:
    """Return all methods of the API, those with the most specific addresses first."""
    found, waiting = [], [document()]
    while waiting:
        resource = waiting.pop()
        found += resource.get("methods", {}).values()
        waiting += resource.get("resources", {}).values()
    return tuple(sorted(found, key=lambda method: (method["path"].count(":"), len(method["path"])), reverse=True))


def faults(verb: str, path: str, query: Sequence[tuple[str, str]], body: object) -> list[str]:
    """Return what is wrong with a request, a sentence each.

    :param path: from /v4/ on, decoded.
    :param body: decoded JSON; None for none.
    """
    method = next((m for m in methods() if m["httpMethod"] == verb and _pattern(m["path"]).fullmatch(path)), None)
    if method is None:
        return [f"{verb} {path}: no such method"]
    found = list(_query_faults(method, query))
    wanted = method.get("request", {}).get("$ref")
    if body is not None and wanted is None:
        found.append(f"{method['id']} takes no body")
    if wanted is not None:
        found += _faults({"$ref": wanted}, {} if body is None else body, wanted)
    return found


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    inside = {"range": r".+", "spreadsheetId": r"[^/:]+"}
    regex = "".join(inside.get(part, r"\d+") if odd % 2 else re.escape(part) for odd, part in enumerate(parts))
    return re.compile(f"/{regex}", re.DOTALL)


def _query_faults(method: Mapping[str, Any], query: Sequence[tuple[str, str]]) -> Iterator[str]:
    known = {**document()["parameters"], **{k: v for k, v in method["parameters"].items() if v["location"] == "query"}}
    for name, value in query:
        if name not in known:
            yield f"{method['id']} has no parameter {name}"
        elif value not in known[name].get("enum", [value]):
            yield f"{method['id']}: {name} is none of {known[name]['enum']}: {value}"


def _faults(schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
    """Walk a value along a schema."""
    if "$ref" in schema:
        schema = document()["schemas"][schema["$ref"]]
    if type(value) not in TYPES[schema["type"]]:
        yield f"{place} is no {schema['type']}: {value!r}"
    elif schema["type"] == "array":
        for position, item in enumerate(value):
            yield from _faults(schema["items"], item, f"{place}[{position}]")
    elif schema["type"] == "object":
        for name, item in value.items():
            yield from _field_faults(schema.get("properties", {}).get(name), item, f"{place}.{name}")
    elif value not in schema.get("enum", [value]):
        yield f"{place} is none of {schema['enum']}: {value}"


def _field_faults(schema: Mapping[str, Any] | None, value: Any, place: str) -> Iterator[str]:
    if schema is None:
        yield f"{place} does not exist"
    elif schema.get("readOnly"):
        yield f"{place} is read-only"
    elif value is not None:  # null means the same as absent
        yield from _faults(schema, value, place)
