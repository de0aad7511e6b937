"""What a task's options say, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from airflow_reverse_etl.destinations.google_sheets import OPTIONS
from airflow_reverse_etl.errors import ConfigurationError

IN_AN_ADDRESS = re.compile(r"/spreadsheets/(?:u/\d+/)?d/([\w-]+)(?:[/?#]|$)", re.ASCII)
AN_ID = re.compile(r"[\w-]+", re.ASCII)
FLAGS = {True: True, False: False, "true": True, "false": False}


@dataclass(frozen=True)
class Options:
    """The options of a task.

    :param extend: fields without a column get one.
    :param create_tab: a tab that is missing is made.
    :param typed: values go in as if typed by a person.
    :param timezone: None means the spreadsheet's own.
    """

    spreadsheet_id: str
    extend: bool
    create_tab: bool
    typed: bool
    timezone: str | None


def read_options(given: Mapping[str, Any]) -> Options:
    """Return the options.

    :raises ConfigurationError: all that is wrong with them, in one message.
    """
    number, problem = _spreadsheet(given.get("spreadsheet_id"))
    problems = [problem] if problem else []
    choices = {}
    for name, default in (("header", "extend"), ("input", "raw")):
        choices[name] = given.get(name) or default
        if choices[name] not in OPTIONS[name]:
            problems.append(
                f"the option `{name}` is {choices[name]!r}; write one of {', '.join(map(repr, OPTIONS[name]))}"
            )
    flag = given.get("create_tab") or False
    create_tab = FLAGS.get(flag.lower() if isinstance(flag, str) else flag)
    if create_tab is None:
        problems.append(f"the option `create_tab` is {flag!r}; write True or False")
    zone = given.get("timezone") or None
    if zone and not is_zone(zone):
        problems.append(f"the option `timezone` is {zone!r}, which is no IANA zone; write it as in 'Europe/Berlin'")
    if problems:
        raise ConfigurationError("; ".join(problems))
    return Options(number, choices["header"] == "extend", bool(create_tab), choices["input"] == "user_entered", zone)


def is_zone(name: Any) -> bool:
    """Whether this is the name of a time zone that Python knows."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, TypeError, LookupError):  # a name that is none, a directory, no text, unknown
        return False
    return True


def _spreadsheet(written: Any) -> tuple[str, str]:
    """Return the spreadsheet's id, and what is wrong with it."""
    text = str(written or "").strip()
    where = "the part after /d/ in the spreadsheet's address, or all of the address"
    if not text:
        return "", f"the option `spreadsheet_id` is missing: write {where}"
    found = IN_AN_ADDRESS.search(text)
    number = found[1] if found else text
    if not AN_ID.fullmatch(number) or number == "e":  # /d/e/ is the address of a published copy
        return "", f"the option `spreadsheet_id` is {text!r}, which is no id of a spreadsheet: write {where}"
    return number, ""
