"""What is asked for against what the spreadsheet has: before a row moves, and without writing anything."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_reverse_etl.destinations.google_sheets.tab import Tab
from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import JobType

IN_AN_ADDRESS = re.compile(r"/spreadsheets/d/([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class Options:
    """The options of a task, checked."""

    spreadsheet_id: str
    extend: bool
    create_tab: bool
    typed: bool
    timezone: str | None


def options(given: Mapping[str, Any]) -> Options:
    """Return the options.

    :raises ConfigurationError: the spreadsheet is not named, or a zone is none.
    """
    written = str(given.get("spreadsheet_id") or "").strip()
    if not written:
        message = (
            "the option `spreadsheet_id` is missing: the part after /d/ in the spreadsheet's address, or all of it"
        )
        raise ConfigurationError(message)
    found = IN_AN_ADDRESS.search(written)
    zone = given.get("timezone")
    if zone:
        _known_zone(str(zone))
    return Options(
        spreadsheet_id=found.group(1) if found else written,
        extend=given.get("header", "extend") == "extend",
        create_tab=str(given.get("create_tab", False)).lower() == "true",
        typed=given.get("input", "raw") == "user_entered",
        timezone=str(zone) if zone else None,
    )


def _known_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        message = f"the option `timezone` is {name!r}, which is no IANA zone; write it as in 'Europe/Berlin'"
        raise ConfigurationError(message) from None


def find_tab(about: Mapping[str, Any], title: str, *, create: bool) -> Tab:
    """Return the tab with this title; one to be created has no number yet.

    :raises ConfigurationError: there is none, or it holds no cells.
    """
    tabs = [sheet.get("properties", {}) for sheet in about.get("sheets", [])]
    found = next((tab for tab in tabs if tab.get("title") == title), None)
    if found is None and create:
        return Tab(title, sheet_id=secrets.randbelow(2**31 - 1) + 1, exists=False)
    titles = [str(tab.get("title")) for tab in tabs]
    if found is None:
        close = get_close_matches(title, titles, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(map(repr, titles))}"
        message = f"the spreadsheet has no tab {title!r} ({hint}); options={{'create_tab': True}} makes it"
        raise ConfigurationError(message)
    if found.get("sheetType", "GRID") != "GRID":
        message = f"{title!r} is no tab of cells but {found['sheetType']}"
        raise ConfigurationError(message)
    grid = found.get("gridProperties", {})
    return Tab(
        title,
        sheet_id=int(found.get("sheetId", 0)),
        rows=int(grid.get("rowCount", 0)),
        columns=int(grid.get("columnCount", 0)),
        frozen=int(grid.get("frozenRowCount", 0)),
    )


def match_header(header: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """Return field -> header, for those that the tab has; exactly, else without regard to case.

    :raises ConfigurationError: a header that is asked for stands in several columns.
    """
    names = {}
    for field in fields:
        exact = [text for text in header if text.strip() == field.strip()]
        found = exact or [text for text in header if text.strip().casefold() == field.strip().casefold()]
        if len(found) > 1:
            message = f"the header {found[0]!r} stands in {len(found)} columns of the tab: rename all but one"
            raise ConfigurationError(message)
        if found:
            names[field] = found[0]
    return names


def check_columns(
    tab: Tab, names: Mapping[str, str], fields: Sequence[str], key: str, job_types: Sequence[JobType], *, extend: bool
) -> None:
    """Refuse what cannot be written into this header.

    :raises ConfigurationError: everything that is missing, in one message.
    """
    missing = [field for field in fields if field not in names]
    listed = ", ".join(filter(None, tab.header)) or "empty"
    makes_rows = JobType.CREATE in job_types or JobType.UPSERT in job_types
    if key not in names and key not in tab.header and not makes_rows:
        message = f"the tab {tab.title!r} has no column {key!r}, by which rows are found; its header is: {listed}"
        raise ConfigurationError(message)
    if missing and not extend:
        message = (
            f"the tab {tab.title!r} has no column {', '.join(missing)}; its header is: {listed}. "
            f"options={{'header': 'extend'}} appends columns"
        )
        raise ConfigurationError(message)
