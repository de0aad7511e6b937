"""What the tests of all destinations share: a world for each, and an Airflow connection that a test can change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.register_assert_rewrite("world", "http_script")  # so that their assertions say what differs

from cases import case_of  # noqa: E402  after the line above
from http_script import TOKEN, Client, Server, serving  # noqa: E402
from world import World  # noqa: E402

from airflow_reverse_etl.destinations.base import SyncHook  # noqa: E402
from airflow_reverse_etl.destinations.rest import Bearer, Rest  # noqa: E402

if TYPE_CHECKING:
    from airflow_reverse_etl.sandbox import Sandbox

Connect = Callable[..., Any]


@pytest.fixture
def new_world(box: Sandbox, destination: str, tmp_path: Path) -> Callable[[], World]:
    """Return a function that makes the world anew: an application as it is at first, and an empty store."""
    case = case_of(destination)
    if case is None:
        pytest.skip(f"there is no tests/destinations/cases/{destination}.py: it holds the rows that this promise needs")
    made: list[World] = []

    def new() -> World:
        box.reset(destination)
        case.prepare(box)
        made.append(World(box, destination, case, tmp_path / f"store-{len(made)}"))
        return made[-1]

    return new


@pytest.fixture
def world(new_world: Callable[[], World]) -> World:
    """Return a destination and its sandbox, ready to run a sync."""
    return new_world()


@pytest.fixture
def connect(box: Sandbox, destination: str, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Return `connect(address, **changed)`: it changes the sandbox's connection, and returns a hook on it.

    :param address: what stands in place of the sandbox's address, wherever the connection names it.
    """

    def connect(address: str | None = None, **changed: Any) -> Any:
        from airflow_reverse_etl import destinations

        variable = f"AIRFLOW_CONN_{destination.upper()}_DEFAULT"
        connection = box.connections[variable].replace(box.url, address or box.url)
        monkeypatch.setenv(variable, json.dumps(json.loads(connection) | changed))
        return destinations.load(destination)(f"{destination}_default")

    return connect


class CountedHook(SyncHook):
    """A hook of which only the counting of calls matters."""

    default_conn_name = "counted_default"


@pytest.fixture
def counted() -> CountedHook:
    """Return the hook that counts the calls of `client`."""
    return CountedHook()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve what a test scripts; no proxy of the machine stands between."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with serving() as served:
        yield served


@pytest.fixture
def client(server: Server, counted: CountedHook) -> Client:
    """Return `client(url=..., renew=..., ...)`: it makes a client of the server."""

    def make(url: str | None = None, renew: Callable[[], str] | None = None, **how: Any) -> Rest:
        return Rest(url or server.url, Bearer(TOKEN, renew), counted.slot, name="Acme", **how)

    return make


@pytest.fixture
def rest(client: Client) -> Rest:
    """Return a client of the server."""
    return client()
