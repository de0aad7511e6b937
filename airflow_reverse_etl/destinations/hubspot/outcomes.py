"""Reads what became of each record from an answer that names them in any order, in several ways, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.hubspot.errors import RATE_LIMITS, DuplicateIdsError
from airflow_reverse_etl.destinations.hubspot.words import Refusal, mapping, mappings, read_refusal, texts
from airflow_reverse_etl.model import KeyForm, RecordOutcome, Status, rejected, succeeded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Outcomes = dict[str, RecordOutcome]
"""Outcomes by key."""

NOT_FOUND = "OBJECT_NOT_FOUND"
UNSURE = frozenset({"INTERNAL_ERROR"})
"""Categories that do not say whether the record was written."""

NOT_NAMED = (
    "HubSpot's answer names this record neither among those written nor among those refused; "
    "was it merged into another one?"
)
NAMED_TWICE = "HubSpot's answer names this record both among those written and among those refused"


@dataclass(frozen=True)
class Line:
    """One input of a call.

    :param key: the record's key, as the batch gave it.
    :param trace: the `objectWriteTraceId` that was sent with it.
    :param name: what else an answer may call it by: the record id or the value of its key property.
    :param properties: what is written.
    """

    key: str
    trace: str
    name: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


class Names:
    """Finds out which of our names an answer means: exactly as HubSpot compares them, else but for case and blanks."""

    def __init__(self, names: Iterable[str], form: KeyForm) -> None:
        self._form = form
        self._exact: dict[str, str] = {}
        self._loose: dict[str, list[str]] = {}
        for name in names:
            self._exact[form.normal(name)] = name
            self._loose.setdefault(name.strip().lower(), []).append(name)

    def find(self, said: str) -> str | None:
        """Return our own spelling of a name, or None if it is nobody's or could be several's."""
        exact = self._exact.get(self._form.normal(said))
        if exact is not None:
            return exact
        alike = self._loose.get(said.strip().lower(), [])
        return alike[0] if len(alike) == 1 else None


@dataclass
class Reading:
    """What an answer says, by trace id."""

    written: dict[str, str]
    refused: dict[str, Refusal]
    nameless: list[Refusal]


def read_outcomes(body: object, lines: Sequence[Line], form: KeyForm, id_property: str | None) -> list[RecordOutcome]:
    """Return what became of each line of a batch call, in order.

    A record counts as written only if the answer names it: HubSpot has been seen to answer 200 with no results at all.

    :param body: the answer.
    :param form: how HubSpot compares the lines' names.
    :param id_property: the property that holds a line's name in a result; None where it is the record id.
    """
    reading = _read(mapping(body), lines, form, id_property)
    left = [line.trace for line in lines if line.trace not in reading.written and line.trace not in reading.refused]
    if len(left) == 1 and len(reading.nameless) == 1:
        reading.refused[left[0]] = reading.nameless[0]
    return [_outcome(line, reading, missing_is_gone=False) for line in lines]


def _read(body: Mapping[str, Any], lines: Sequence[Line], form: KeyForm, id_property: str | None) -> Reading:
    """Match results and errors with the lines: by trace id, then by name."""
    traces = {line.trace for line in lines}
    by_name: dict[str, list[str]] = {}
    for line in lines:
        if line.name:
            by_name.setdefault(line.name, []).append(line.trace)
    names = Names(by_name, form)
    reading = Reading({}, {}, [])
    for result in mappings(body.get("results")):
        record_id = str(result.get("id") or "")
        found = traces.intersection(texts(result.get("objectWriteTraceId")))
        if not found:
            name = record_id if id_property is None else str(mapping(result.get("properties")).get(id_property) or "")
            found = set(by_name.get(names.find(name) or "", ()))
        for trace in found:
            reading.written.setdefault(trace, record_id)
    for item in mappings(body.get("errors")):
        context = mapping(item.get("context"))
        found = traces.intersection(texts(context.get("objectWriteTraceId")))
        for said in texts(context.get("ids")):
            found.update(by_name.get(names.find(said) or "", ()))
        refusal = read_refusal(item)
        reading.refused.update(dict.fromkeys(found, refusal))
        if not found:
            reading.nameless.append(refusal)
    return reading


def _outcome(line: Line, reading: Reading, *, missing_is_gone: bool) -> RecordOutcome:
    record_id, refusal = reading.written.get(line.trace), reading.refused.get(line.trace)
    if refusal is None:
        return _not_named(line, reading) if record_id is None else succeeded(line.key, record_id or None)
    if record_id is not None:
        return RecordOutcome(line.key, Status.UNKNOWN, code=refusal.code, message=f"{NAMED_TWICE}: {refusal.message}")
    if refusal.category == NOT_FOUND and missing_is_gone:
        return succeeded(line.key)
    return refused(line.key, refusal)


def _not_named(line: Line, reading: Reading) -> RecordOutcome:
    """Return the outcome of a record that the answer is silent about; a refusal without a name may be meant for it."""
    said = "".join(f". Refused without a name: {refusal.message}" for refusal in reading.nameless)
    code = reading.nameless[0].code if reading.nameless else "NOT_NAMED"
    return RecordOutcome(line.key, Status.UNKNOWN, code=code, message=NOT_NAMED + said)


def read_removals(body: object, lines: Sequence[Line], form: KeyForm) -> list[RecordOutcome]:
    """Return what became of each line of a batch/archive, whose success is an answer without a body (204).

    Should there be errors, those named are refused, and one without a name leaves all others open.
    """
    reading = _read(mapping(body), lines, form, None)
    if not reading.nameless:
        for line in lines:
            if line.trace not in reading.refused:
                reading.written.setdefault(line.trace, line.name)
    return [_outcome(line, reading, missing_is_gone=True) for line in lines]


def refused(key: str, refusal: Refusal) -> RecordOutcome:
    """Return the outcome of a record that HubSpot did not write, in its words."""
    if refusal.category in RATE_LIMITS:
        return RecordOutcome(key, Status.RETRYABLE, code=refusal.code, message=refusal.message)
    if refusal.category in UNSURE:
        return RecordOutcome(key, Status.UNKNOWN, code=refusal.code, message=refusal.message)
    code = "NOT_FOUND" if refusal.category == NOT_FOUND else refusal.code
    return rejected(key, code, refusal.message, refusal.fields)


def read_duplicates(error: DuplicateIdsError, lines: Sequence[Line]) -> Outcomes:
    """Return what becomes of a batch that HubSpot refused because it compares two keys as one; nothing was written.

    :raises DuplicateIdsError: it does not say which ones.
    """
    named = {said.strip().lower() for said in error.ids}
    same = {line.key for line in lines if line.name.strip().lower() in named}
    if len(same) < 2:
        raise error
    again = "HubSpot refused the batch because of other rows"
    return {
        line.key: rejected(line.key, "SAME_RECORD", str(error))
        if line.key in same
        else RecordOutcome(line.key, Status.RETRYABLE, code=error.code, message=again)
        for line in lines
    }


def warned_properties(body: object) -> list[str]:
    """Return, once for each time, the properties whose value HubSpot changed before it wrote it (since 2026-03)."""
    return [
        name
        for result in mappings(mapping(body).get("results"))
        for warning in mappings(result.get("warnings"))
        for name in texts(mapping(warning.get("context")).get("propertyName")) or ["?"]
    ]
