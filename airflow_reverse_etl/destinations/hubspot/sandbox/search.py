"""Search: filters, sorting and paging over an index that lags behind the records."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from airflow_reverse_etl.destinations.hubspot.sandbox import shapes
from airflow_reverse_etl.destinations.hubspot.sandbox.answers import Answer, malformed
from airflow_reverse_etl.destinations.hubspot.sandbox.checks import moment
from airflow_reverse_etl.destinations.hubspot.sandbox.reading import as_read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_reverse_etl.destinations.hubspot.sandbox.call import Call
    from airflow_reverse_etl.destinations.hubspot.sandbox.portal import ObjectType, Record

    Comparable = Decimal | str

_MOST_PER_PAGE = 200
_MOST_RESULTS = 10_000
_MOST_GROUPS = 5
_MOST_FILTERS_PER_GROUP = 6
_MOST_FILTERS = 18


def search(call: Call) -> Answer:
    asked = shapes.read(call, shapes.Search)
    first = _first(asked)
    _refuse_too_much(call.kind, asked)
    entries = [
        (record, properties)
        for record, properties in call.kind.search.entries()
        if _matches(call.kind, asked, properties)
    ]
    for sort in reversed(asked.sorts):
        _sort(call.kind, entries, sort)
    shown = entries[first : first + asked.limit]
    total = len(entries)
    if call.mode == "search_counts_first":
        total = sum(_matches(call.kind, asked, record.properties) for record in call.kind.live.values())
    results = [as_read(call, record, asked.properties, properties=values) for record, values in shown]
    body: dict[str, object] = {"total": total, "results": results}
    if first + asked.limit < len(entries):
        body["paging"] = {"next": {"after": str(first + asked.limit)}}
    return Answer(200, body)


def _first(asked: shapes.Search) -> int:
    after = str(asked.after or 0)
    if not after.isdigit():
        raise malformed(f"{after!r} is no paging cursor.")
    if not 0 <= asked.limit <= _MOST_PER_PAGE:
        raise malformed(f"limit must be between 0 and {_MOST_PER_PAGE}, not {asked.limit}.")
    if int(after) + asked.limit > _MOST_RESULTS:
        raise malformed(f"A search gives at most {_MOST_RESULTS} results.")
    return int(after)


def _refuse_too_much(kind: ObjectType, asked: shapes.Search) -> None:
    sizes = [len(group.filters) for group in asked.filterGroups]
    if len(sizes) > _MOST_GROUPS or sum(sizes) > _MOST_FILTERS or any(size > _MOST_FILTERS_PER_GROUP for size in sizes):
        raise malformed("There are too many filters in this search.")
    for group in asked.filterGroups:
        for one in group.filters:
            if one.propertyName not in kind.checks:
                raise malformed(f"There was a problem with the request: property {one.propertyName} does not exist.")


def _matches(kind: ObjectType, asked: shapes.Search, properties: Mapping[str, str]) -> bool:
    if asked.query and not _mentions(kind, asked.query, properties):
        return False
    groups = asked.filterGroups
    return not groups or any(all(_passes(kind, one, properties) for one in group.filters) for group in groups)


def _mentions(kind: ObjectType, words: str, properties: Mapping[str, str]) -> bool:
    text = " ".join(properties.get(name, "") for name in kind.shown).casefold()
    return all(word in text for word in words.casefold().split())


def _passes(kind: ObjectType, one: shapes.Filter, properties: Mapping[str, str]) -> bool:
    has = properties.get(one.propertyName, "")
    if one.operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return bool(has) == (one.operator == "HAS_PROPERTY")
    if not has:
        return one.operator in ("NEQ", "NOT_IN", "NOT_CONTAINS_TOKEN")
    if one.operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        return _contains(has, one.value or "") == (one.operator == "CONTAINS_TOKEN")
    of = _comparable(kind.properties[one.propertyName].type)
    if one.operator in ("IN", "NOT_IN"):
        return (of(has) in [of(value) for value in one.values or ()]) == (one.operator == "IN")
    low = _COMPARE["GTE" if one.operator == "BETWEEN" else one.operator](of(has), of(one.value or ""))
    return low and (one.operator != "BETWEEN" or _COMPARE["LTE"](of(has), of(one.highValue or "")))


_COMPARE: Mapping[str, Callable[[Comparable, Comparable], bool]] = {
    "EQ": lambda has, value: has == value,
    "NEQ": lambda has, value: has != value,
    "LT": lambda has, value: has < value,  # type: ignore[operator]
    "LTE": lambda has, value: has <= value,  # type: ignore[operator]
    "GT": lambda has, value: has > value,  # type: ignore[operator]
    "GTE": lambda has, value: has >= value,  # type: ignore[operator]
}


def _contains(text: str, token: str) -> bool:
    return token.strip("*").casefold() in text.casefold()


def _comparable(kind: str) -> Callable[[str], Comparable]:
    return {"number": _number, "date": _time, "datetime": _time}.get(kind, str.casefold)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise malformed(f"{text!r} is no number to compare with.") from None


def _time(text: str) -> Decimal:
    at = moment(text)
    if at is None:
        raise malformed(f"{text!r} is no time to compare with.")
    return Decimal(int(at.timestamp() * 1000))


def _sort(kind: ObjectType, entries: list[tuple[Record, dict[str, str]]], sort: shapes.Sort | str) -> None:
    name, descending = (sort, False) if isinstance(sort, str) else (sort.propertyName, sort.direction == "DESCENDING")
    if name not in kind.checks:
        raise malformed(f"There was a problem with the request: property {name} does not exist.")
    of = _comparable(kind.properties[name].type)
    present = [entry for entry in entries if entry[1].get(name)]
    absent = [entry for entry in entries if not entry[1].get(name)]
    entries[:] = sorted(present, key=lambda entry: of(entry[1][name]), reverse=descending) + absent
