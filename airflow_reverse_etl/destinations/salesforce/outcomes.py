"""What became of each record, read from the answer to an sObject Collections call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_reverse_etl.errors import PatienceSpentError, UnknownOutcomeError
from airflow_reverse_etl.model import JobType, RecordOutcome, Status, rejected, succeeded

TRANSIENT = frozenset(
    {
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "API_TEMPORARILY_UNAVAILABLE",
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
        "PROCESSING_HALTED",
        "QUERY_TIMEOUT",
        "REQUEST_RUNNING_TOO_LONG",
        "SERVER_UNAVAILABLE",
        "TERRITORY_REALIGN_IN_PROGRESS",
        "TOO_MANY_APEX_REQUESTS",
        "UNABLE_TO_LOCK_ROW",
        "UNKNOWN_EXCEPTION",
    }
)
"""The record was not written and may be sent again (SOAP API Developer Guide, "StatusCode")."""

OF_A_TRIGGER = frozenset({"APEX_ERROR", "CANNOT_EXECUTE_FLOW_TRIGGER", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"})
PASSING_IN_A_TRIGGER = ("UNABLE_TO_LOCK_ROW", "Too many SOQL", "CPU time limit", "deadlock")
"""A trigger or flow failed; these words in its text say that it failed for the crowd it ran in, not for the record."""

GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
FULL = frozenset({"REQUEST_LIMIT_EXCEEDED", "STORAGE_LIMIT_EXCEEDED"})
"""The org has no room left: what comes after would be refused for the same reason."""


def read(
    body: Any, keys: Sequence[str], ids: Sequence[str | None], operation: JobType, key_field: str
) -> list[RecordOutcome]:
    """Read an answer, whose items stand in the order of the records.

    :param ids: the record ids that were sent, None where Salesforce gives them.
    :raises UnknownOutcomeError: the answer does not speak of exactly these records.
    :raises PatienceSpentError: the org is full, and nothing of this call was written.
    """
    if not isinstance(body, list) or len(body) != len(keys):
        got = f"{len(body)} results" if isinstance(body, list) else "no list of results" if body else "an empty body"
        raise UnknownOutcomeError(f"Salesforce answered {len(keys)} records with {got}", code="RESULT_COUNT")
    if any(_of_another(item, sent) for item, sent in zip(body, ids, strict=True)):
        raise UnknownOutcomeError(
            "Salesforce answered with the ids of other records than were sent", code="RESULT_ORDER"
        )
    outcomes = [_outcome(key, item, operation, key_field) for key, item in zip(keys, body, strict=True)]
    if outcomes and all(outcome.code in FULL for outcome in outcomes):
        raise PatienceSpentError(f"Salesforce has no room left: {outcomes[0].message}", code=outcomes[0].code)
    return outcomes


def _of_another(item: Any, sent: str | None) -> bool:
    """Whether an item names another record than the one that was sent in its place."""
    told = item.get("id") if isinstance(item, dict) else None
    return bool(sent and isinstance(told, str) and told[:15] != sent[:15])


def _outcome(key: str, item: Any, operation: JobType, key_field: str) -> RecordOutcome:
    if not isinstance(item, dict) or not isinstance(item.get("success"), bool):
        return RecordOutcome(
            key, Status.UNKNOWN, None, "NO_RESULT", "Salesforce's answer does not say what became of it"
        )
    record_id = item["id"] if isinstance(item.get("id"), str) else None
    if item["success"]:
        return succeeded(key, record_id)
    code, message, fields = _reasons(item.get("errors"))
    if code in GONE and not fields:
        if operation is JobType.DELETE:
            return succeeded(key, record_id)  # it is gone, which is what was asked for
        if operation is JobType.UPDATE:
            return rejected(key, "NOT_FOUND", f"{code}: {message}")
    status = Status.RETRYABLE if _passes(code, message, operation, key_field) else Status.REJECTED
    return RecordOutcome(key, status, record_id, code, message, fields)


def _reasons(errors: Any) -> tuple[str, str, tuple[str, ...]]:
    """Return the first code, all words and all fields of a record's errors."""
    items: list[Mapping[str, Any]] = [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    if not items:
        return "NO_REASON", "Salesforce refused the record and gave no reason", ()
    code = str(items[0].get("statusCode") or items[0].get("errorCode") or "NO_CODE")
    message = "; ".join(str(e.get("message") or e.get("statusCode") or "") for e in items)
    fields = tuple(dict.fromkeys(str(name) for e in items for name in e.get("fields") or ()))
    return code, message, fields


def _passes(code: str, message: str, operation: JobType, key_field: str) -> bool:
    """Whether the same record may be accepted a little later."""
    if code in TRANSIENT:
        return True
    if code in OF_A_TRIGGER:
        return any(words.lower() in message.lower() for words in PASSING_IN_A_TRIGGER)
    # Somebody else created a record with this key while we upserted ours: the next try finds it and updates it.
    race = f"duplicate value found: {key_field} duplicates value on record with id"
    return code == "DUPLICATE_VALUE" and operation is JobType.UPSERT and race.lower() in message.lower()
