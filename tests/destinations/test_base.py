"""What every sync hook inherits: verbs that nobody can forget, a checked connection, an address that is safe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from airflow_reverse_etl.destinations.base import SyncHook, base_url
from airflow_reverse_etl.errors import ConfigurationError, FatalError
from airflow_reverse_etl.model import Batch, Capabilities, JobType, Limits, RecordOutcome, Target

DEFAULT = "https://api.acme.example"


def can(*jobs: JobType) -> Capabilities:
    """Return capabilities with these job types."""
    return Capabilities(job_types=frozenset(jobs), call=Limits(records=1))


class AcmeHook(SyncHook):
    """A hook that can delete, as small as can be."""

    conn_name_attr = "acme_conn_id"
    default_conn_name = "acme_default"
    conn_type = "acme"
    capabilities = can(JobType.DELETE)

    def delete(self, batch: Batch) -> list[RecordOutcome]:
        """Delete nothing."""
        return []


def test_a_declared_verb_without_its_method_fails_at_import() -> None:
    """A capability cannot lie: the class statement itself is the error, and names what is missing."""
    with pytest.raises(TypeError, match=r"LazyHook declares the job types \['create', 'upsert'\]"):

        class LazyHook(SyncHook):
            capabilities = can(JobType.CREATE, JobType.UPSERT, JobType.DELETE)

            def delete(self, batch: Batch) -> list[RecordOutcome]:
                return []


def test_a_hook_whose_limits_depend_on_its_connection_cannot_lie_either() -> None:
    """Where `capabilities` is a property, `declared` is looked at."""
    with pytest.raises(TypeError, match="update"):

        class LazyHook(SyncHook):
            declared = can(JobType.UPDATE)

            @property
            def capabilities(self) -> Capabilities:  # type: ignore[override]
                return self.declared


def test_a_hook_that_sends_by_itself_needs_no_methods() -> None:
    """Whoever writes `send` has every verb."""

    class OneForAll(SyncHook):
        capabilities = can(*JobType)

        def send(self, batch: Batch) -> Sequence[RecordOutcome]:
            return []

    assert OneForAll.capabilities.job_types == set(JobType)


def test_a_base_class_for_others_declares_nothing() -> None:
    """A class without capabilities is no destination yet; its subclass is checked, and may inherit a method."""

    class Family(SyncHook):
        def delete(self, batch: Batch) -> list[RecordOutcome]:
            return []

    class Member(Family):
        capabilities = can(JobType.DELETE)

    assert Member.delete is Family.delete


def test_send_calls_the_method_of_the_operations_name() -> None:
    """The batch says what is to be done with it."""
    import pyarrow as pa

    batch = Batch(JobType.DELETE, Target("acme", "thing"), pa.table({"key": ["a"]}))
    assert AcmeHook().send(batch) == []


def test_a_hook_that_does_not_check_is_told_so() -> None:
    """`check` is not optional: nobody else knows what is written to."""
    with pytest.raises(FatalError, match="AcmeHook must say in check"):
        AcmeHook().check(Target("acme", "thing"), [JobType.DELETE], [])


@pytest.mark.parametrize(
    ("arguments", "conn_id"),
    [((), "acme_default"), (("mine",), "mine"), ((None,), "acme_default")],
)
def test_the_connection_is_named_or_the_default(arguments: tuple[str | None, ...], conn_id: str) -> None:
    """Airflow names it by position or by `conn_name_attr`; nobody names it, and it is the default."""
    assert AcmeHook(*arguments).conn_id == conn_id
    assert AcmeHook(acme_conn_id="mine").conn_id == "mine"


def test_making_a_hook_reads_no_connection() -> None:
    """A DAG that makes a hook when it is parsed costs no look into the secrets."""
    assert AcmeHook("no such connection").conn_id == "no such connection"


def test_a_missing_connection_is_a_configuration_error() -> None:
    """The sentence names it; Airflow must not retry."""
    with pytest.raises(ConfigurationError, match="'nowhere'"):
        _ = AcmeHook("nowhere").connection


def test_a_connection_of_another_type_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the connection, its type and the right type."""
    monkeypatch.setenv("AIRFLOW_CONN_MINE", '{"conn_type": "ssh", "password": "secret"}')
    with pytest.raises(ConfigurationError, match="'mine' is of type 'ssh', but AcmeHook needs 'acme'") as raised:
        _ = AcmeHook("mine").connection
    assert "secret" not in str(raised.value)


def test_a_connection_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets backends are slow and count calls."""
    monkeypatch.setenv("AIRFLOW_CONN_MINE", '{"conn_type": "acme", "password": "first"}')
    hook = AcmeHook("mine")
    assert hook.connection.password == "first"
    monkeypatch.setenv("AIRFLOW_CONN_MINE", '{"conn_type": "acme", "password": "second"}')
    assert hook.connection.password == "first"


def test_the_button_shows_whatever_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the button of Airflow's form nothing is raised."""
    assert AcmeHook("nowhere").test_connection()[0] is False
    monkeypatch.setenv("AIRFLOW_CONN_MINE", '{"conn_type": "acme"}')
    works, sentence = AcmeHook("mine").test_connection()
    assert works
    assert "'mine'" in sentence

    class Broken(AcmeHook):
        def who_am_i(self) -> str:
            return {}["nothing"]

    assert Broken("mine").test_connection() == (False, "'nothing'")


GOOD_ADDRESSES: Sequence[tuple[str | None, str]] = [
    (None, DEFAULT),
    ("", DEFAULT),
    ("https://eu.acme.example/", "https://eu.acme.example"),
    ("https://acme.example/base//", "https://acme.example/base"),
    ("acme.example", "https://acme.example"),
    ("acme.example:8443/base", "https://acme.example:8443/base"),
    ("http://localhost:8765/acme", "http://localhost:8765/acme"),
    ("http://LOCALHOST:8765", "http://LOCALHOST:8765"),
    ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
    ("http://[::1]:8765", "http://[::1]:8765"),
    ("http://sandbox:8765", "http://sandbox:8765"),
    ("http://Sandbox:8765", "http://Sandbox:8765"),
    ("http://shouted:8765", "http://shouted:8765"),
]


@pytest.mark.parametrize(("written", "url"), GOOD_ADDRESSES)
def test_an_address_is_taken(written: str | None, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Https to anybody, plain http to this machine and to hosts that the administrator named, in any case."""
    monkeypatch.setenv("AIRFLOW__REVERSE_ETL__INSECURE_HOSTS", "sandbox, SHOUTED")
    assert base_url(written, DEFAULT) == url


@pytest.mark.parametrize(
    "written",
    [
        "http://acme.example",
        "HTTP://acme.example",
        "http://127.0.0.1.acme.example",
        "http://localhost.acme.example",
        "http://localhost@acme.example",
        "http://10.0.0.7:8765",
        "http://sandbox.acme.example",
    ],
)
def test_plain_http_to_others_is_refused(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would carry the secret in clear; the sentence says what to write instead."""
    monkeypatch.setenv("AIRFLOW__REVERSE_ETL__INSECURE_HOSTS", "sandbox")
    with pytest.raises(ConfigurationError, match=r"(?s)plain http.*insecure_hosts"):
        base_url(written, DEFAULT)


@pytest.mark.parametrize("written", ["ftp://acme.example", "https://", "https:///path", "://", "file:///etc/passwd"])
def test_what_is_no_address_is_refused(written: str) -> None:
    """The sentence shows how an address looks."""
    with pytest.raises(ConfigurationError, match=DEFAULT):
        base_url(written, DEFAULT)


def test_a_call_is_counted_with_and_without_a_pace() -> None:
    """The report's `calls` are taken from here; a hook that nobody paces counts, too."""
    from contextlib import nullcontext

    class Pace:
        def slot(self) -> Any:
            return nullcontext()

    hook = AcmeHook()
    with hook.slot():
        pass
    hook.pace = Pace()
    with hook.slot():
        pass
    assert hook.calls == 2
