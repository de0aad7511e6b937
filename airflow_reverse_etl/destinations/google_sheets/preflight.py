"""What is asked for against what the spreadsheet has: before a row moves, and without writing anything."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from airflow_reverse_etl.destinations.google_sheets.options import Options, is_zone
from airflow_reverse_etl.destinations.google_sheets.tab import Tab
from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import JobType


@dataclass(frozen=True)
class Matched:
    """How a task's fields fit a tab: the key's header, and field -> header for all."""

    key: str
    names: Mapping[str, str]


def find_tab(about: Mapping[str, Any], title: str, *, create: bool) -> Tab:
    """Return the tab with this title (Google ignores case in titles); one to be created has no grid yet.

    :raises ConfigurationError: there is none, or it holds no cells.
    """
    tabs = [sheet.get("properties", {}) for sheet in about.get("sheets", [])]
    titles = [str(tab.get("title")) for tab in tabs]
    exact = [tab for tab in tabs if tab.get("title") == title]
    found = exact or [tab for tab in tabs if str(tab.get("title")).casefold() == title.casefold()]
    if not found and create:
        return Tab(title, sheet_id=secrets.randbelow(2**31 - 1) + 1, exists=False)
    if not found:
        message = f"the spreadsheet has no tab {title!r}{_hint(title, titles)}; options={{'create_tab': True}} makes it"
        raise ConfigurationError(message)
    properties = found[0]
    if properties.get("sheetType", "GRID") != "GRID":
        message = f"the tab {title!r} holds no cells: its type is {properties['sheetType']}"
        raise ConfigurationError(message)
    grid = properties.get("gridProperties", {})
    return Tab(
        title=str(properties["title"]),
        sheet_id=int(properties.get("sheetId", 0)),
        rows=int(grid.get("rowCount", 0)),
        columns=int(grid.get("columnCount", 0)),
        frozen=int(grid.get("frozenRowCount", 0)),
    )


def zone_of(about: Mapping[str, Any], options: Options) -> str:
    """Return the zone of timestamps: the option's, else the spreadsheet's.

    :raises ConfigurationError: the spreadsheet's is no IANA zone.
    """
    zone = options.timezone or about.get("properties", {}).get("timeZone") or "UTC"
    if not is_zone(zone):
        message = f"the spreadsheet's time zone is {zone!r}, which is no IANA zone: give the option `timezone`"
        raise ConfigurationError(message)
    return str(zone)


def match(tab: Tab, key: str | None, fields: Sequence[str], job_types: Iterable[JobType], *, extend: bool) -> Matched:
    """Match fields to headers; without a key, the first header is it.

    :raises ConfigurationError: all that cannot be written into this tab, in one message.
    """
    makes_rows = not {JobType.CREATE, JobType.UPSERT}.isdisjoint(job_types)
    first_header = next(iter(tab.header.names), None)
    key = key or first_header or (next(iter(fields), None) if makes_rows else None)
    if key is None:
        message = f"the tab {tab.title!r} is empty: it has no header, and so no key by which rows could be found"
        raise ConfigurationError(message)
    used = list(dict.fromkeys([key, *fields]))
    names = {field: tab.header.spelled(field) for field in used}
    problems = [*_doubles(tab, used), *_missing(tab, key, used, makes_rows=makes_rows, extend=extend)]
    problems += _rivals(tab, fields)
    if problems:
        raise ConfigurationError("; ".join(problems))
    return Matched(names[key], names)


def _doubles(tab: Tab, fields: Iterable[str]) -> list[str]:
    columns = [tab.header.columns_of(field) for field in fields]
    counts = {tab.header.texts[found[0] - 1]: len(found) for found in columns if len(found) > 1}
    return [
        f"the header {text!r} stands in {count} columns of the tab: rename all but one"
        for text, count in counts.items()
    ]


def _rivals(tab: Tab, fields: Iterable[str]) -> list[str]:
    """Say which fields would go to one column, there already or new."""
    columns: dict[int | str, list[str]] = {}
    for field in fields:
        columns.setdefault(tab.header.column(field) or field.strip().casefold(), []).append(field)
    return [
        f"the fields {', '.join(map(repr, rivals))} are one column to the tab: leave all but one out"
        for rivals in columns.values()
        if len(rivals) > 1
    ]


def _missing(tab: Tab, key: str, fields: Iterable[str], *, makes_rows: bool, extend: bool) -> list[str]:
    """Say which columns are missing and will not be made."""
    missing = [field for field in fields if not tab.header.columns_of(field)]
    problems = []
    if not makes_rows and not tab.exists:
        return [f"there is no tab {tab.title!r} yet, so it has no rows to update or delete"]
    if key in missing and not makes_rows:
        missing.remove(key)
        problems.append(
            f"the tab {tab.title!r} has no column {key!r}{_hint(key, tab.header.names)}, by which rows are found"
        )
    if missing and not extend:
        named = ", ".join(f"{field!r}{_hint(field, tab.header.names)}" for field in missing)
        problems.append(f"the tab {tab.title!r} has no column {named}; options={{'header': 'extend'}} appends columns")
    return problems


def _hint(written: str, known: Sequence[str]) -> str:
    """Return what may have been meant, in brackets."""
    folded = {name.strip().casefold(): name for name in known if name.strip()}
    close = get_close_matches(written.strip().casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f" (did you mean {folded[close[0]]!r}?)"
    return f" (it has {', '.join(map(repr, folded.values()))})" if folded else " (it has none)"
