"""What the tests of the HubSpot hook share: hooks, batches as the engine makes them, and a HubSpot told what to say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from airflow_reverse_etl.model import Batch, JobType, Target

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.hubspot.hook import HubSpotSyncHook
    from airflow_reverse_etl.model import RecordOutcome
    from airflow_reverse_etl.sandbox import Sandbox

HUBSPOT = "hubspot"


@pytest.fixture
def connect(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., HubSpotSyncHook]:
    """Return `connect(password=..., extra=..., host=...)`: a hook on the sandbox's connection, changed as said."""
    from airflow_reverse_etl.destinations.hubspot.hook import HubSpotSyncHook

    def connect(**changed: Any) -> HubSpotSyncHook:
        connection = json.loads(box.connections["AIRFLOW_CONN_HUBSPOT_DEFAULT"]) | changed
        monkeypatch.setenv("AIRFLOW_CONN_HUBSPOT_DEFAULT", json.dumps(connection))
        return HubSpotSyncHook()

    return connect


@pytest.fixture
def hook(connect: Callable[..., HubSpotSyncHook]) -> HubSpotSyncHook:
    """Return a hook on the sandbox."""
    return connect()


class Sync:
    """A hook and a checked target: what the engine holds while it sends."""

    def __init__(self, hook: HubSpotSyncHook, job_type: JobType, fields: Sequence[str], **target: Any) -> None:
        self.hook = hook
        self.job_type = job_type
        self.target = hook.check(Target(HUBSPOT, **target), (job_type,), fields)

    def batch(self, rows: Mapping[str, Mapping[str, Any]], schema: pa.Schema | None = None) -> Batch:
        """Return rows (key -> field -> value) as a batch."""
        names = list(dict.fromkeys(name for row in rows.values() for name in row))
        columns: dict[str, Any] = {"key": pa.array(list(rows), pa.string())}
        for name in names:
            kind = schema.field(name).type if schema else None
            columns[self.target.name_of(name)] = pa.array([row.get(name) for row in rows.values()], kind)
        table = pa.table(columns)
        for name in names if schema else ():
            place = table.schema.get_field_index(self.target.name_of(name))
            field = table.schema.field(place).with_metadata(schema.field(name).metadata)
            table = table.set_column(place, field, table.column(place))
        return Batch(self.job_type, self.target, table, number=3)

    def send(self, rows: Mapping[str, Mapping[str, Any]], schema: pa.Schema | None = None) -> list[RecordOutcome]:
        """Send rows; return the outcomes."""
        return list(self.hook.send(self.batch(rows, schema)))


@pytest.fixture
def sync(hook: HubSpotSyncHook) -> Callable[..., Sync]:
    """Return `sync(job_type, fields, object=..., key=..., options=...)`: a checked target to send batches to."""

    def make(job_type: str, fields: Sequence[str], *, by: HubSpotSyncHook = hook, **target: Any) -> Sync:
        return Sync(by, JobType(job_type), fields, **{"object": "contacts", **target})

    return make


Reply = tuple[int, Mapping[str, str], bytes]


class Script(BaseHTTPRequestHandler):
    """Answers as the test says, for what no sandbox would answer of itself, and keeps what it was sent."""

    protocol_version = "HTTP/1.1"
    server: ScriptServer

    def do_GET(self) -> None:
        """Answer a request."""
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(sent) if sent else None
        self.server.seen.append((f"{self.command} {self.path}", dict(self.headers), body))
        status, headers, answer = self.server.reply(self.path.partition("?")[0], body)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815  http.server looks for this name

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class ScriptServer(ThreadingHTTPServer):
    """A HubSpot of which the test wrote every answer that matters."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Script)
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.answers: dict[str, Callable[[Any], Reply]] = {}
        self.says("details", 200, {"portalId": 7, "timeZone": "UTC"})
        self.says(
            "contacts", 200, {"results": [{"name": "email"}, {"name": "city"}, {"name": "score", "type": "number"}]}
        )

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def says(self, last: str, status: int, body: Any = "", **headers: str) -> None:
        """Answer requests whose path ends so.

        :param body: text, or what becomes JSON, or a function that is given the request's body and returns such, or a
            tuple of another status and such.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        def reply(asked: Any) -> Reply:
            made = body(asked) if callable(body) else body
            code, made = made if isinstance(made, tuple) else (status, made)
            return code, named, (made if isinstance(made, str) else json.dumps(made)).encode()

        self.answers[last] = reply

    def reply(self, path: str, asked: Any) -> Reply:
        """Return the answer to a request."""
        return self.answers[path.rpartition("/")[2]](asked)

    def bodies(self, last: str) -> list[Any]:
        """Return the bodies that were sent to paths that end so."""
        return [body for line, _, body in self.seen if line.partition("?")[0].endswith(f"/{last}")]


@pytest.fixture
def script() -> Iterator[ScriptServer]:
    """Serve a HubSpot whose answers the test writes: an account with contacts (`email`, `city`, `score`)."""
    with ScriptServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def scripted(
    script: ScriptServer, connect: Callable[..., HubSpotSyncHook], sync: Callable[..., Sync]
) -> Callable[..., Sync]:
    """Return `scripted(job_type, key=...)`: a checked target on the scripted HubSpot; it writes `city`."""

    def make(job_type: str, **target: Any) -> Sync:
        return sync(job_type, ["city"], by=connect(host=script.url), **target)

    return make
