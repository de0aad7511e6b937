"""What a call means that Salesforce refused as a whole, by its own error codes."""

from __future__ import annotations

from typing import Any

from airflow_reverse_etl.destinations.rest import Answer, default_error, retry_after
from airflow_reverse_etl.errors import (
    BatchRejectedError,
    FatalError,
    PatienceSpentError,
    RetryableError,
    SyncError,
)

NAME = "Salesforce"

NOT_APPLIED = frozenset(
    {
        "API_TEMPORARILY_UNAVAILABLE",
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
        "SERVER_UNAVAILABLE",
        "TERRITORY_REALIGN_IN_PROGRESS",
        "UNABLE_TO_LOCK_ROW",
    }
)
"""Codes that say "not now" and that nothing was done (SOAP API Developer Guide, "StatusCode")."""

ADVICE = {
    "API_DISABLED_FOR_ORG": "the user's profile needs 'API Enabled', and the edition of the org an API",
    "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": "the user's password has expired: set a new one in Salesforce",
    "UNSUPPORTED_API_VERSION": "set the connection's extra 'version' to one that Salesforce still has",
}


def judge(answer: Answer) -> SyncError | None:
    """Return the error that a refusal means; None where Salesforce said nothing itself (a proxy's HTML, no body)."""
    code, words, fields = told(answer.body)
    if not code:
        return None
    message = f"{NAME} answered HTTP {answer.status} {code}: {words}"
    if code in ADVICE:
        message += f"; {ADVICE[code]}"
    if code == "REQUEST_LIMIT_EXCEEDED":
        # two limits share this code: requests at once, which passes, and requests a day, which does not
        busy = "concurrent" in words.lower()
        kind = RetryableError if busy else PatienceSpentError
        return kind(message, retry_after=retry_after(answer.headers), code=code)
    if code in NOT_APPLIED or answer.status == 420:
        return RetryableError(message, retry_after=retry_after(answer.headers), code=code)
    if answer.status == 401:
        hint = "the session was refused even when new, or the connection holds a session_id, which cannot be renewed"
        return FatalError(f"{message}; {hint}", code=code)
    return _by_status(answer, message, code, fields)


def _by_status(answer: Answer, message: str, code: str, fields: tuple[str, ...]) -> SyncError:
    """Return what the status means by itself, in Salesforce's words."""
    error = default_error(answer, NAME)
    if isinstance(error, BatchRejectedError):
        return BatchRejectedError(message, code=code, fields=fields)
    if isinstance(error, RetryableError):
        return RetryableError(message, retry_after=error.retry_after, code=code)
    return FatalError(message, code=code) if isinstance(error, FatalError) else type(error)(message, code=code)  # type: ignore[call-arg]  # the one left takes a code


def told(body: Any) -> tuple[str, str, tuple[str, ...]]:
    """Return code, words and fields of an error body, in any of its forms; the code is empty where it is none.

    Most are a list of `{errorCode, message, fields}`; OAuth answers `{error, error_description}`, older endpoints
    `{exceptionCode, exceptionMessage}`.
    """
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return "", "", ()
    code = first.get("errorCode") or first.get("statusCode") or first.get("exceptionCode") or first.get("error")
    words = first.get("message") or first.get("exceptionMessage") or first.get("error_description") or ""
    fields = first.get("fields")
    return (
        code if isinstance(code, str) else "",
        str(words).strip(),
        tuple(map(str, fields)) if isinstance(fields, list) else (),
    )
