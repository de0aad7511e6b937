"""Salesforce as a destination: 200 records a call through sObject Collections, and an outcome for each of them."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from airflow_reverse_etl.destinations.base import SyncHook, base_url
from airflow_reverse_etl.destinations.salesforce import lookup
from airflow_reverse_etl.destinations.salesforce.login import entrance
from airflow_reverse_etl.destinations.salesforce.org import Org, Usage
from airflow_reverse_etl.destinations.salesforce.outcomes import read
from airflow_reverse_etl.destinations.salesforce.preflight import Preflight, option
from airflow_reverse_etl.destinations.salesforce.records import columns, encode
from airflow_reverse_etl.destinations.salesforce.shape import RECORD_ID
from airflow_reverse_etl.errors import BatchRejectedError, ConfigurationError
from airflow_reverse_etl.model import (
    Batch,
    Capabilities,
    Found,
    JobType,
    Limits,
    RecordOutcome,
    Target,
    rejected,
    succeeded,
)


class SalesforceSyncHook(SyncHook):
    """Writes records of one sObject.

    Limits are Salesforce's own (REST API Developer Guide, "sObject Collections"): 200 records a call. Calls at once are
    few enough that the 25 (5 in developer orgs) which may run longer than 20 seconds are never reached. A request ends
    after 10 minutes at the latest: only then is a create that was answered by silence surely there, or surely not.
    """

    conn_type = "salesforce"
    hook_name = "Salesforce"
    default_conn_name = "salesforce_default"
    default_key = "Id"
    capabilities = Capabilities(
        job_types=frozenset(JobType),
        call=Limits(records=200, bytes=10_000_000),
        concurrency=5,
        settle_seconds=600.0,
    )

    def __init__(self, conn_id: str | None = None, **kwargs: Any) -> None:
        """Remember the connection's id; see `SyncHook`."""
        super().__init__(conn_id, **kwargs)
        self._opening = threading.Lock()
        self._org: Org | None = None

    @property
    def api_usage(self) -> Usage | None:
        """API calls of the org, as its last answer told; None before the first."""
        return self._org.usage if self._org else None

    # What the engine calls

    def check(self, target: Target, job_types: Sequence[JobType], fields: Sequence[str]) -> Target:
        """Compare what is asked for with what Salesforce describes.

        :raises ConfigurationError: all that is wrong, in one message.
        :raises FatalError, RetryableError: from the login and from Salesforce.
        """
        shape = self.org.shape(target.object)
        completed, warnings = Preflight(target, frozenset(job_types), shape, self.org.shape).complete(fields)
        for warning in warnings:
            self.log.warning("%s: %s", shape.name, warning)
        session = self.org.session
        if session.kind in ("password", "ipfilter"):
            self.log.warning("Salesforce ends logins by password in 2027; let the connection use client credentials")
        if self.api_usage:
            self.log.info(
                "%d of %d API calls of the last 24 hours are used", self.api_usage.used, self.api_usage.allowed
            )
        return replace(completed, account=session.organisation)

    def create(self, batch: Batch) -> list[RecordOutcome]:
        """Create records."""
        return self._write(batch, "POST", "composite/sobjects", [None] * len(batch))

    def update(self, batch: Batch) -> list[RecordOutcome]:
        """Change records, by Id or by any field that can be searched."""
        return self._write(batch, "PATCH", "composite/sobjects", self._ids(batch))

    def upsert(self, batch: Batch) -> list[RecordOutcome]:
        """Change records, or create those that do not exist, by an external id."""
        path = f"composite/sobjects/{quote(batch.target.object)}/{quote(str(batch.target.key))}"
        return self._write(batch, "PATCH", path, [None] * len(batch))

    def delete(self, batch: Batch) -> list[RecordOutcome]:
        """Put records into the recycle bin, by Id or by any field that can be searched."""
        ids = self._ids(batch)

        def call(sent: list[Any]) -> Any:
            params = {"ids": ",".join(sent), "allOrNone": "false"}
            return self.org.rest.write("DELETE", self.org.path("composite/sobjects"), params=params).body

        return self._deliver(batch, ids, ids, call)

    def find(self, target: Target, keys: Sequence[str], since: float) -> Mapping[str, Found]:
        """Return what exists under these keys of a searchable field; see `model.Finder`.

        Of several records the youngest is named, and their number.
        """
        shape = self.org.shape(target.object)
        made = ("CreatedDate",) if shape.field("CreatedDate") else ()
        found = self._lookup(target, made).records(keys)
        return {key: _youngest(rows) for key, rows in found.items()}

    def who_am_i(self) -> str:
        """Name the org behind the connection."""
        name = ""
        try:
            rows = self.org.rest.read("GET", self.org.path("query"), params={"q": "SELECT Name FROM Organization"}).body
            name = f" {rows['records'][0]['Name']!r},"
        except (BatchRejectedError, LookupError, TypeError):  # a user who may not read it has logged in all the same
            pass
        session = self.org.session
        return f"logged in to the Salesforce organisation{name} {session.organisation} at {session.instance}"

    @property
    def org(self) -> Org:
        """The org behind the connection, logged in once, whichever thread comes first.

        :raises ConfigurationError: the connection is missing, of another type, or says what cannot be.
        :raises FatalError, RetryableError: from the login.
        """
        with self._opening:
            if self._org is None:
                written = self.connection.extra_dejson.get("base_url")
                detour = base_url(written, "https://acme.my.salesforce.com") if written else ""
                self._org = Org(entrance(self.connection, detour), self.slot, self.capabilities.concurrency)
            return self._org

    # How a batch becomes a call

    def _write(
        self, batch: Batch, method: str, resource: str, ids: Sequence[str | RecordOutcome | None]
    ) -> list[RecordOutcome]:
        """Send the records that can be written, in one call.

        :param ids: the id of each record, None where it has none yet, or what became of it already.
        """
        ready = [self._fits(record, key) for record, key in zip(self._encoded(batch, ids), batch.keys, strict=True)]
        options = _headers(batch.target)

        def call(sent: list[Any]) -> Any:
            body = b'{"allOrNone":false,"records":[' + b",".join(sent) + b"]}"
            if len(body) > self._largest_body:
                raise BatchRejectedError("the records are too large for one call", code="TOO_LARGE")
            return self.org.rest.write(method, self.org.path(resource), data=body, headers=options).body

        return self._deliver(batch, ids, ready, call)

    def _encoded(self, batch: Batch, ids: Sequence[str | RecordOutcome | None]) -> list[bytes | RecordOutcome]:
        target = batch.target
        written = target.key if target.key_is_written and batch.operation in (JobType.CREATE, JobType.UPSERT) else None
        names = [name for name in batch.fields if name != target.key]
        how = columns(
            self.org.shape(target.object),
            [written, *names] if written else names,
            ZoneInfo(target.timezone),
            self.org.shape,
        )
        return [
            record_id
            if isinstance(record_id, RecordOutcome)
            # the key's canonical text, so that 7 and 7.00 are written alike
            else encode(target.object, how, key, {**values, written: key} if written else values, record_id)
            for key, values, record_id in zip(batch.keys, batch.records(), ids, strict=True)
        ]

    @property
    def _largest_body(self) -> int:
        return self.capabilities.call.bytes or 0

    def _fits(self, record: bytes | RecordOutcome, key: str) -> bytes | RecordOutcome:
        if isinstance(record, bytes) and len(record) + 100 > self._largest_body:
            return rejected(key, "TOO_LARGE", f"the record has {len(record):,} bytes, too many for one call")
        return record

    def _deliver(
        self, batch: Batch, ids: Sequence[Any], ready: Sequence[Any], call: Callable[[list[Any]], Any]
    ) -> list[RecordOutcome]:
        """Make the call for what is not decided yet, and put what became of it into the records' places."""
        outcomes = list(ready)
        open_places = [place for place, item in enumerate(ready) if not isinstance(item, RecordOutcome)]
        if open_places:
            keys = batch.keys
            body = call([ready[place] for place in open_places])
            told = read(
                body,
                [keys[place] for place in open_places],
                [ids[place] for place in open_places],
                batch.operation,
                batch.target.key or RECORD_ID,
            )
            for place, outcome in zip(open_places, told, strict=True):
                outcomes[place] = outcome
        return outcomes

    # How a record is found

    def _ids(self, batch: Batch) -> list[str | RecordOutcome]:
        """Return the id of each record, or what became of it already."""
        keys = batch.keys
        if (batch.target.key or RECORD_ID) == RECORD_ID:
            shape = self.org.shape(batch.target.object)
            # a delete names no object: without this, the Id of a contact would delete it, whatever `object` says
            prefix = shape.key_prefix if batch.operation is JobType.DELETE else ""
            good = [bool(lookup.ID_FORM.fullmatch(key)) and key.startswith(prefix) for key in keys]
            return [key if fits else _malformed(key, shape.name) for key, fits in zip(keys, good, strict=True)]
        found = self._lookup(batch.target).records(keys)
        return [_only_id(key, found.get(key, []), batch) for key in keys]

    def _lookup(self, target: Target, extra: tuple[str, ...] = ()) -> lookup.Lookup:
        shape = self.org.shape(target.object)
        field = shape.field(target.key or RECORD_ID)
        if field is None:
            raise ConfigurationError(f"{shape.name} has no field {target.key!r}")
        return lookup.Lookup(self.org.rest, self.org.path("query"), shape.name, field, extra)


def _only_id(key: str, rows: Sequence[Mapping[str, Any]], batch: Batch) -> str | RecordOutcome:
    if len(rows) == 1:
        return str(rows[0]["Id"])
    of_what = f"{batch.target.object} with this {batch.target.key}"
    if rows:
        some = ", ".join(str(row["Id"]) for row in rows[:5])
        return rejected(key, "AMBIGUOUS_KEY", f"there are {len(rows)} {of_what}: {some}", (str(batch.target.key),))
    if batch.operation is JobType.DELETE:
        return succeeded(key)  # nothing is left to delete
    return rejected(key, "NOT_FOUND", f"there is no {of_what}")


def _malformed(key: str, of_what: str) -> RecordOutcome:
    return rejected(key, "MALFORMED_ID", f"the key is no Id of {of_what}: 15 or 18 letters and digits", (RECORD_ID,))


def _headers(target: Target) -> dict[str, str]:
    """Return the headers that a target's options ask for (REST API Developer Guide, "Headers")."""
    headers = {"Sforce-Auto-Assign": "TRUE" if option(target, "assignment_rules") else "FALSE"}
    if option(target, "allow_duplicates"):
        headers["Sforce-Duplicate-Rule-Header"] = "allowSave=true; includeRecordDetails=false; runAsCurrentUser=true"
    return headers


def _youngest(rows: Sequence[Mapping[str, Any]]) -> Found:
    record_id, made = max(
        ((str(row["Id"]), _seconds(row.get("CreatedDate"))) for row in rows), key=lambda r: r[1] or 0.0
    )
    return Found(record_id, made, len(rows))


def _seconds(written: Any) -> float | None:
    """Return seconds since the epoch of `2026-09-09T19:25:27.000+0000`."""
    try:
        return dt.datetime.fromisoformat(written).timestamp()
    except (TypeError, ValueError):
        return None
