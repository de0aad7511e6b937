"""A sandbox that serves one toy destination, found like the real ones, so that these tests depend on no vendor."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from airflow_reverse_etl import destinations
from airflow_reverse_etl.sandbox import serve

TOYS = str(Path(__file__).parent / "toys")


@pytest.fixture
def only_toys(monkeypatch):
    """Make the toy the only destination there is."""
    monkeypatch.setattr(destinations, "__path__", [TOYS])


@pytest.fixture(scope="session")
def toybox_server():
    """Serve the toy destination once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(destinations, "__path__", [TOYS])
        server = serve()
        box = server.__enter__()
    yield box
    server.__exit__(None, None, None)


@pytest.fixture
def toybox(toybox_server):
    """Return the toy's sandbox as it is at the start."""
    toybox_server.reset()
    return toybox_server


@pytest.fixture
def client():
    """Return a keep-alive client; it neither retries nor follows a proxy of the machine."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def create(toybox, client):
    """Return `create(*names)`: it asks the fake for toys in the red box and returns the answer."""

    def create(*names, timeout=5):
        inputs = {"inputs": [{"name": name} for name in names or ("ball",)]}
        return client.post(f"{toybox.url}/toybox/red/batch", json=inputs, timeout=timeout)

    return create


@pytest.fixture
def held(toybox):
    """Return `held()`: how many toys the fake holds in the red box."""
    return lambda: toybox.objects("toybox").get("red", 0)
