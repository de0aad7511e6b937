"""Bad days of Google Sheets that a test can order for a single request, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

from airflow_reverse_etl.destinations.google_sheets.sandbox import a1
from airflow_reverse_etl.destinations.google_sheets.sandbox.book import Book
from airflow_reverse_etl.destinations.google_sheets.sandbox.cells import Cell
from airflow_reverse_etl.destinations.google_sheets.sandbox.entered import shown
from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import (
    ApiError,
    api_disabled,
    bad_token,
    invalid,
    no_permission,
    not_found,
    protected,
    too_many,
)
from airflow_reverse_etl.destinations.google_sheets.sandbox.grid import Tab
from airflow_reverse_etl.destinations.google_sheets.sandbox.protection import Protection

Fault = Mapping[str, object]

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "quota": '429 RESOURCE_EXHAUSTED as if the minute were used up; `per`: "user" (default) or "project".',
        "token_expired": "401 UNAUTHENTICATED, and every access token given out so far ends.",
        "invalid_grant": "The token endpoint refuses the service account: its key was deleted.",
        "no_permission": "403 PERMISSION_DENIED: the spreadsheet is not shared with the service account.",
        "api_disabled": "403 PERMISSION_DENIED: the Sheets API is switched off in the project.",
        "not_found": "404 NOT_FOUND: the spreadsheet is gone.",
        "protected": "400 INVALID_ARGUMENT: somebody protected the cells.",
        "internal": "500 INTERNAL; `after`: true carries the request out first.",
        "unavailable": "503 UNAVAILABLE; `after`: true carries the request out first.",
        "deadline": "504 DEADLINE_EXCEEDED (180 seconds at Google); `after`: true carries the request out first.",
        "person_inserts_rows": "Right before the request a person inserts rows: `tab`, `row` (2), `count` (1).",
        "person_deletes_rows": "Right before the request a person deletes rows: `tab`, `row` (2), `count` (1).",
        "person_sorts": 'Right before the request a person sorts the rows below the header: `tab`, `column` ("A").',
        "person_renames_column": "Right before the request a person changes a header: `tab`, `column`, `title`.",
        "person_protects_tab": "Right before the request a person protects the tab against the service account: `tab`.",
    }
)

SERVER_ERRORS: Mapping[str, tuple[int, str, str]] = {
    "internal": (500, "INTERNAL", "Internal error encountered."),
    "unavailable": (503, "UNAVAILABLE", "The service is currently unavailable."),
    "deadline": (504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}


INVALID_GRANT: tuple[int, Mapping[str, object]] = (
    400,
    {"error": "invalid_grant", "error_description": "Invalid grant: account not found"},
)


def refusal(fault: Fault, *, write: bool) -> ApiError | None:
    """The answer that the fault puts in place of any work."""
    mode = str(fault.get("mode"))
    simple: Mapping[str, Callable[[], ApiError]] = {
        "no_permission": no_permission,
        "api_disabled": api_disabled,
        "not_found": not_found,
        "protected": protected,
    }
    if mode in simple:
        return simple[mode]()
    if mode == "quota":
        per_user = fault.get("per", "user") == "user"
        return too_many(write=write, per_user=per_user, limit=60 if per_user else 300)
    if mode == "token_expired":
        return bad_token(expired=True)
    return server_error(fault, after=False)


def server_error(fault: Fault, *, after: bool) -> ApiError | None:
    """The 5xx of the fault, if this is its time: before the work or after it."""
    error = SERVER_ERRORS.get(str(fault.get("mode")))
    if error is None or bool(fault.get("after")) != after:
        return None
    return ApiError(*error)


def meddle(fault: Fault, book: Book) -> None:
    """Let a person change the spreadsheet, if the fault says so.

    :raises ApiError: 400 if the fault names no tab that is there: a mistake of the test.
    """
    person = PEOPLE.get(str(fault.get("mode")))
    if person is None:
        return
    tab = book.named(str(fault.get("tab")))
    if tab is None:
        raise invalid(f"The fault {fault.get('mode')} names the tab {fault.get('tab')!r}, which is not there.")
    person(book.writable(tab.sheet_id), fault)


def _insert_rows(tab: Tab, fault: Fault) -> None:
    tab.insert("ROWS", _row(fault), cast("int", fault.get("count", 1)), None)


def _delete_rows(tab: Tab, fault: Fault) -> None:
    tab.delete("ROWS", _row(fault), cast("int", fault.get("count", 1)))


def _sort(tab: Tab, fault: Fault) -> None:
    column = a1.column_index(str(fault.get("column", "A")))
    header, body = tab.rows[:1], tab.rows[1:]
    tab.rows = header + sorted(body, key=lambda row: _order(row[column] if column < len(row) else None))


def _order(cell: Cell) -> tuple[int, float, str]:
    """Numbers before text before nothing, as the browser sorts."""
    value = shown(cell)
    if isinstance(value, int | float):
        return 0, value, ""
    return (2, 0, "") if value is None else (1, 0, str(value))


def _rename(tab: Tab, fault: Fault) -> None:
    tab.write(0, a1.column_index(str(fault.get("column"))), [[str(fault.get("title"))]])


def _protect(tab: Tab, _: Fault) -> None:
    tab.protections[-1] = Protection(-1, a1.Box(), ("owner@example.com",))


def _row(fault: Fault) -> int:
    return cast("int", fault.get("row", 2)) - 1


PEOPLE: Mapping[str, Callable[[Tab, Fault], None]] = {
    "person_inserts_rows": _insert_rows,
    "person_deletes_rows": _delete_rows,
    "person_sorts": _sort,
    "person_renames_column": _rename,
    "person_protects_tab": _protect,
}
