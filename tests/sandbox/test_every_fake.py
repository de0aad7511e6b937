"""What the sandbox promises of every fake that it finds: a new folder is tested by its being there."""

from __future__ import annotations

import dataclasses
import json

import pytest
import requests

from airflow_reverse_etl.sandbox import serve
from airflow_reverse_etl.sandbox.fakes import fake_classes
from airflow_reverse_etl.sandbox.modes import MODES


@pytest.fixture(scope="module")
def served():
    """Serve all fakes of the package."""
    with serve() as box:
        yield box


@pytest.fixture(params=fake_classes())
def destination(request, served):
    """Return the name of one destination after the other, each as it is at the start."""
    served.reset()
    return request.param


def test_its_connection_is_one_that_airflow_reads(served, destination):
    """The JSON makes a connection of Airflow with a type, and leads to the sandbox."""
    from airflow.sdk import Connection

    text = served.connections[f"AIRFLOW_CONN_{destination.upper()}_DEFAULT"]
    connection = Connection.from_json(text, conn_id=f"{destination}_default")
    assert connection.conn_type
    assert f"{served.url}/{destination}" in text
    assert isinstance(json.loads(text)["extra"], dict)


def test_its_objects_can_be_counted_and_read(served, destination):
    """Each object's count is the number of its records, and an object that does not exist is an error."""
    objects = served.objects(destination)
    assert {name: len(served.records(destination, name)) for name in objects} == objects
    with pytest.raises((LookupError, ValueError)):
        served.records(destination, "no such object")
    query = {"destination": destination, "object": "no such object"}
    answer = requests.get(f"{served.url}/_sandbox/records", params=query, timeout=5)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


def test_an_unknown_endpoint_is_an_error_and_a_violation(served, destination):
    """A client that calls a wrong path cannot pass a test; only a refused login comes before that."""
    answer = requests.post(f"{served.url}/{destination}/no/such/endpoint", json={}, timeout=5)
    assert answer.status_code >= 400
    violations = [(found["destination"], found["method"], found["status"]) for found in served.violations()]
    assert violations == ([] if answer.status_code == 401 else [(destination, "POST", answer.status_code)])
    assert all({"path", "reason"} <= set(found) for found in served.violations())


def test_reset_brings_the_beginning_back(served, destination):
    """Settings, objects and violations are as at the start, and the connection is still good."""
    before = (served.settings(destination), served.objects(destination), served.connections)
    served.settings(destination, latency_seconds=0.01)
    requests.post(f"{served.url}/{destination}/no/such/endpoint", json={}, timeout=5)
    served.reset(destination)
    assert (served.settings(destination), served.objects(destination), served.connections) == before
    assert served.violations() == []


def test_generic_faults_strike_it(served, destination):
    """The wrapper stands around every fake."""
    served.faults(destination, "drop_after_commit", nth=1)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{served.url}/{destination}/no/such/endpoint", timeout=5)
    assert [(entry.destination, entry.status, entry.fault) for entry in served.log] == [
        (destination, None, "drop_after_commit")
    ]


def test_it_says_what_it_fakes(served, destination):
    """Coverage, faults and settings are in the form that the docs are made of; no fault hides a generic one."""
    fake = served.fake(destination)
    assert fake.COVERAGE
    assert {how_far for _, how_far, _ in fake.COVERAGE} <= {"faked", "partly", "not faked"}
    assert len({area for area, _, _ in fake.COVERAGE}) == len(fake.COVERAGE)
    assert all(isinstance(text, str) and text for row in fake.COVERAGE for text in row)
    assert all(fake.FAULTS.values())
    assert not set(fake.FAULTS) & set(MODES)
    assert dataclasses.is_dataclass(fake.settings)
    assert "latency_seconds" in served.settings(destination)


def test_its_own_faults_can_be_set(served, destination):
    """Each mode that it names is taken, listed, and cleared by a reset."""
    modes = list(served.fake(destination).FAULTS)
    for mode in modes:
        served.faults(destination, mode, path="no such path")
    assert [fault["mode"] for fault in served.faults(destination)] == modes
    served.reset(destination)
    assert served.faults() == []
