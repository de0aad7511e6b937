"""The nouns that all rooms share; they import nothing, so that nothing they are used by can form a circle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pyarrow as pa

NullRule = Literal["write", "skip", "refuse"]

KIND = b"reverse_etl"
"""Metadata key of an Arrow field that says what its type cannot: `json`, `uuid` or `mixed` (`docs/architecture.md`)."""


class JobType(StrEnum):
    """What a task does with its rows; also the operation of a batch."""

    CREATE = "create"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"

    @property
    def replayable(self) -> bool:
        """Whether sending the same record twice leaves the application as sending it once does."""
        return self is not JobType.CREATE


class Status(StrEnum):
    """What became of one record in one call."""

    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    RETRYABLE = "retryable"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Field:
    """Where the value of a destination field comes from, and what a NULL means.

    :param column: the column of the query.
    :param nulls: `"write"` clears the field (the default), `"skip"` leaves it alone, `"refuse"` makes the row invalid.
    """

    column: str
    nulls: NullRule = "write"

    def __init__(self, column: str, *, nulls: NullRule = "write") -> None:
        object.__setattr__(self, "column", column)
        object.__setattr__(self, "nulls", nulls)


@dataclass(frozen=True)
class KeyForm:
    """How an application compares keys: two texts with the same `normal()` are one record to it.

    :param trim: surrounding white space does not count.
    :param fold: case does not count.
    :param prefix: only so many leading characters count (of a Salesforce Id 15; the other 3 are a checksum).
    :param number: compared as numbers (`007` is `7`).
    """

    trim: bool = False
    fold: bool = False
    prefix: int | None = None
    number: bool = False

    WHITE_SPACE = " \t\n\r\f\v\u00a0"

    def normal(self, key: str) -> str:
        """Return the form in which keys are compared; `sync.stage` says the same in SQL."""
        if self.trim:
            key = key.strip(self.WHITE_SPACE)
        if self.fold:
            key = "".join(letter.lower()[0] for letter in key)  # letter by letter, as SQL does
        if self.number:
            key = plain_number(key)
        return key[: self.prefix] if self.prefix else key


def plain_number(text: str) -> str:
    """Return the shortest plain spelling of a decimal number (`007.50` is `7.5`), or the text itself if it is none."""
    body = text.strip()
    sign = "-" if body.startswith("-") else ""
    whole, _, fraction = body.lstrip("+-").partition(".")
    if not (whole + fraction).isascii() or not (whole + fraction).isdigit():
        return text
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    digits = f"{whole}.{fraction}" if fraction else whole
    return digits if digits == "0" else sign + digits


@dataclass(frozen=True)
class Target:
    """What a sync writes to; `Destination.check` returns it completed.

    :param destination: name of the destination, or the dotted path of its hook.
    :param object: sObject, object type or tab; as the user wrote it before `check`, as the application writes it after.
    :param key: destination field that identifies a record; None before `check` means the application's own default.
    :param options: what only this destination understands.
    :param account: the application's own identity of the org, portal or spreadsheet.
    :param key_form: how the application compares that key.
    :param key_is_written: the key is an ordinary field, so that creates and upserts carry it (all but record ids).
    :param timezone: zone of timestamps without one, an IANA name.
    :param names: field as the user wrote it -> as the application writes it; a name that is not in it stays as it is.
    """

    destination: str
    object: str
    key: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    account: str = ""
    key_form: KeyForm = KeyForm()
    key_is_written: bool = True
    timezone: str = "UTC"
    names: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, written: str) -> str:
        """Return the application's spelling of a field."""
        return self.names.get(written, written)


@dataclass(frozen=True)
class Limits:
    """What one call (or job) takes at most.

    :param records: number of records.
    :param bytes: size of the request body, None where the application names none.
    """

    records: int
    bytes: int | None = None


@dataclass(frozen=True)
class Rate:
    """At most `calls` requests in any window of `seconds`."""

    calls: int
    seconds: float


@dataclass(frozen=True)
class Capabilities:
    """What an application can do, as data that the engine reads.

    :param job_types: the job types whose methods the hook implements; declaring one without its method fails at import.
    :param call: limits of one call.
    :param job: limits of one bulk job; None where there are no jobs.
    :param rate: requests that the application allows; None where it names no rate.
    :param concurrency: calls in flight at once.
    :param settle_seconds: after so many seconds a record whose create was answered by silence is visible, if it exists.
    """

    job_types: frozenset[JobType]
    call: Limits
    job: Limits | None = None
    rate: Rate | None = None
    concurrency: int = 1
    settle_seconds: float = 0.0


@dataclass(frozen=True)
class Batch:
    """A slice of the plan: records of one operation that one `send` takes.

    Column 0 of `table` holds the keys as canonical text; every further column is a destination field under the
    application's own name. Whether a NULL clears a field or leaves it alone is a property of the field: `skip_nulls`.

    :param operation: what to do with the records.
    :param target: where, as `check` completed it.
    :param table: an Arrow table.
    :param skip_nulls: fields whose NULL means "leave it alone".
    :param number: ordinal of the batch in its run, for the outcomes and the log.
    """

    operation: JobType
    target: Target
    table: pa.Table
    skip_nulls: frozenset[str] = frozenset()
    number: int = 0

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def keys(self) -> list[str]:
        """The key of every record, in order."""
        return list(self.table.column(0).to_pylist())

    @property
    def fields(self) -> list[str]:
        """The destination fields, in order."""
        return list(self.table.column_names[1:])

    def records(self) -> list[dict[str, Any]]:
        """Return every record as a dict: a field that is missing is left alone, one that is None is cleared.

        Values are `str`, `int`, `Decimal`, `float`, `bool`, `date`, `time`, `datetime` (aware where the column has a
        zone), `bytes`, `list` and `dict`.
        """
        columns = [
            (field.name, plain_values(column, field), field.name in self.skip_nulls)
            for column, field in zip(self.table.columns[1:], list(self.table.schema)[1:], strict=True)
        ]
        return [
            {name: values[row] for name, values, skip in columns if not (skip and values[row] is None)}
            for row in range(len(self))
        ]

    def slice(self, start: int, length: int | None = None) -> Batch:
        """Return some consecutive records as a batch of their own, without copying."""
        return Batch(self.operation, self.target, self.table.slice(start, length), self.skip_nulls, self.number)

    def take(self, rows: Sequence[int]) -> Batch:
        """Return chosen records as a batch of their own."""
        return Batch(self.operation, self.target, self.table.take(list(rows)), self.skip_nulls, self.number)


def plain_values(column: Any, field: pa.Field) -> list[Any]:
    """Return an Arrow column's values as Python objects, unwrapping those that travelled as canonical text."""
    values: list[Any] = column.to_pylist()
    kind = (field.metadata or {}).get(KIND)
    return [None if v is None else from_canonical(v) for v in values] if kind == b"mixed" else values


def from_canonical(text: str) -> Any:
    """Turn canonical text, version 1 (`docs/architecture.md`), back into the value that it stands for."""
    import datetime as dt
    import json
    from decimal import Decimal

    tag, body = text[0], text[1:]
    if tag in "su!":  # the last, unreadable, is seen only by the person who mends the data
        return f"({body})" if tag == "!" else body
    match tag:
        case "n":
            return int(body) if body.lstrip("-").isdigit() else Decimal(body)
        case "b":
            return body == "true"
        case "d":
            return dt.date.fromisoformat(body)
        case "h":
            return dt.time.fromisoformat(body)
        case "t":
            return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=int(body))
        case "l":
            return dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=int(body))  # noqa: DTZ001  naive on purpose
        case "x":
            return bytes.fromhex(body)
        case "j":
            return json.loads(body, parse_float=Decimal)
    message = f"canonical text with the unknown tag {tag!r}"
    raise ValueError(message)


@dataclass(frozen=True)
class RecordOutcome:
    """What became of one record.

    :param key: the record's key, as the batch gave it.
    :param status: see `Status`.
    :param destination_id: the application's id of the record, where it told.
    :param code: the application's own error code, or one of ours (`CANNOT_ENCODE`, `TOO_LARGE`, `NOT_FOUND`).
    :param message: the application's own words.
    :param fields: the destination fields that the application named.
    """

    key: str
    status: Status
    destination_id: str | None = None
    code: str = ""
    message: str = ""
    fields: tuple[str, ...] = ()


def succeeded(key: str, destination_id: str | None = None) -> RecordOutcome:
    """Return the outcome of a record that the application accepted."""
    return RecordOutcome(key, Status.SUCCEEDED, destination_id)


def rejected(key: str, code: str, message: str, fields: tuple[str, ...] = ()) -> RecordOutcome:
    """Return the outcome of a record that the application, or our hook in its place, refused."""
    return RecordOutcome(key, Status.REJECTED, None, code, message, fields)


@dataclass(frozen=True)
class Found:
    """What a look-up by key saw: a record's id, when it was made (seconds since the epoch), how many share the key."""

    id: str
    created_at: float | None
    count: int = 1


class Pace(Protocol):
    """One budget of requests for all threads of a run."""

    def slot(self) -> AbstractContextManager[None]:
        """Wait for room in the application's rate; hold it while the request is under way."""


@runtime_checkable
class Destination(Protocol):
    """The waist: all that the engine knows of an application.

    `calls` counts the requests made so far (logins left out). The engine sets `pace` before the first call: a
    destination takes one slot of it for each request.
    """

    capabilities: Capabilities
    calls: int
    pace: Pace | None

    def check(self, target: Target, job_types: Sequence[JobType], fields: Sequence[str]) -> Target:
        """Compare what is asked for with what the application has, before a row moves; return the target completed.

        :param fields: the destination fields that will be written, as the user spelled them, the key's among them
            where the user named it.
        :raises ConfigurationError: all that is wrong, in one message.
        """

    def send(self, batch: Batch) -> Sequence[RecordOutcome]:
        """Carry out one batch; return one outcome per record, in order.

        :raises FatalError, RetryableError, UnknownOutcomeError, BatchRejectedError: for the call as a whole.
        """


@runtime_checkable
class Finder(Protocol):
    """A destination that can look records up exactly (never through a search index)."""

    def find(self, target: Target, keys: Sequence[str], since: float) -> Mapping[str, Found]:
        """Return what exists under these keys; `since` is the time of the attempt, in seconds since the epoch."""


class Rows(Protocol):
    """The result of a query: a schema that is known before the first row, and the rows as Arrow record batches."""

    schema: pa.Schema

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...


class StorePath(Protocol):
    """What the engine asks of a place in the store; `pathlib.Path` and Airflow's `ObjectStoragePath` both have it."""

    @property
    def name(self) -> str: ...
    def __truediv__(self, other: str, /) -> StorePath: ...
    def exists(self) -> bool: ...
    def is_dir(self) -> bool: ...
    def iterdir(self) -> Iterator[StorePath]: ...
    def mkdir(self, mode: int = ..., parents: bool = ..., exist_ok: bool = ...) -> None: ...
    def open(self, mode: str, /) -> IO[Any]: ...
    def read_bytes(self) -> bytes: ...
    def write_bytes(self, data: bytes, /) -> int: ...
    def rmdir(self) -> None: ...
    def unlink(self, missing_ok: bool = ...) -> None: ...


Rejections = int | float
"""`max_rejected` once understood: an `int` is rows, a `float` the share of `rows`."""


def share_of(limit: float, rows: int) -> int:
    """Return how many rows a limit means: an int is rows, a float a share of `rows`, taken as it is written."""
    from decimal import Decimal

    return limit if isinstance(limit, int) else int(Decimal(repr(limit)) * rows)


@dataclass(frozen=True)
class Settings:
    """One task's parameters, checked; `airflow_reverse_etl.parameters.validate` makes it."""

    destination: str
    object: str
    job_type: JobType
    sync_id: str
    fields: Mapping[str, Field] | Sequence[str] | None = None
    key: str | None = None
    key_column: str | None = None
    batch_size: int | None = None
    changes_only: bool = True
    on_missing: Literal["ignore", "delete", "clear"] = "ignore"
    max_missing: int | float = 0.1
    max_rejected: Rejections = 0
    on_unknown: Literal["hold", "resend"] = "hold"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Limitations:
    """What the machine and the administrator allow a run.

    :param max_wait: seconds that a run waits in one stretch for an application that says "not now".
    :param keep_runs: runs of a sync whose files are kept.
    :param stage_path: directory for the rows at rest; None is the system's temporary directory.
    :param stage_memory: DuckDB's memory limit, in its own words ("256MB").
    """

    max_wait: float = 900.0
    keep_runs: int = 30
    stage_path: str | None = None
    stage_memory: str = "256MB"


Log = Callable[[str], None]
