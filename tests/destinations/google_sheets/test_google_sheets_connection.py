"""From the Airflow connection to an access token: where the key may stand, and what a login that fails says."""

from __future__ import annotations

import builtins
import json

import pytest
from http_script import Reply, serving

from airflow_reverse_etl.destinations import google_sheets
from airflow_reverse_etl.errors import ConfigurationError, FatalError, RetryableError

TAB = "Ann's scores"
EMAIL = "reverse-etl@sandbox-project.iam.gserviceaccount.com"
VARIABLE = "AIRFLOW_CONN_GOOGLE_SHEETS_DEFAULT"


@pytest.fixture
def key(box):
    """Return the key of the sandbox's service account."""
    return json.loads(json.loads(box.connections[VARIABLE])["extra"]["keyfile_dict"])


def refusal(new_hook, kind=ConfigurationError, **changed):
    """Return the sentence with which a connection is refused; no part of its key may be in it."""
    with pytest.raises(kind) as hit:
        new_hook(**changed).who_am_i()
    assert "BEGIN PRIVATE KEY" not in str(hit.value)
    return str(hit.value)


@pytest.mark.parametrize("conn_type", ["google_sheets", "google_cloud_platform"])
@pytest.mark.parametrize("prefix", ["", "extra__google_cloud_platform__"])
@pytest.mark.parametrize("form", ["text", "object", "path"])
def test_the_key_may_stand_in_the_connection_or_in_a_file(sheet, new_hook, key, tmp_path, conn_type, prefix, form):
    """As JSON text, as an object or as a path; also in a connection of Airflow's Google provider, new or old."""
    path = tmp_path / "key.json"
    path.write_text(json.dumps(key))
    values = {
        "text": ("keyfile_dict", json.dumps(key)),
        "object": ("keyfile_dict", key),
        "path": ("key_path", str(path)),
    }
    name, value = values[form]
    hook = new_hook(conn_type=conn_type, extra={f"{prefix}{name}": value})
    assert hook.test_connection() == (True, f"Google accepts {EMAIL}; share each spreadsheet with it as an editor")
    sheet.fill(["id"])
    sheet.job("upsert", ["id"], hook=hook).land([{"id": "a"}])
    assert sheet.cells() == [["id"], ["a"]]


def test_without_a_key_the_workers_default_credentials_log_in(new_hook, key, tmp_path, monkeypatch):
    """Application default credentials, as Google's libraries find them."""
    path = tmp_path / "default.json"
    path.write_text(json.dumps(key))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    assert EMAIL in new_hook(extra={}).who_am_i()


def test_without_any_credentials_the_sentence_says_what_to_give(new_hook, monkeypatch, tmp_path):
    """Neither in the connection nor on the worker."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    said = refusal(new_hook, extra={"keyfile_dict": " "})
    assert said == (
        "the connection 'google_sheets_default' has neither `keyfile_dict` nor `key_path`, "
        "and the worker has no default credentials"
    )


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"keyfile_dict": "not json"}, "`keyfile_dict` is no JSON object: paste the whole content"),
        ({"keyfile_dict": "[1]"}, "`keyfile_dict` is no JSON object"),
        ({"keyfile_dict": {"type": "service_account"}}, "holds no usable key of a service account"),
        ({"key_path": "/no/such/key.json"}, "the key file /no/such/key.json cannot be read: No such file or directory"),
        ({"key_secret_name": "x"}, "has the extra key_secret_name, which"),
        ({"impersonation_chain": "a@b", "keyfile_dict": "{}"}, "has the extra impersonation_chain, which"),
    ],
)
def test_what_is_no_key_is_a_sentence(new_hook, extra, said):
    """It says what the connection must hold; a login that we do not know is not passed over."""
    assert said in refusal(new_hook, extra=extra)


@pytest.mark.parametrize(("name", "value"), [("private_key", "MIIsecret"), ("private_key", 7), ("client_email", None)])
def test_a_broken_key_is_a_sentence_without_the_key(new_hook, key, name, value):
    """Whatever the library says of it."""
    said = refusal(
        new_hook, extra={"keyfile_dict": {**key, name: value} if value else {k: key[k] for k in key if k != name}}
    )
    assert "holds no usable key of a service account" in said
    assert "MIIsecret" not in said


def test_a_connection_of_another_type_is_refused(new_hook):
    """With the types that are understood."""
    said = refusal(new_hook, conn_type="http")
    assert "of type 'http', but GoogleSheetsSyncHook needs 'google_sheets' or 'google_cloud_platform'" in said


@pytest.mark.parametrize("where", ["host", "token_uri"])
def test_nothing_travels_over_plain_http_to_a_strangers_host(new_hook, key, where, monkeypatch):
    """Neither the calls nor the login; unless the administrator allows the host."""
    changed = {"host": "http://sheets.example"} if where == "host" else {}
    extra = {"keyfile_dict": {**key, "token_uri": "http://login.example/token"}} if where == "token_uri" else {}
    changed |= {"extra": extra} if extra else {}
    assert "over plain http" in refusal(new_hook, **changed)
    monkeypatch.setenv("AIRFLOW__REVERSE_ETL__INSECURE_HOSTS", "login.example, sheets.example")
    assert "over plain http" not in refusal(new_hook, RetryableError, **changed)


def test_the_public_api_is_the_default(new_hook):
    """Where the connection names no host."""
    from airflow_reverse_etl.destinations.google_sheets.connection import API

    hook = new_hook(host="")
    assert (API, hook._rest.url) == ("https://sheets.googleapis.com", "https://sheets.googleapis.com")


def test_a_key_that_google_refuses_stops_the_run(new_hook, box):
    """The key was deleted: no retry would help."""
    box.faults("google_sheets", "invalid_grant", path="/token")
    said = refusal(new_hook, FatalError)
    assert said.startswith(
        f"Google refuses the credentials of {EMAIL}: invalid_grant: Invalid grant: account not found"
    )
    assert new_hook().test_connection()[0] is False


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503, b"{}"),
        Reply(200, b"<html>proxy</html>"),
        Reply(404, b"<html>nothing here</html>"),
        Reply(200, b"{}"),
        Reply(200, b"[]"),
        Reply(200, b""),
        Reply(200, b'{"access_token": "x"}', cut=5),
        None,
    ],
)
def test_a_login_that_does_not_answer_may_be_tried_again(new_hook, key, reply):
    """A page, nothing, half of it: none of that is a refusal."""
    with serving() as server:
        server.script = lambda request: reply
        extra = {"keyfile_dict": {**key, "token_uri": f"{server.url}/token"}}
        with pytest.raises(RetryableError, match="Google's login") as hit:
            new_hook(extra=extra).who_am_i()
    assert hit.value.code in ("LOGIN_UNREACHABLE", "LOGIN_UNAVAILABLE")
    assert "<html" not in str(hit.value)


def test_a_login_that_is_not_there_may_be_tried_again(new_hook, key):
    """Nobody listens."""
    extra = {"keyfile_dict": {**key, "token_uri": "http://127.0.0.1:9/token"}}
    assert "Google's login cannot be reached" in refusal(new_hook, RetryableError, extra=extra)


def test_a_token_that_expires_is_renewed_once(sheet, box):
    """In the middle of the work; the call is made again, and nothing is lost or doubled."""
    sheet.fill(["id"])
    job = sheet.job("create", ["id"])
    box.faults("google_sheets", "token_expired", path="values:batchUpdate", nth=1)
    logins = sheet.fake.logins
    job.land([{"id": "a"}, {"id": "b"}])
    assert sheet.cells() == [["id"], ["a"], ["b"]]
    assert sheet.fake.logins == logins + 1


def test_a_token_that_is_refused_again_stops_the_run(sheet, box):
    """One renewal is enough to know."""
    sheet.fill(["id"])
    job = sheet.job("create", ["id"])
    box.faults("google_sheets", "token_expired", path="values:batchUpdate")
    with pytest.raises(FatalError, match=f"Google refuses the access token of {EMAIL}") as hit:
        job.send([{"id": "a"}])
    assert hit.value.code == "UNAUTHENTICATED"


def test_the_test_button_asks_the_api(new_hook, box):
    """A token alone says little: the API may be off, or the address another's."""
    box.faults("google_sheets", "api_disabled", path="/v4/")
    works, said = new_hook().test_connection()
    assert (works, "Sheets API is not enabled" in said) == (False, True)
    with serving() as server:
        server.says(Reply(404, b"<html>nothing here</html>"))
        assert new_hook(host=server.url).test_connection()[0] is False


def test_without_google_auth_the_sentence_says_what_to_install(new_hook, monkeypatch):
    """The package does not bring it by itself."""
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("google"):
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest, **more)

    hook = new_hook()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match=r"pip install 'airflow-provider-reverse-etl\[google_sheets\]'"):
        hook.who_am_i()


def test_the_connection_form_names_what_is_read():
    """The fields of the form are the extras, and the secret one is hidden."""
    fields = google_sheets.CONNECTION["conn-fields"]
    assert set(fields) == {"keyfile_dict", "key_path"}
    assert fields["keyfile_dict"]["schema"]["format"] == "password"
