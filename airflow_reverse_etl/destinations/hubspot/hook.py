"""HubSpot's batch calls: a batch of records in, one outcome per record out."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_reverse_etl.destinations.base import SyncHook
from airflow_reverse_etl.destinations.hubspot.connection import DEFAULT_CALLS, WINDOW_SECONDS, Access, read_connection
from airflow_reverse_etl.destinations.hubspot.describe import (
    RECORD_ID,
    Described,
    Property,
    describe,
    hidden_properties,
    read_properties,
)
from airflow_reverse_etl.destinations.hubspot.encode import CannotEncodeError, compile_encoders, encode
from airflow_reverse_etl.destinations.hubspot.errors import DuplicateIdsError, ForbiddenError, NotThereError, judge
from airflow_reverse_etl.destinations.hubspot.lookup import (
    as_found,
    look_up,
    no_such_record,
    under_record_ids,
    with_valid_ids,
    without_doubles,
)
from airflow_reverse_etl.destinations.hubspot.outcomes import (
    Line,
    Outcomes,
    read_duplicates,
    read_outcomes,
    read_removals,
    warned_properties,
)
from airflow_reverse_etl.destinations.hubspot.preflight import complete, is_unique, unknown_names
from airflow_reverse_etl.destinations.hubspot.words import mapping
from airflow_reverse_etl.destinations.rest import Bearer, Rest
from airflow_reverse_etl.errors import BatchRejectedError, FatalError, RetryableError, UnknownOutcomeError
from airflow_reverse_etl.model import (
    Batch,
    Capabilities,
    Found,
    JobType,
    KeyForm,
    Limits,
    Rate,
    RecordOutcome,
    rejected,
    succeeded,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_reverse_etl.destinations.hubspot.lookup import Gone
    from airflow_reverse_etl.destinations.rest import Answer
    from airflow_reverse_etl.errors import SyncError
    from airflow_reverse_etl.model import Target

MAX_INPUTS = 100
MAX_BYTES = 2_000_000
"""HubSpot documents no limit of a request's size; this is far above a hundred ordinary records."""

RECORD_ID_FORM = KeyForm(number=True)
CONCURRENCY = 8
SETTLE_SECONDS = 15.0
"""Reads by a unique property see a record at once; so long may a call whose answer was lost still be at work."""


class HubSpotSyncHook(SyncHook):
    """Writes records of any HubSpot object type through the batch endpoints of the CRM API.

    Connection: password is the access token, host the base URL; `api_version`, `calls_per_10_seconds` and
    `concurrent_tasks` in the extra (see `docs/destinations/hubspot.md`).
    """

    conn_type = "hubspot"
    hook_name = "HubSpot"
    default_conn_name = "hubspot_default"
    default_key = "hs_object_id"
    declared: ClassVar[Capabilities] = Capabilities(
        job_types=frozenset(JobType),
        call=Limits(records=MAX_INPUTS, bytes=MAX_BYTES),
        rate=Rate(DEFAULT_CALLS, WINDOW_SECONDS),
        concurrency=CONCURRENCY,
        settle_seconds=SETTLE_SECONDS,
    )

    def __init__(self, conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(conn_id, **kwargs)
        self._properties: dict[str, Mapping[str, Property]] = {}
        self._zone = "UTC"

    @cached_property
    def access(self) -> Access:
        """What the connection says.

        :raises ConfigurationError:
        """
        return read_connection(self.connection)

    @cached_property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # the rate is the connection's
        """What HubSpot can do at the rate that the connection names."""
        return replace(self.declared, rate=self.access.rate)

    @cached_property
    def rest(self) -> Rest:
        """HubSpot's API."""
        access = self.access
        return Rest(
            access.url,
            Bearer(access.token),
            self.slot,
            judge=self._judge,
            name="HubSpot",
            threads=CONCURRENCY,
            headers={"Accept": "application/json"},
        )

    def _judge(self, answer: Answer) -> SyncError | None:
        return judge(answer, self._zone)

    # --- before a row moves ------------------------------------------------------------------------------------------

    def who_am_i(self) -> str:
        """Return a sentence that names the account.

        :raises FatalError, RetryableError:
        """
        details = self._account_details()
        kind, zone = details.get("accountType") or "account", details.get("timeZone") or "unknown time zone"
        return f"HubSpot account {details.get('portalId')} ({kind}, {zone}), API version {self.access.version}"

    def check(self, target: Target, job_types: Sequence[JobType], fields: Sequence[str]) -> Target:
        """Compare what is asked for with the account's object types and properties.

        :raises ConfigurationError: all that is wrong, in one message.
        :raises FatalError, RetryableError: HubSpot cannot be asked.
        """
        account = self._account()
        described = describe(self.rest, self.access.addresses, target.object)
        if unknown_names(target, fields, described):
            hidden = hidden_properties(self.rest, self.access.addresses, described.object)
            described = Described(described.object, {**hidden, **described.properties})
        self._properties[described.object] = described.properties
        return complete(target, job_types, fields, described, account)

    def _account_details(self) -> Mapping[str, Any]:
        details = mapping(self.rest.read("GET", self.access.addresses.account()).body)
        if not details.get("portalId"):
            message = f"{self.access.url} does not name the account; is it the address of HubSpot's API?"
            raise RetryableError(message, code="NO_ACCOUNT")  # or an answer lost its body on the way
        return details

    def _account(self) -> str:
        """Return the identity of the account that state is kept for.

        Where the token may not ask for it, a digest of address and token stands in: another account is never taken for
        this one, but a new token is.
        """
        try:
            details = self._account_details()
        except (ForbiddenError, NotThereError, BatchRejectedError) as error:
            self.log.warning(
                "HubSpot does not say which account this is (%s); its state is kept for this access token instead",
                error.code,
            )
            return "token-" + hashlib.sha256(f"{self.access.url} {self.access.token}".encode()).hexdigest()[:16]
        self._zone = str(details.get("timeZone") or "UTC")
        return str(details["portalId"])

    # --- the four verbs ----------------------------------------------------------------------------------------------

    def create(self, batch: Batch) -> list[RecordOutcome]:
        """Make new records. One that exists already is refused (`CONFLICT`), never adopted."""
        lines, outcomes = self._encode(batch)
        return self._write(batch, lines, outcomes, [_input(line) for line in lines])

    def upsert(self, batch: Batch) -> list[RecordOutcome]:
        """Make or change records, found by a unique property."""
        lines, outcomes = self._encode(batch)
        inputs = [_input(line, id=line.name, idProperty=str(batch.target.key)) for line in lines]
        return self._write(batch, lines, outcomes, inputs)

    def update(self, batch: Batch) -> list[RecordOutcome]:
        """Change records that exist, by their ids; a unique property is resolved to them first.

        HubSpot's batch/update has been seen to ignore e-mail addresses and to refuse them, so it never gets one.
        """
        lines, outcomes = self._encode(batch)
        lines, unresolved = self._resolve(batch.target, lines, no_such_record)
        lines, doubled = without_doubles(lines)
        inputs = [_input(line, id=line.name) for line in lines]
        return self._write(batch, lines, outcomes | unresolved | doubled, inputs)

    def delete(self, batch: Batch) -> list[RecordOutcome]:
        """Archive records. HubSpot keeps them for 90 days, and only its users can restore them."""
        lines, outcomes = self._resolve(batch.target, _lines(batch), succeeded)
        if lines:
            inputs = [{"id": record_id} for record_id in dict.fromkeys(line.name for line in lines)]
            answer = self.rest.write("POST", self._address(batch.target, "archive"), json_body={"inputs": inputs})
            told = isinstance(answer.body, dict) and (answer.body.get("errors") or answer.body.get("results"))
            if answer.status != 204 and not told:
                message = f"HubSpot answered an archive with HTTP {answer.status} and nothing about it; done is 204"
                raise UnknownOutcomeError(message, code="NOT_PROVEN")
            outcomes |= {outcome.key: outcome for outcome in read_removals(answer.body, lines, RECORD_ID_FORM)}
        return [outcomes[key] for key in batch.keys]

    def find(self, target: Target, keys: Sequence[str], since: float) -> dict[str, Found]:
        """Return the records that exist under these values of a unique property.

        :raises FatalError: the key does not require unique values, so only the search index could find its records, and
            that lags.
        :raises RetryableError: HubSpot's answer leaves a key open.
        """
        if not target.key or not is_unique(target.object, target.key, self._properties_of(target.object)):
            message = f"HubSpot cannot look records up exactly by {target.key!r}: it does not require unique values"
            raise FatalError(message, code="NO_EXACT_LOOKUP")
        found: dict[str, Found] = {}
        for start in range(0, len(keys), MAX_INPUTS):
            some = keys[start : start + MAX_INPUTS]
            result = look_up(self.rest, self._address(target, "read"), target.key, target.key_form, some)
            if len(result.found) + len(result.missing) < len(some):
                message = "HubSpot's answer to a look-up leaves some records open"
                raise RetryableError(message, code="NOT_NAMED")
            found |= {key: as_found(record) for key, record in result.found.items()}
        return found

    # --- steps -------------------------------------------------------------------------------------------------------

    def _properties_of(self, object_type: str) -> Mapping[str, Property]:
        """Return an object type's properties: known since `check`, unless another hook made it."""
        if object_type not in self._properties:
            self._properties[object_type] = read_properties(self.rest, self.access.addresses, object_type)
        return self._properties[object_type]

    def _address(self, target: Target, verb: str) -> str:
        return self.access.addresses.objects(target.object, f"batch/{verb}")

    def _encode(self, batch: Batch) -> tuple[list[Line], Outcomes]:
        """Return the records as HubSpot takes them, and the outcomes of those that cannot be written so."""
        properties = self._properties_of(batch.target.object)
        encoders = compile_encoders(batch, properties)
        lines: list[Line] = []
        outcomes: Outcomes = {}
        for line, record in zip(_lines(batch), batch.records(), strict=True):
            try:
                written = encode(record, encoders, properties)
            except CannotEncodeError as error:
                outcomes[line.key] = rejected(line.key, "CANNOT_ENCODE", str(error), (error.field,))
                continue
            if line.name and batch.operation is not JobType.UPDATE:
                written[str(batch.target.key)] = line.name
            lines.append(replace(line, properties=written))
        return lines, outcomes

    def _resolve(self, target: Target, lines: Sequence[Line], gone: Gone) -> tuple[list[Line], Outcomes]:
        """Return the lines under their record ids, and the outcomes of those that have none."""
        if target.key == RECORD_ID:
            return with_valid_ids(lines)
        keys = [line.key for line in lines]
        found = look_up(self.rest, self._address(target, "read"), str(target.key), target.key_form, keys)
        return under_record_ids(lines, found, gone)

    def _write(
        self, batch: Batch, lines: Sequence[Line], outcomes: Outcomes, inputs: Sequence[Mapping[str, Any]]
    ) -> list[RecordOutcome]:
        """Make the call of the batch's operation, if anything is left for it; return one outcome per record, in order.

        :param lines: the records that are sent, as `inputs`.
        :param outcomes: those of the others.
        """
        data = json.dumps({"inputs": inputs}, ensure_ascii=False, separators=(",", ":")).encode()
        if len(data) > MAX_BYTES:
            outcomes |= _too_large(lines)
        elif lines:
            outcomes |= self._post(batch, lines, data)
        return [outcomes[key] for key in batch.keys]

    def _post(self, batch: Batch, lines: Sequence[Line], data: bytes) -> Outcomes:
        target = batch.target
        by_id = batch.operation is JobType.UPDATE
        try:
            answer = self.rest.write("POST", self._address(target, batch.operation.value), data=data)
        except DuplicateIdsError as error:
            return read_duplicates(error, lines)
        warned = warned_properties(answer.body)
        if warned:
            self.log.warning(
                "HubSpot changed values before it wrote them (%d times): %s", len(warned), dict(Counter(warned))
            )
        form, name = (RECORD_ID_FORM, None) if by_id else (target.key_form, target.key)
        return {outcome.key: outcome for outcome in read_outcomes(answer.body, lines, form, name)}


def _lines(batch: Batch) -> list[Line]:
    """Return the records as lines of a call, still without properties.

    E-mail addresses go out trimmed and in lower case, as HubSpot keeps them; all other keys as they are.
    """
    form = batch.target.key_form
    return [
        Line(key, trace=f"{batch.number}-{position}", name=form.normal(key) if batch.target.key else "")
        for position, key in enumerate(batch.keys)
    ]


def _input(line: Line, **named: str) -> dict[str, Any]:
    """Return a line as HubSpot takes it. The unique trace id is what makes HubSpot answer for each record by itself."""
    return {**named, "properties": line.properties, "objectWriteTraceId": line.trace}


def _too_large(lines: Sequence[Line]) -> Outcomes:
    """Return the outcome of a single record that no call can hold.

    :raises BatchRejectedError: there are several, which smaller calls may hold.
    """
    message = f"the record is larger than {MAX_BYTES:,} bytes"
    if len(lines) > 1:
        message = f"{len(lines)} records are larger than {MAX_BYTES:,} bytes"
        raise BatchRejectedError(message, code="TOO_LARGE")
    return {line.key: rejected(line.key, "TOO_LARGE", message) for line in lines}
