"""Which method of the API a verb and a path mean, and what each of them takes and gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from airflow_reverse_etl.destinations.google_sheets.sandbox import metadata_requests, reading, resource, writing
from airflow_reverse_etl.destinations.google_sheets.sandbox.batch import batch_update
from airflow_reverse_etl.destinations.google_sheets.sandbox.call import Answer, Call
from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import not_faked, not_found

_PATH = re.compile(r"spreadsheets/(?P<id>[^/:]+)(?P<rest>.*)", re.DOTALL)
_NUMBERED = re.compile(r"/developerMetadata/(\d+)")


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the Sheets API.

    :param body: name of the message that the request carries, "" for none.
    :param root: what Google calls that body in its complaints.
    :param reply: name of the message of its answer.
    """

    name: str
    handler: Callable[[Call], Answer]
    reply: str
    body: str = ""
    root: str = ""
    write: bool = False


class Found(NamedTuple):
    """A method, the spreadsheet it is called on, and the rest of the path that it needs."""

    method: Method
    spreadsheet_id: str
    target: str


def _get_metadata(call: Call) -> Answer:
    entry = call.book.metadata.get(int(call.target))
    if entry is None:
        raise not_found(f"No developer metadata with ID {call.target}.")
    return Answer(entry.json())


def _search_metadata(call: Call) -> Answer:
    return Answer(metadata_requests.search(call.book, call.body))


METHODS: Mapping[tuple[str, str], Method] = {
    ("GET", ""): Method("spreadsheets.get", resource.get, "Spreadsheet"),
    ("POST", ":batchUpdate"): Method(
        "spreadsheets.batchUpdate",
        batch_update,
        "BatchUpdateSpreadsheetResponse",
        "BatchUpdateSpreadsheetRequest",
        write=True,
    ),
    ("GET", "/values/*"): Method("spreadsheets.values.get", reading.get, "ValueRange"),
    ("GET", "/values:batchGet"): Method("spreadsheets.values.batchGet", reading.batch_get, "BatchGetValuesResponse"),
    ("PUT", "/values/*"): Method(
        "spreadsheets.values.update", writing.update, "UpdateValuesResponse", "ValueRange", "data", write=True
    ),
    ("POST", "/values/*:append"): Method(
        "spreadsheets.values.append", writing.append, "AppendValuesResponse", "ValueRange", "data", write=True
    ),
    ("POST", "/values/*:clear"): Method(
        "spreadsheets.values.clear", writing.clear, "ClearValuesResponse", "ClearValuesRequest", write=True
    ),
    ("POST", "/values:batchUpdate"): Method(
        "spreadsheets.values.batchUpdate",
        writing.batch_update,
        "BatchUpdateValuesResponse",
        "BatchUpdateValuesRequest",
        write=True,
    ),
    ("POST", "/values:batchClear"): Method(
        "spreadsheets.values.batchClear",
        writing.batch_clear,
        "BatchClearValuesResponse",
        "BatchClearValuesRequest",
        write=True,
    ),
    ("GET", "/developerMetadata/*"): Method("spreadsheets.developerMetadata.get", _get_metadata, "DeveloperMetadata"),
    ("POST", "/developerMetadata:search"): Method(
        "spreadsheets.developerMetadata.search",
        _search_metadata,
        "SearchDeveloperMetadataResponse",
        "SearchDeveloperMetadataRequest",
    ),
}

OTHER_METHODS: Mapping[tuple[str, str], str] = {
    ("POST", ":getByDataFilter"): "spreadsheets.getByDataFilter",
    ("POST", "/values:batchGetByDataFilter"): "spreadsheets.values.batchGetByDataFilter",
    ("POST", "/values:batchUpdateByDataFilter"): "spreadsheets.values.batchUpdateByDataFilter",
    ("POST", "/values:batchClearByDataFilter"): "spreadsheets.values.batchClearByDataFilter",
    ("POST", "/sheets/*:copyTo"): "spreadsheets.sheets.copyTo",
}


def find(verb: str, path: str) -> Found | None:
    """The method of a request; None if the API has no such address.

    :param path: what follows `/v4/`, decoded.
    :raises ApiError: 400 for a method that the real API has and the sandbox has not.
    """
    if (verb, path) == ("POST", "spreadsheets"):
        raise not_faked("spreadsheets.create")
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    shape, target = _shape(verb, match["rest"])
    other = OTHER_METHODS.get((verb, shape))
    if other is not None:
        raise not_faked(other)
    method = METHODS.get((verb, shape))
    return None if method is None else Found(method, match["id"], target)


def _shape(verb: str, rest: str) -> tuple[str, str]:
    """The path with its variable part replaced by a star, and that part."""
    numbered = _NUMBERED.fullmatch(rest)
    if numbered is not None:
        return "/developerMetadata/*", numbered[1]
    for start in ("/values/", "/sheets/"):
        target = rest.removeprefix(start)
        if target and target != rest:
            custom = ""
            if verb == "POST":
                target, _, custom = target.rpartition(":")
            return f"{start}*" + (f":{custom}" if custom else ""), target
    return rest, ""
