"""What every destination promises before any data is there: its declaration, its hook class, and its connection."""

from __future__ import annotations

import ast
import inspect
import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import airflow
import jsonschema
import pytest

from airflow_reverse_etl import destinations
from airflow_reverse_etl.destinations.base import SyncHook
from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import Capabilities, Destination, JobType
from airflow_reverse_etl.parameters import validate

if TYPE_CHECKING:
    from conftest import Connect

    from airflow_reverse_etl.sandbox import Sandbox

pytestmark = pytest.mark.parametrize("destination", destinations.names())

KINDS_OF_OPTION = ("text", "flag", "number", "zone")
FOREIGN = "http://crm.example"


def schema_of_connections() -> Any:
    """Return what Airflow's own schema says of a provider's connection types, forms included."""
    text = (Path(airflow.__path__[0]) / "provider.yaml.schema.json").read_text()
    return json.loads(text)["properties"]["connection-types"]["items"]


def test_its_folder_imports_nothing(destination: str) -> None:
    """Airflow reads the declaration at every start: it is data, and costs nothing."""
    source = inspect.getsource(destinations.declaration(destination))
    imported = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [node.module for node in imported if isinstance(node, ast.ImportFrom)] in ([], ["__future__"])
    assert not [node for node in imported if isinstance(node, ast.Import)]


def test_it_declares_connection_options_and_default_key(destination: str) -> None:
    """The three names that the parameter check and Airflow read are there, in the form that they understand."""
    declared = destinations.declaration(destination)
    assert {"connection-type", "hook-class-name", "hook-name"} <= set(declared.CONNECTION)
    assert isinstance(declared.DEFAULT_KEY_IS_WRITTEN, bool)
    assert declared.OPTIONS["timezone"] == "zone"
    for option in declared.OPTIONS.values():
        assert option in KINDS_OF_OPTION or (isinstance(option, tuple) and all(isinstance(one, str) for one in option))


def test_its_connection_form_is_one_that_airflow_shows(destination: str) -> None:
    """Airflow's schema takes it; every field has a label, every secret is hidden; a form of others is left alone."""
    connection = destinations.declaration(destination).CONNECTION
    jsonschema.validate(connection, schema_of_connections())
    if "registered-by" in connection:
        assert "conn-fields" not in connection
        return
    for field in connection["conn-fields"].values():
        assert field["label"]
        assert field["description"]
    secrets = [name for name in connection["conn-fields"] if name in ("token", "secret", "password", "keyfile_dict")]
    assert all(connection["conn-fields"][name]["schema"].get("format") == "password" for name in secrets)
    hidden = set(connection["ui-field-behaviour"].get("hidden-fields", []))
    assert not hidden & set(connection["ui-field-behaviour"]["relabeling"])


def test_its_hook_fits_its_declaration(destination: str) -> None:
    """The class is a SyncHook with Airflow's four attributes, and a method for each job type that it declares."""
    hook = destinations.load(destination)
    declared = destinations.declaration(destination).CONNECTION
    assert issubclass(hook, SyncHook)
    assert (hook.conn_type, hook.hook_name) == (declared["connection-type"], declared["hook-name"])
    assert hook.default_conn_name == f"{destination}_default"
    assert hook(**{hook.conn_name_attr: "mine"}).conn_id == "mine"
    assert hook("mine").conn_id == "mine"
    assert hook().conn_id == f"{destination}_default"


def test_its_capabilities_are_what_the_engine_can_work_with(box: Sandbox, destination: str) -> None:
    """Job types, limits, rate and concurrency make sense; each declared verb is a method of its own."""
    hook = destinations.load(destination)()
    can = hook.capabilities
    assert isinstance(can, Capabilities)
    assert isinstance(hook, Destination)
    assert can.job_types
    assert can.job_types <= set(JobType)
    assert can.call.records >= 1
    assert can.concurrency >= 1
    assert can.rate is None or (can.rate.calls >= 1 and can.rate.seconds > 0)
    for job in can.job_types:
        assert job.value in {name for base in type(hook).__mro__[:-1] for name in vars(base) if base is not SyncHook}


def test_its_default_key_is_known_without_asking(destination: str) -> None:
    """Where the default key is a record id, the class names it: with `fields` left out, its column is not a field."""
    if not destinations.declaration(destination).DEFAULT_KEY_IS_WRITTEN:
        assert getattr(destinations.load(destination), "default_key", None)


def test_an_unknown_option_is_an_error_before_anything_runs(destination: str) -> None:
    """The parameter check knows the options, and says what is wrong with each."""
    declared = destinations.options(destination)
    assert declared is not None
    wrong = {"no_such_option": 1, **{name: _wrong(kind) for name, kind in declared.items()}}
    values = {"destination": destination, "object": "x", "job_type": "update", "sync_id": "x", "options": wrong}
    with pytest.raises(ConfigurationError) as raised:
        validate(values, options=declared)
    for name in wrong:
        assert name in str(raised.value)


def test_its_button_says_that_the_connection_works(connect: Connect, destination: str) -> None:
    """`test_connection` asks the application, and says in a sentence whom the connection belongs to."""
    works, sentence = connect().test_connection()
    assert works, sentence
    assert len(sentence.split()) > 2


def test_its_button_says_that_nobody_answers(connect: Connect, destination: str) -> None:
    """An address where nobody listens is a sentence, not a traceback, and holds no secret."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    hook = connect(nobody)
    works, sentence = hook.test_connection()
    assert not works
    assert len(sentence.split()) > 2
    assert not [secret for secret in secrets_of(hook.connection) if secret in sentence]


def test_a_missing_connection_is_a_sentence(destination: str) -> None:
    """It names the connection that is not there; no retry would help."""
    with pytest.raises(ConfigurationError, match="no_such_connection"):
        _ask(destinations.load(destination)("no_such_connection"))


def test_a_connection_of_another_type_is_a_sentence(connect: Connect, destination: str) -> None:
    """It names the type that there is and the one that there should be."""
    hook = connect(conn_type="ssh")
    with pytest.raises(ConfigurationError, match=f"(?s)'ssh'.*{hook.conn_type!r}"):
        _ask(hook)


def test_plain_http_to_another_machine_is_a_sentence(connect: Connect, destination: str) -> None:
    """The secret of the connection is not sent in clear; the sentence names the host and the way out."""
    hook = connect(FOREIGN)
    with pytest.raises(ConfigurationError, match=r"(?s)crm\.example.*insecure_hosts"):
        _ask(hook)


def test_plain_http_is_allowed_to_hosts_that_the_administrator_names(
    connect: Connect, destination: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `insecure_hosts` the address is taken; then it is only the network that fails."""
    monkeypatch.setenv("AIRFLOW__REVERSE_ETL__INSECURE_HOSTS", "other, crm.example")
    monkeypatch.setenv("NO_PROXY", "*")
    works, sentence = connect("http://crm.example:9").test_connection()
    assert not works
    assert "insecure_hosts" not in sentence


def _ask(hook: Any) -> None:
    """Make a hook use its connection."""
    hook.who_am_i()


def _wrong(kind: Any) -> Any:
    return {"text": 7, "flag": "perhaps", "number": "many"}.get(kind, "none of them") if isinstance(kind, str) else "?"


def secrets_of(connection: Any) -> list[str]:
    """Return what must never be shown of a connection."""
    extra = connection.extra_dejson
    found = [connection.password, *(extra.get(name) for name in extra if "secret" in name or "token" in name)]
    return [secret for secret in found if secret]
