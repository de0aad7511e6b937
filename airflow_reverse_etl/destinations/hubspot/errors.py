"""Reads what a refused call means, by HubSpot's pages "Error handling" and "Usage guidelines"."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow_reverse_etl.destinations.hubspot.words import Refusal, mapping, mappings, read_refusal, texts
from airflow_reverse_etl.destinations.rest import retry_after
from airflow_reverse_etl.errors import (
    BatchRejectedError,
    FatalError,
    PatienceSpentError,
    RetryableError,
    SyncError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_reverse_etl.destinations.rest import Answer

NO_SUCH_OBJECT = ("Unable to infer object type", "Invalid object or event type id")
RATE_LIMITS = frozenset({"RATE_LIMITS", "RATE_LIMIT"})
WINDOW_SECONDS = 10.0
LOCK_SECONDS = 2.0
"""HubSpot's page on 423: locks last two seconds."""

NEVER_REACHED = frozenset({521, 523, 525, 526})
"""HubSpot's edge says that it got no connection to the server behind it, so nothing can have been written. The others
leave it open: 522 is sent, too, when a server falls silent after it had the request, and so may be 500, 502, 504, 520
and 524. (503, 408 and 429 are refusals in themselves: the common table has them.)"""


class ForbiddenError(FatalError):
    """The token may not do this."""


class NotThereError(FatalError):
    """HubSpot has no such address or object type."""


class DuplicateIdsError(BatchRejectedError):
    """The batch names one record twice; HubSpot wrote none of it and says which.

    :param ids: the record ids or key values that HubSpot named.
    """

    def __init__(self, refusal: Refusal, ids: tuple[str, ...]) -> None:
        super().__init__(refusal.message, code=refusal.code)
        self.ids = ids


def judge(answer: Answer, zone: str = "UTC") -> SyncError | None:
    """Return the error that a refused call means, or None to let the common table decide.

    :param zone: the account's time zone; its daily quota begins anew at midnight there.
    """
    body = mapping(answer.body)
    refusal = read_refusal(body)
    match answer.status:
        case 429:
            return _rate_limit(answer, body, zone)
        case 400 | 409 | 422:
            return _refused(answer, body, refusal)
        case 401 | 403 | 404:
            return _kept_out(answer.status, body, refusal)
        case status if status >= 500 and refusal.category in RATE_LIMITS:
            return _rate_limit(answer, body, zone)
    return _not_now(answer, refusal)


def _not_now(answer: Answer, refusal: Refusal) -> RetryableError | None:
    """Return the error of a call that was surely not carried out and may be made later."""
    wait = retry_after(answer.headers)
    match answer.status:
        case 423:
            message = f"HubSpot has locked the account for a moment{_said(refusal)}"
            return RetryableError(message, retry_after=max(LOCK_SECONDS, wait or 0.0), code="LOCKED")
        case 477:
            message = f"HubSpot is moving the account to another data centre{_said(refusal)}"
            return RetryableError(message, retry_after=wait, code="MIGRATION")
        case status if status in NEVER_REACHED:
            message = f"HubSpot's edge cannot reach its servers (HTTP {status})"
            return RetryableError(message, retry_after=wait, code=f"HTTP_{status}")
    return None


def _kept_out(status: int, body: Mapping[str, Any], refusal: Refusal) -> FatalError:
    """Return the error of a call that no other token or address would have met."""
    match status:
        case 401:
            return _unauthorized(refusal)
        case 403:
            return _forbidden(body, refusal)
    message = f"HubSpot has nothing at this address{_said(refusal)}; check the object and the connection's api_version"
    return NotThereError(message, code="HTTP_404")


def _rate_limit(answer: Answer, body: Mapping[str, Any], zone: str) -> SyncError:
    """Tell the limits apart by HubSpot's name of the policy, else by its words."""
    policy = str(body.get("policyName") or body.get("message") or "").lower()
    asked = retry_after(answer.headers)
    if "daily" in policy:
        message = "HubSpot's calls of this day are spent; they begin anew at midnight in the account's time zone"
        wait = seconds_until_midnight(zone) if asked is None else asked
        return PatienceSpentError(message, retry_after=wait, code="DAILY")
    if "secondly" in policy and "ten" not in policy:
        wait = 1.0
    else:
        wait = _milliseconds(answer.headers.get("X-HubSpot-RateLimit-Interval-Milliseconds")) or WINDOW_SECONDS
    message = "HubSpot allows no more calls for the moment"
    return RetryableError(message, retry_after=wait if asked is None else asked, code="RATE_LIMITS")


def _milliseconds(written: str | None) -> float | None:
    """Return a header's milliseconds as seconds."""
    return int(written) / 1000 if written and written.strip().isdigit() else None


def seconds_until_midnight(zone: str, now: dt.datetime | None = None) -> float:
    """Return how long a day still lasts in a zone; UTC where HubSpot names one that this machine does not know."""
    try:
        there = ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        there = ZoneInfo("UTC")
    moment = (now or dt.datetime.now(dt.UTC)).astimezone(there)
    midnight = dt.datetime.combine(moment.date() + dt.timedelta(days=1), dt.time(), there)
    return (midnight.astimezone(dt.UTC) - moment.astimezone(dt.UTC)).total_seconds()


def _refused(answer: Answer, body: Mapping[str, Any], refusal: Refusal) -> SyncError | None:
    """Tell a refusal that would meet every batch from one that a row of this batch caused."""
    message = refusal.message
    if message.startswith(NO_SUCH_OBJECT):
        return NotThereError(message, code="UNKNOWN_OBJECT")
    if "by non-unique" in message:
        advice = "HubSpot does not take this property as a key here; use a custom property that requires unique values"
        return FatalError(f"{message}: {advice}", code="NON_UNIQUE_PROPERTY")
    ids = texts(mapping(body.get("context")).get("ids"))
    if ids and message.startswith("Duplicate IDs"):
        return DuplicateIdsError(refusal, tuple(ids))
    if not message:
        return None
    code = refusal.code if body.get("category") or refusal.fields else f"HTTP_{answer.status}"
    return BatchRejectedError(message, code=code, fields=refusal.fields)


def _unauthorized(refusal: Refusal) -> FatalError:
    """Return the error of a refused token, without HubSpot's words: they could repeat it."""
    reason = refusal.category or "HTTP_401"
    message = (
        f"HubSpot refused the access token ({reason}): it is wrong, expired or revoked; "
        f"put a valid one into the connection's password"
    )
    return FatalError(message, code=reason)


def _forbidden(body: Mapping[str, Any], refusal: Refusal) -> ForbiddenError:
    """Return the error of a token that may not do this, with the scopes that it lacks."""
    scopes: list[str] = []
    for detail in [body, *mappings(body.get("errors"))]:
        context = mapping(detail.get("context"))
        for name in ("requiredGranularScopes", "requiredScopes", "missingScopes"):
            scopes.extend(texts(context.get(name)))
    if scopes:
        named = ", ".join(dict.fromkeys(scopes))
        message = f"the access token lacks scopes: grant one of {named} to the service key or app that it belongs to"
    else:
        message = f"the access token may not do this{_said(refusal)}"
    return ForbiddenError(message, code=refusal.category or "HTTP_403")


def _said(refusal: Refusal) -> str:
    """Return HubSpot's words as the end of a sentence."""
    return f" ({refusal.message.rstrip('.')})" if refusal.message else ""
