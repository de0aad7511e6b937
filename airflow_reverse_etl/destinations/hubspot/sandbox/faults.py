"""Misbehaviour that only HubSpot shows: its refusals on order, and answers that leave a client in doubt."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_reverse_etl.destinations.hubspot.sandbox.answers import Refusal, rate_limited, unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_reverse_etl.destinations.hubspot.sandbox.answers import Answer
    from airflow_reverse_etl.destinations.hubspot.sandbox.call import Call

FAULTS: Mapping[str, str] = {
    "rate_burst": "429 TEN_SECONDLY_ROLLING; `retry_after` (seconds or an HTTP date) adds the header HubSpot omits.",
    "rate_daily": "429 DAILY.",
    "rate_secondly": "429 of the search, which says secondly.",
    "rate_limits_as_500": "500 whose category is RATE_LIMITS.",
    "locked": "423: the portal is locked for about two seconds by a large write.",
    "migrating": "477 with Retry-After (`retry_after`, 3 s): the account is being moved to another data centre.",
    "token_expired": "401 EXPIRED_AUTHENTICATION.",
    "token_revoked": "401 INVALID_AUTHENTICATION.",
    "scopes_missing": "403 MISSING_SCOPES.",
    "conflict_for_batch": "409 for the whole batch in spite of trace ids; nothing is written.",
    "email_not_unique": "400: `email` is refused as idProperty, as some portals do.",
    "unknown_property_dropped": "A property that does not exist is dropped in silence.",
    "empty_results": "Success without results; nothing is written, unless `written` is true.",
    "row_missing": "One row is in neither results nor errors; it is written, unless `written` is false.",
    "results_reversed": "Results come in the opposite order of the inputs.",
    "results_doubled": "Each result comes twice.",
    "results_without_trace_ids": "Results do not repeat the trace ids.",
    "errors_by_id": "Errors name the ids of their rows, not the trace ids.",
    "errors_without_context": "Errors do not say which row they mean.",
    "errors_together": "Errors of one category come as one, which names all their rows.",
    "errors_miscounted": "numErrors is not the number of errors.",
    "message_truncated": "Messages are cut at `length` (120) characters, in the middle of their JSON.",
    "extra_fields": "Objects of the answer have members that nobody has heard of.",
    "odd_status": "`status` (202) instead of 200 or 201.",
    "headers_missing": "The rate limit headers are left out.",
    "search_counts_first": "A search counts what is written already, and shows what its index knows.",
}


def refuse(fault: Mapping[str, Any]) -> None:
    """Answer a canned refusal, if a fault is one. Nothing has been done then, and nothing is counted.

    :raises Refusal: it is.
    """
    wait = fault.get("retry_after")
    headers = {} if wait is None else {"retry-after": str(wait)}
    match fault.get("mode"):
        case "rate_burst":
            refused = rate_limited("TEN_SECONDLY_ROLLING", str(uuid.uuid4()))
        case "rate_daily":
            refused = rate_limited("DAILY", str(uuid.uuid4()))
        case "rate_secondly":
            refused = rate_limited("SECONDLY", "")
        case "rate_limits_as_500":
            refused = Refusal(500, "internal error", "RATE_LIMITS")
        case "locked":
            refused = Refusal(423, "The resource that is being accessed is locked", "LOCKED")
        case "migrating":
            headers.setdefault("retry-after", "3")
            refused = Refusal(477, "This account is being migrated.", "MIGRATION_IN_PROGRESS")
        case "token_expired":
            refused = unauthorized(expired=True)
        case "token_revoked":
            refused = unauthorized()
        case _:
            return
    refused.headers = headers
    raise refused


def spoil(call: Call, answer: Answer) -> None:
    """Change an answer as the fault of this call demands; what was done stays done. Most change batches only."""
    spoiler = _SPOILERS.get(call.mode)
    if spoiler is not None and answer.body is not None and (call.rows or call.mode in _ANY_BODY):
        spoiler(call, answer, answer.body)


def _empty_results(_call: Call, _answer: Answer, body: dict[str, Any]) -> None:
    body["results"] = []


def _row_missing(call: Call, _answer: Answer, body: dict[str, Any]) -> None:
    if call.fault.get("written", True) and body.get("results"):
        body["results"].pop()


def _results_reversed(call: Call, _answer: Answer, body: dict[str, Any]) -> None:
    order = {row.get("objectWriteTraceId") or row.get("id"): place for place, row in enumerate(_inputs(call))}

    def place(result: Any) -> int:
        trace = result.objectWriteTraceId
        return order.get(result.id if trace is msgspec.UNSET else trace, 0)

    body["results"].sort(key=place, reverse=True)


def _results_doubled(_call: Call, _answer: Answer, body: dict[str, Any]) -> None:
    body["results"] = [result for result in body["results"] for _ in range(2)]


def _results_without_trace_ids(_call: Call, _answer: Answer, body: dict[str, Any]) -> None:
    for result in body["results"]:
        result.objectWriteTraceId = msgspec.UNSET


def _errors_by_id(call: Call, _answer: Answer, body: dict[str, Any]) -> None:
    ids = {row.get("objectWriteTraceId"): row.get("id", "") for row in _inputs(call)}
    for error in body.get("errors", ()):
        traces = error["context"].pop("objectWriteTraceId", [])
        error["context"].setdefault("ids", [ids[trace] for trace in traces])


def _errors_without_context(_call: Call, _answer: Answer, body: dict[str, Any]) -> None:
    for error in body.get("errors", ()):
        error.pop("context", None)


def _errors_together(_call: Call, _answer: Answer, body: dict[str, Any]) -> None:
    together: dict[str, dict[str, Any]] = {}
    for error in body.get("errors", ()):
        first = together.setdefault(error["category"], error)
        if first is not error:
            for name, values in error["context"].items():
                first["context"].setdefault(name, []).extend(values)
    if together:
        body |= {"errors": list(together.values()), "numErrors": len(together)}


def _errors_miscounted(_call: Call, _answer: Answer, body: dict[str, Any]) -> None:
    body["numErrors"] = len(body.get("errors", ())) + 1


def _message_truncated(call: Call, _answer: Answer, body: dict[str, Any]) -> None:
    length = int(call.fault.get("length", 120))
    for error in (body, *body.get("errors", ())):
        if "message" in error:
            error["message"] = error["message"][:length]


def _extra_fields(_call: Call, _answer: Answer, body: dict[str, Any]) -> None:
    plain = msgspec.to_builtins(body)
    body.clear()
    body.update(plain)
    for one in (body, *body.get("results", ()), *body.get("errors", ())):
        one["x_new_in_2027"] = {"level": 7, "tags": [None, True]}


def _odd_status(call: Call, answer: Answer, _body: dict[str, Any]) -> None:
    if answer.status in (200, 201):
        answer.status = int(call.fault.get("status", 202))


_SPOILERS: Mapping[str, Callable[[Call, Answer, dict[str, Any]], None]] = {
    "empty_results": _empty_results,
    "row_missing": _row_missing,
    "results_reversed": _results_reversed,
    "results_doubled": _results_doubled,
    "results_without_trace_ids": _results_without_trace_ids,
    "errors_by_id": _errors_by_id,
    "errors_without_context": _errors_without_context,
    "errors_together": _errors_together,
    "errors_miscounted": _errors_miscounted,
    "message_truncated": _message_truncated,
    "extra_fields": _extra_fields,
    "odd_status": _odd_status,
}


_ANY_BODY = ("message_truncated", "extra_fields", "odd_status")


def _inputs(call: Call) -> list[dict[str, Any]]:
    parsed = msgspec.json.decode(call.body)
    return parsed.get("inputs", []) if isinstance(parsed, dict) else []
