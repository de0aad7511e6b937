"""The connection: what it says, what is wrong with it, and that no client is imported to declare it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from airflow_reverse_etl import destinations
from airflow_reverse_etl.errors import ConfigurationError, RetryableError
from airflow_reverse_etl.model import JobType, Rate, Target

ALL_JOB_TYPES = frozenset(JobType)


def test_the_rate_is_the_connections_and_is_shared_by_its_tasks(connect):
    """calls_per_10_seconds is divided by concurrent_tasks; what the class declares stands for a new connection."""
    hook = connect(extra={"calls_per_10_seconds": "190", "concurrent_tasks": 4, "api_version": "2026-09"})
    assert hook.capabilities.rate == Rate(47, 10.0)
    assert (hook.capabilities.job_types, hook.capabilities.call.records) == (ALL_JOB_TYPES, 100)
    assert hook.access.version == "2026-09"
    assert type(hook).declared.rate == Rate(100, 10.0)
    assert connect(extra={"calls_per_10_seconds": 1, "concurrent_tasks": 5}).capabilities.rate == Rate(1, 10.0)


def test_a_form_left_empty_means_the_defaults(connect):
    """Airflow's form stores what nobody filled in as null or as empty text."""
    hook = connect(host="", extra={"api_version": "", "calls_per_10_seconds": None, "concurrent_tasks": ""})
    assert (hook.access.url, hook.access.version) == ("https://api.hubapi.com", "2026-03")
    assert hook.access.rate == Rate(100, 10.0)


def test_all_that_is_wrong_with_a_connection_is_said_at_once(connect):
    """Each wrong field, with what to write, and never the token."""
    extra = {"api_version": "v1", "calls_per_10_seconds": "many", "concurrent_tasks": 0}
    with pytest.raises(ConfigurationError) as caught:
        _ = connect(password="pat secret", extra=extra).capabilities
    for words in (
        "'v1': use one of 2026-03",
        "calls_per_10_seconds is 'many'",
        "concurrent_tasks is 0",
        "password holds",
    ):
        assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="password is empty"):
        _ = connect(password="").access


def test_the_token_is_not_in_what_is_printed(connect):
    """A connection in a traceback shows no secret."""
    access = connect(password=" pat-na1-secret\n").access
    assert access.token == "pat-na1-secret"
    assert "secret" not in repr(access)


@pytest.mark.parametrize("host", ["http://hubspot.example", "ftp://127.0.0.1"])
def test_the_token_does_not_travel_in_the_open(connect, host):
    """Plain http beyond this machine, or no http at all, is refused before a request."""
    with pytest.raises(ConfigurationError):
        _ = connect(host=host).access


def test_a_connection_of_another_type_is_refused(connect):
    """The message names both types."""
    with pytest.raises(ConfigurationError, match="'http', but HubSpotSyncHook needs 'hubspot'"):
        _ = connect(conn_type="http").access


def test_a_server_that_cannot_be_reached_is_airflows_to_try_again(connect):
    """Nothing was sent, so it may be sent later."""
    with pytest.raises(RetryableError, match="cannot be reached"):
        connect(host="http://127.0.0.1:9").check(Target("hubspot", "contacts"), [JobType.DELETE], [])


def test_the_hook_is_found_by_its_folder():
    """The folder's name is the destination's, and its declaration leads to the class."""
    assert destinations.load("hubspot").__name__ == "HubSpotSyncHook"
    assert destinations.options("hubspot") == {"timezone": "zone"}


def test_the_form_is_valid_for_airflow():
    """Airflow's own check of provider information accepts the connection type."""
    import json
    from importlib.resources import files

    import jsonschema

    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
    info = {"name": "x", "description": "x", "connection-types": [destinations.declaration("hubspot").CONNECTION]}
    jsonschema.validate(info, schema)


def test_declaring_hubspot_imports_nothing():
    """Airflow discovers providers in every process: no client, no Arrow, no Airflow comes with the declaration."""
    program = (
        "import sys; import airflow_reverse_etl.destinations.hubspot as h; h.CONNECTION; "
        "print([m for m in ('airflow', 'requests', 'pyarrow', 'duckdb') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
