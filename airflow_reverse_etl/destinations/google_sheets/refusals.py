"""What Google's refusals mean (Cloud API Design Guide, "Errors"; Sheets API guide, "Usage limits")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_reverse_etl.destinations.rest import Answer, retry_after
from airflow_reverse_etl.errors import BatchRejectedError, FatalError, RetryableError, SyncError, UnknownOutcomeError

QUOTA = ("RATE_LIMIT_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded")

OUTDATED = (
    "exceeds grid limits",
    "unable to parse range",
    "no grid with id",
    "doesn't exist",
    "non-frozen row",
    "already exists",
    "is after last row",
    "is after last column",
)
"""Words with which Google refuses what does not fit the tab as it is: somebody changed it since we looked, or our own
call, whose answer was lost, did."""


def outdated(error: BatchRejectedError) -> bool:
    """Whether a refusal may come from looking at an old picture of the tab."""
    words = str(error).lower()
    return any(said in words for said in OUTDATED)


def protected(error: BatchRejectedError) -> bool:
    """Whether a refusal is about a protected range; the title of a tab, which some refusals quote, says nothing."""
    return "protected" in str(error).lower() and not outdated(error)


def judge(answer: Answer, who: str) -> SyncError | None:
    """Return what a refusal means, or None for the table that all applications share.

    :param who: the account that the spreadsheet must be shared with.
    """
    error = _envelope(answer)
    status, words = str(error.get("status") or ""), str(error.get("message") or "")
    if answer.status == 408 or answer.status >= 500:  # also 503: the work may have been done before it
        message = f"Google Sheets answered HTTP {answer.status}" + (f": {words}" if words else "")
        return UnknownOutcomeError(message, code=status or f"HTTP_{answer.status}")
    reason = _reason(error)
    if answer.status == 429 or reason in QUOTA:
        message = "Google Sheets allows so many calls a minute, and they are spent" + (f" ({words})" if words else "")
        return RetryableError(message, retry_after=retry_after(answer.headers), code="RATE_LIMIT_EXCEEDED")
    if answer.status == 413:
        return BatchRejectedError("the request is larger than Google Sheets takes", code="TOO_LARGE")
    match status:
        case "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE":
            return BatchRejectedError(words or status, code=status)
        case "ABORTED":
            return RetryableError(f"Google Sheets was busy with another change: {words}", code=status)
    sentence = _stop(status, reason, who)
    return FatalError(f"{sentence} ({words})", code=status) if sentence else None


def _stop(status: str, reason: str, who: str) -> str | None:
    """Return a sentence for what no retry would help."""
    match status, reason:
        case "PERMISSION_DENIED", "SERVICE_DISABLED":
            return "the Sheets API is not enabled in the Google Cloud project of the service account: enable it there"
        case "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT":
            return f"the access token of {who} lacks the scope of Google Sheets: use a service account's key"
        case "PERMISSION_DENIED", _:
            return f"the spreadsheet is not shared with {who} as an editor: share it"
        case "NOT_FOUND", _:
            return "there is no such spreadsheet: check the option `spreadsheet_id`"
        case "UNAUTHENTICATED", _:
            return f"Google refuses the access token of {who}"
    return None


def _envelope(answer: Answer) -> Mapping[str, Any]:
    error = answer.body.get("error") if isinstance(answer.body, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def _reason(error: Mapping[str, Any]) -> str:
    lists = [found for name in ("details", "errors") if isinstance(found := error.get(name), list)]
    items = [item for found in lists for item in found if isinstance(item, Mapping)]
    return next((str(item["reason"]) for item in items if "reason" in item), "")
