"""The faults that only this fake can act out: answers in the vendor's words, and rows that go wrong inside a call.

Connections that break, delays and foreign statuses come from the sandbox around the fakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.salesforce.sandbox.errors import EXPIRED_TEXT, ApiError, RowError

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.sandbox.org import Org

FAULTS: Mapping[str, str] = {
    "session_expired": "401 INVALID_SESSION_ID, nothing is executed; `scope` 'all' (default): every session has ended,"
    " 'call': this call only is refused.",
    "session_refused": "401 'This session is not valid for use with the REST API', which no new login mends.",
    "instance_moved": "The org moves: 401, the old host and all tokens are dead, logins name a new instance_url.",
    "total_limit": "403 REQUEST_LIMIT_EXCEEDED, the requests of 24 hours are used up.",
    "concurrent_limit": "403 REQUEST_LIMIT_EXCEEDED, too many requests run for more than 20 seconds.",
    "api_disabled": "403 API_DISABLED_FOR_ORG.",
    "server_unavailable": "503 SERVER_UNAVAILABLE as JSON, nothing is executed.",
    "unknown_exception": "500 UNKNOWN_EXCEPTION as JSON, nothing is executed.",
    "login_refused": "400 invalid_grant 'authentication failure' (SOAP: INVALID_LOGIN), whatever the credentials.",
    "usage_jump": "Other clients use up the API requests up to `share` (0.95) of the allocation; the call goes on.",
    "locator_expired": "400 INVALID_QUERY_LOCATOR for the next page of a query.",
    "row_lock": "Rows fail with UNABLE_TO_LOCK_ROW; the arguments of row_error choose them.",
    "apex_limit": "Rows fail with TOO_MANY_APEX_REQUESTS; the arguments of row_error choose them.",
    "trigger_limit": "Every row fails with CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY, a trigger used too much CPU time.",
    "storage_full": "Rows fail with STORAGE_LIMIT_EXCEEDED; `first` is the number of the first such row, from 0.",
    "duplicate_race": "Another client creates the record first: rows that would create one fail with DUPLICATE_VALUE,"
    " and an upsert that is repeated updates it; the arguments of row_error choose them.",
    "row_error": "Rows fail with `code` and `message`; `rows` lists them from 0, or `share` (1.0) of them, evenly.",
    "rows_missing": "The answer leaves out its last `count` (1) results, against the vendor's promise.",
    "rows_shuffled": "The answer's results come in reverse order, against the vendor's promise.",
}

_ANSWERS: Mapping[str, tuple[int, str, str]] = {
    "session_refused": (401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API"),
    "total_limit": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "concurrent_limit": (403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
    "api_disabled": (403, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"),
    "server_unavailable": (503, "SERVER_UNAVAILABLE", "Server Unavailable"),
    "unknown_exception": (
        500,
        "UNKNOWN_EXCEPTION",
        "An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345 (-1234567)",
    ),
}
_ROW_ANSWERS: Mapping[str, tuple[str, str]] = {
    "row_lock": ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 200 records: {0}"),
    "apex_limit": ("TOO_MANY_APEX_REQUESTS", "Too many Apex requests are being processed, try again later"),
    "trigger_limit": (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "ScoreTrigger: execution of BeforeUpdate caused by: System.LimitException: Apex CPU time limit exceeded",
    ),
    "storage_full": ("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded"),
}

Fault = Mapping[str, Any]


def before_login(fault: Fault | None) -> bool:
    """Tell whether the login is to be refused."""
    return fault is not None and fault["mode"] == "login_refused"


def before_call(fault: Fault | None, org: Org) -> None:
    """Act out a fault of the whole call, before anything is executed.

    :raises ApiError: the answer of the fault.
    """
    if fault is None:
        return
    mode = fault["mode"]
    if mode == "usage_jump":
        org.usage.jump(float(fault.get("share", 0.95)))
    elif mode in {"session_expired", "instance_moved"}:
        if mode == "instance_moved":
            org.sessions.move()
        elif fault.get("scope", "all") == "all":
            org.sessions.close_all()
        raise ApiError(401, "INVALID_SESSION_ID", EXPIRED_TEXT)
    elif mode in _ANSWERS:
        raise ApiError(*_ANSWERS[mode])


def refused_rows(fault: Fault | None, count: int) -> Mapping[int, RowError]:
    """Say which rows of a call fail by a fault, and with what."""
    mode = (fault or {}).get("mode")
    if fault is None or not (mode in _ROW_ANSWERS or mode == "row_error"):
        return {}
    if mode == "row_error":
        error = RowError(str(fault.get("code", "UNKNOWN_EXCEPTION")), str(fault.get("message", "row error")))
    else:
        code, message = _ROW_ANSWERS[str(mode)]
        error = RowError(code, message.format("001Fk0000000001"))
    if mode == "storage_full":
        return dict.fromkeys(range(int(fault.get("first", 0)), count), error)
    return dict.fromkeys(chosen_rows(fault, count), error)


def raced_rows(fault: Fault | None, count: int) -> frozenset[int]:
    """Say which rows of a call lose a race against another client."""
    return chosen_rows(fault, count) if fault is not None and fault["mode"] == "duplicate_race" else frozenset()


def chosen_rows(fault: Fault, count: int) -> frozenset[int]:
    """Pick the rows that a fault is about: those that it lists, or an evenly spread share."""
    if "rows" in fault:
        return frozenset(int(row) for row in fault["rows"])
    share = float(fault.get("share", 1.0))
    return frozenset(row for row in range(count) if int((row + 1) * share) > int(row * share))


def after_rows(fault: Fault | None, results: list[dict[str, object]]) -> list[dict[str, object]]:
    """Spoil the results of a collections call, if the fault is one that does."""
    mode = (fault or {}).get("mode")
    if mode == "rows_missing":
        return results[: max(0, len(results) - int((fault or {}).get("count", 1)))]
    return results[::-1] if mode == "rows_shuffled" else results
