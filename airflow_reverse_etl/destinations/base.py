"""What every sync hook has in common: a connection with the four verbs of reverse ETL."""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from airflow.sdk import BaseHook

from airflow_reverse_etl.errors import ConfigurationError, FatalError
from airflow_reverse_etl.model import Batch, Capabilities, JobType, Pace, RecordOutcome, Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow.sdk import Connection

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SyncHook(BaseHook):
    """A hook that creates, updates, upserts or deletes the records of an application.

    A subclass says what it can do in `capabilities` and writes one method for each job type declared there:
    `create(batch)`, `update(batch)`, `upsert(batch)`, `delete(batch)`, each returning one `RecordOutcome` per record,
    in order. `default_key` is the field that identifies a record where the task names none; None where only `check`
    knows. A hook whose limits depend on its connection makes `capabilities` a cached property and puts the rest into
    `declared`. Declaring a job type without writing its method is an error when the class is imported.

    Loops, waits, retries and splits are the engine's: a hook makes a call and says what came of it.
    """

    conn_name_attr = "conn_id"
    default_conn_name: str
    default_key: ClassVar[str | None] = None
    capabilities: Capabilities
    declared: ClassVar[Capabilities]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        capabilities = getattr(cls, "capabilities", None)
        if not isinstance(capabilities, Capabilities):
            capabilities = getattr(cls, "declared", None)
        if not isinstance(capabilities, Capabilities):
            return  # a base class for others: it declares nothing yet
        missing = [verb.value for verb in JobType if verb in capabilities.job_types and not hasattr(cls, verb.value)]
        if missing and cls.send is SyncHook.send:
            message = f"{cls.__name__} declares the job types {missing} but has no methods of these names"
            raise TypeError(message)

    def __init__(self, conn_id: str | None = None, **kwargs: Any) -> None:
        """Remember the connection's id; the connection is read when it is first needed.

        :param conn_id: the Airflow connection; None is `default_conn_name`.
        """
        super().__init__()
        self.conn_id = conn_id or kwargs.get(self.conn_name_attr) or self.default_conn_name
        self.calls = 0
        self.pace: Pace | None = None
        self._calls_lock = threading.Lock()

    @cached_property
    def connection(self) -> Connection:
        """The Airflow connection, read once.

        :raises ConfigurationError: there is none, or it is of another type.
        """
        from airflow.exceptions import AirflowNotFoundException  # type: ignore[attr-defined]  # where 3.1 has it too

        try:
            connection: Connection = self.get_connection(self.conn_id)
        except AirflowNotFoundException as error:
            message = f"there is no connection {self.conn_id!r}: create it in Airflow, or correct destination_conn_id"
            raise ConfigurationError(message) from error
        accepted = self.accepted_conn_types()
        if accepted and connection.conn_type not in accepted:
            message = (
                f"the connection {self.conn_id!r} is of type {connection.conn_type!r}, "
                f"but {type(self).__name__} needs {' or '.join(repr(t) for t in accepted)}"
            )
            raise ConfigurationError(message)
        return connection

    def accepted_conn_types(self) -> tuple[str, ...]:
        """Return the connection types that this hook understands; empty means any."""
        conn_type = getattr(self, "conn_type", None)
        return (conn_type,) if conn_type else ()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a place in the application's rate for one request, and count it."""
        with self.pace.slot() if self.pace else nullcontext():
            with self._calls_lock:
                self.calls += 1
            yield

    def check(self, target: Target, job_types: Sequence[JobType], fields: Sequence[str]) -> Target:
        """Compare what is asked for with what the application has; see `model.Destination.check`."""
        message = f"{type(self).__name__} must say in check() what it writes to"
        raise FatalError(message)

    def send(self, batch: Batch) -> Sequence[RecordOutcome]:
        """Carry out one batch by the method of its operation's name; see `model.Destination.send`."""
        outcomes: Sequence[RecordOutcome] = getattr(self, batch.operation.value)(batch)
        return outcomes

    def test_connection(self) -> tuple[bool, str]:
        """Say whether the connection works, in a sentence; behind the button of Airflow's connection form."""
        try:
            return True, self.who_am_i()
        except Exception as error:  # noqa: BLE001  the button shows whatever went wrong
            return False, str(error)

    def who_am_i(self) -> str:
        """Ask the application whom the connection belongs to; return a sentence for a person."""
        return f"{self.connection.conn_type} connection {self.conn_id!r} exists; this hook asks the application nothing"


def base_url(written: str | None, default: str) -> str:
    """Return the address of the application without a trailing slash.

    :param written: what the connection says, or nothing.
    :raises ConfigurationError: plain http to a host that is neither loopback nor in `[reverse_etl] insecure_hosts`.
    """
    url = written or default
    if "://" not in url:
        url = f"https://{url}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = f"{written!r} is no http(s) address; write it as in {default!r}"
        raise ConfigurationError(message)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK | insecure_hosts():
        message = (
            f"the connection sends its secret to {parts.hostname!r} over plain http; use https, "
            f"or name the host in [reverse_etl] insecure_hosts if it is a service of your own network"
        )
        raise ConfigurationError(message)
    return url.rstrip("/")


def insecure_hosts() -> frozenset[str]:
    """Return the hosts that the administrator allows plain http to."""
    from airflow.configuration import conf

    written = conf.get("reverse_etl", "insecure_hosts", fallback="") or ""
    return frozenset(host.lower() for host in written.replace(",", " ").split())
