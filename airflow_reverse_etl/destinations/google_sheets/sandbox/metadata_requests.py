"""The requests that write and find developer metadata, and how a filter matches an entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from airflow_reverse_etl.destinations.google_sheets.sandbox import mask
from airflow_reverse_etl.destinations.google_sheets.sandbox.a1 import Area, grid_box
from airflow_reverse_etl.destinations.google_sheets.sandbox.book import Book
from airflow_reverse_etl.destinations.google_sheets.sandbox.call import Json
from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import invalid, malformed
from airflow_reverse_etl.destinations.google_sheets.sandbox.metadata import Metadata


def create(book: Book, request: Json) -> Json:
    """Carry out `createDeveloperMetadata`."""
    given = cast("Json", request.get("developerMetadata") or {})
    number = cast("int | None", given.get("metadataId"))
    if number is not None and number in book.metadata:
        raise invalid(f"Developer metadata with ID {number} already exists.")
    entry = _entry(book, given, number or book.new_id())
    book.metadata[entry.number] = entry
    _check_quota(book, entry.sheet_id)
    return {"createDeveloperMetadata": {"developerMetadata": entry.json()}}


def update(book: Book, request: Json) -> Json:
    """Carry out `updateDeveloperMetadata`: every entry that one of the filters matches."""
    filters = _filters(request.get("dataFilters"))
    fields = mask.update_mask(request.get("fields"), "DeveloperMetadata")
    given = cast("Json", request.get("developerMetadata") or {})
    changed = []
    for entry in matching(book, filters):
        merged = mask.apply(fields, entry.json(), given)
        new = _entry(book, merged, entry.number)
        book.metadata[entry.number] = new
        _check_quota(book, new.sheet_id)
        changed.append(new.json())
    return {"updateDeveloperMetadata": {"developerMetadata": changed} if changed else {}}


def delete(book: Book, request: Json) -> Json:
    """Carry out `deleteDeveloperMetadata`."""
    gone = matching(book, _filters([request["dataFilter"]] if request.get("dataFilter") else None))
    for entry in gone:
        del book.metadata[entry.number]
    return {"deleteDeveloperMetadata": {"deletedDeveloperMetadata": [entry.json() for entry in gone]} if gone else {}}


def matching(book: Book, filters: Sequence[Json]) -> list[Metadata]:
    """The entries that at least one filter matches."""
    return [entry for entry in book.metadata.values() if any(_matches(book, entry, item) for item in filters)]


def search(book: Book, request: Json) -> Json:
    """Carry out `developerMetadata.search`."""
    filters = _filters(request.get("dataFilters"))
    found = []
    for entry in matching(book, filters):
        hits = [item for item in filters if _matches(book, entry, item)]
        found.append({"developerMetadata": entry.json(), "dataFilters": hits})
    return {"matchedDeveloperMetadata": found} if found else {}


def _filters(given: object) -> Sequence[Json]:
    if not given:
        raise malformed("Must specify at least one data filter.")
    return cast("Sequence[Json]", given)


def _entry(book: Book, given: Json, number: int) -> Metadata:
    key, visibility = given.get("metadataKey"), given.get("visibility")
    if not key:
        raise malformed("developerMetadata.metadataKey must be specified.")
    if visibility not in ("DOCUMENT", "PROJECT"):
        raise malformed("developerMetadata.visibility must be specified.")
    place = cast("Json", given.get("location") or {})
    value = cast("str | None", given.get("metadataValue"))
    entry = Metadata(number, str(key), value, str(visibility))
    if place.get("spreadsheet"):
        return entry
    if place.get("sheetId") is not None:
        return replace(entry, sheet_id=book.tab(place["sheetId"]).sheet_id)
    if not place.get("dimensionRange"):
        raise malformed("developerMetadata.location must be specified.")
    return _on_dimension(book, entry, cast("Json", place["dimensionRange"]))


def _on_dimension(book: Book, entry: Metadata, span: Json) -> Metadata:
    tab = book.tab(span.get("sheetId"))
    start, end, dimension = span.get("startIndex"), span.get("endIndex"), span.get("dimension")
    if not isinstance(end, int) or dimension not in ("ROWS", "COLUMNS") or end - cast("int", start or 0) != 1:
        raise malformed("developerMetadata.location.dimensionRange must represent a single row or column.")
    limit = tab.row_count if dimension == "ROWS" else tab.column_count
    if end > limit:
        raise invalid(
            f"DimensionRange.startIndex[{end - 1}] is after last {dimension.lower()[:-1]} in grid[{limit - 1}]"
        )
    return replace(entry, sheet_id=tab.sheet_id, dimension=dimension, index=end - 1)


def _check_quota(book: Book, sheet_id: int | None) -> None:
    limit = book.settings.max_metadata_characters
    if sum(entry.size for entry in book.metadata.values() if entry.sheet_id == sheet_id) > limit:
        where = "spreadsheet" if sheet_id is None else "sheet"
        raise invalid(f"The developer metadata of a {where} may not have more than {limit} characters.")


def _matches(book: Book, entry: Metadata, item: Json) -> bool:
    lookup = item.get("developerMetadataLookup")
    if isinstance(lookup, Mapping):
        return _looked_up(entry, lookup)
    if item.get("a1Range") is not None:
        tab, box = book.range(str(item["a1Range"]))
        return _lies_on(entry, tab.sheet_id, tab.area(box))
    grid = cast("Json", item.get("gridRange") or {})
    tab = book.tab(grid.get("sheetId"))
    return _lies_on(entry, tab.sheet_id, tab.area(grid_box(grid)))


def _looked_up(entry: Metadata, lookup: Json) -> bool:
    same = {
        "metadataId": entry.number,
        "metadataKey": entry.key,
        "metadataValue": entry.value,
        "visibility": entry.visibility,
        "locationType": entry.location_type,
    }
    if any(lookup.get(name) is not None and lookup[name] != value for name, value in same.items()):
        return False
    place = lookup.get("metadataLocation")
    return not isinstance(place, Mapping) or _same_place(entry, place, str(lookup.get("locationMatchingStrategy")))


def _same_place(entry: Metadata, place: Json, strategy: str) -> bool:
    if place.get("spreadsheet"):
        return entry.sheet_id is None
    span = place.get("dimensionRange")
    if not isinstance(span, Mapping):
        inside = entry.sheet_id == place.get("sheetId")
        return inside and (strategy != "EXACT_LOCATION" or entry.dimension is None)
    if entry.sheet_id != (span.get("sheetId") or 0) or entry.dimension != span.get("dimension"):
        return False
    start, end = cast("int | None", span.get("startIndex")), cast("int | None", span.get("endIndex"))
    return (start or 0) <= entry.index and (end is None or entry.index < end)


def _lies_on(entry: Metadata, sheet_id: int, area: Area) -> bool:
    if entry.sheet_id != sheet_id:
        return False
    if entry.dimension is None:
        return True
    if entry.dimension == "ROWS":
        return area.top <= entry.index < area.bottom
    return area.left <= entry.index < area.right
