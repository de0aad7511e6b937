"""Ways into Salesforce: every kind of connection, what is wrong with one, and sessions that end."""

from __future__ import annotations

import json
import socket
import threading

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from airflow_reverse_etl.destinations.salesforce.access import SessionAuth
from airflow_reverse_etl.destinations.salesforce.hook import SalesforceSyncHook
from airflow_reverse_etl.destinations.salesforce.login import Session
from airflow_reverse_etl.errors import ConfigurationError, FatalError, RetryableError
from airflow_reverse_etl.model import JobType, Status, Target

USER = "integration@sandbox.example"
APP = {"consumer_key": "3MVG9sandbox.consumer.key", "consumer_secret": "sandbox-consumer-secret"}
MY_DOMAIN = {"domain": "acme.my"}
SECRETS = ("sandbox-consumer-secret", "sandbox-password", "sandboxtoken", "wr0ng-secret")


@pytest.fixture
def connect(box, monkeypatch):
    """Return `connect(extra, login, password)`: a hook on such a connection, by default one to the sandbox."""

    def connect(extra, login=None, password=None, conn_type="salesforce"):
        written = {
            "conn_type": conn_type,
            "login": login,
            "password": password,
            "extra": {"base_url": f"{box.url}/salesforce", **extra},
        }
        monkeypatch.setenv("AIRFLOW_CONN_SALESFORCE_DEFAULT", json.dumps(written))
        return SalesforceSyncHook()

    return connect


@pytest.fixture(scope="module")
def key_pair():
    """Return a private key and its public half as PEM text."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def check(hook):
    """Do what a task does first."""
    return hook.check(Target("salesforce", "Account"), [JobType.UPDATE], ["Phone"])


def refusal(hook, kind=FatalError):
    """Return how a check was refused, whose words hold no secret."""
    with pytest.raises(kind) as refused:
        check(hook)
    assert not any(secret in str(refused.value) for secret in SECRETS)
    return refused.value


def logins(box):
    """Return the number of logins that the sandbox saw."""
    return sum("/oauth2/token" in entry.path or "/Soap/" in entry.path for entry in box.log)


def test_client_credentials(box, connect):
    """Consumer key, secret and My Domain are enough; the login counts as no call."""
    hook = connect({**APP, **MY_DOMAIN})
    assert check(hook).account == "00DFk0000000001"
    assert (logins(box), hook.calls) == (1, 1)


@pytest.mark.parametrize(
    "place",
    [
        {"domain": "acme.my.salesforce.com"},
        {"domain": "https://acme.my.salesforce.com/"},
        {"instance_url": "https://acme.my.salesforce.com"},
    ],
)
def test_my_domain_in_any_spelling(connect, place):
    """The whole host name of the org serves as well as the part that simple-salesforce wants."""
    hook = connect({**APP, **place})
    check(hook)
    assert hook.org.session.instance == "acme.my.salesforce.com"


def test_password_and_token(connect, capfd):
    """User, password and security token log in through SOAP; the log says that this way ends."""
    check(connect({"security_token": "sandboxtoken"}, USER, "sandbox-password"))
    assert "ends logins by password" in capfd.readouterr().out


def test_password_and_app(connect):
    """User and password with consumer key and secret log in through OAuth."""
    check(connect({**APP, **MY_DOMAIN}, USER, "sandbox-password"))


@pytest.mark.filterwarnings(r"ignore:\s+If your connected app policy")  # simple-salesforce's advice for browsers
def test_jwt(box, connect, key_pair, tmp_path):
    """A private key logs a user in, from the connection or from a file; a user who is not authorised is told so."""
    private, public = key_pair
    given = {"consumer_key": APP["consumer_key"], **MY_DOMAIN, "private_key": private}
    assert "authorise the user for the app in advance" in str(refusal(connect(given, USER)))
    box.settings("salesforce", jwt_public_key=public)
    check(connect(given, USER))
    file = tmp_path / "key.pem"
    file.write_text(private)
    del given["private_key"]
    check(connect({**given, "private_key_file_path": str(file)}, USER))


def test_unusable_private_keys(connect, tmp_path):
    """A key that is none, and a file that is not there, are named."""
    given = {"consumer_key": APP["consumer_key"], **MY_DOMAIN}
    assert "no RSA key" in str(refusal(connect({**given, "private_key": "wr0ng-secret"}, USER), ConfigurationError))
    missing = connect({**given, "private_key_file_path": str(tmp_path / "no.pem")}, USER)
    assert "private_key_file_path cannot be read: No such file" in str(refusal(missing, ConfigurationError))


def test_session_id(box, connect):
    """A session id works until it ends; it cannot be renewed, and the error says so."""
    token = connect({**APP, **MY_DOMAIN}).org.session.token
    hook = connect({"session_id": token})
    check(hook)
    assert logins(box) == 1
    box.faults("salesforce", "session_expired")
    ended = refusal(connect({"session_id": token}))
    assert ended.code == "INVALID_SESSION_ID"
    assert "session_id, which cannot be renewed" in str(ended)
    assert token not in str(ended)


def test_blank_fields_of_the_form_are_absent(connect):
    """The old form of the UI stores every field, prefixed and blank; what is filled in counts."""
    names = "security_token domain private_key private_key_file_path organization_id instance instance_url proxies"
    blank = {f"extra__salesforce__{name}": "" for name in [*names.split(), "version", "client_id"]}
    given = {f"extra__salesforce__{name}": value for name, value in {**APP, **MY_DOMAIN}.items()}
    check(connect({**blank, **given}, "", ""))
    check(connect({**APP, **MY_DOMAIN, "security_token": "left over"}, "", ""))


@pytest.mark.parametrize(
    ("written", "used"), [(None, "62.0"), ("", "62.0"), (60.0, "60.0"), (60, "60.0"), ("v61", "61.0")]
)
def test_version(box, connect, written, used):
    """The version may be text or a number."""
    check(connect({**APP, **MY_DOMAIN, "version": written}))
    assert f"/services/data/v{used}/" in box.log[-1].path


@pytest.mark.parametrize("version", ["latest", "45.0", 0.5])
def test_bad_versions(connect, version):
    """A version that is none, or too old for upserts in collections, is refused with an example."""
    assert "for example '62.0'" in str(refusal(connect({**APP, **MY_DOMAIN, "version": version}), ConfigurationError))


def test_soap_login_of_a_version_that_has_none(connect):
    """Salesforce's refusal is completed by what to do."""
    hook = connect({"security_token": "sandboxtoken", "version": "66.0"}, USER, "sandbox-password")
    assert "set the extra 'version', or use OAuth" in str(refusal(hook))


@pytest.mark.parametrize(
    ("extra", "login", "password", "code", "advice"),
    [
        ({**APP, "consumer_secret": "wr0ng-secret", **MY_DOMAIN}, None, None, "invalid_client", "consumer_secret"),
        ({**APP, "consumer_key": "nobody", **MY_DOMAIN}, None, None, "invalid_client_id", "consumer_key"),
        ({"security_token": "sandboxtoken"}, USER, "wr0ng-secret", "INVALID_LOGIN", "'test' for a sandbox"),
        ({**APP, **MY_DOMAIN}, USER, "wr0ng-secret", "invalid_grant", "check domain, the user"),
        ({**APP, **MY_DOMAIN}, "nobody", "sandbox-password", "invalid_grant", "check domain, the user"),
    ],
)
def test_refused_logins(box, connect, *, extra, login, password, code, advice):
    """A wrong secret stops at once, with Salesforce's code and what to check."""
    refused = refusal(connect(extra, login, password))
    assert refused.code == code
    assert f"Salesforce refused the login: {code}: " in str(refused)
    assert advice in str(refused)
    assert logins(box) == 1


def test_no_run_as_user(box, connect):
    """The commonest omission of a new app has its own sentence."""
    box.settings("salesforce", run_as_user=False)
    assert "Run-As user" in str(refusal(connect({**APP, **MY_DOMAIN})))


@pytest.mark.parametrize(
    ("extra", "login", "words"),
    [
        ({}, None, "does not say how to log in: give one of: consumer_key"),
        ({"consumer_key": "k"}, "user", "does not say how to log in"),
        (APP, None, "was not even asked"),
        ({**APP, "proxies": "http://proxy"}, None, "write proxies as a JSON object"),
        ({**APP, "base_url": "http://crm.example.com"}, None, "over plain http"),
        ({**APP, "base_url": "ftp://crm.example.com"}, None, "no http(s) address"),
    ],
)
def test_connections_that_say_too_little(box, connect, extra, login, words):
    """What is missing or cannot be is said before anything is sent."""
    assert words in str(refusal(connect(extra, login)))
    assert box.log == []


def test_connection_of_another_type(connect):
    """A connection of another type is named."""
    assert "is of type 'http'" in str(refusal(connect({}, conn_type="http"), ConfigurationError))


def test_unreachable(connect):
    """A host that does not listen may listen later."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        hook = connect({**APP, **MY_DOMAIN, "base_url": f"http://127.0.0.1:{closed.getsockname()[1]}"})
        assert "Salesforce's login cannot be reached" in str(refusal(hook, RetryableError))
    works, sentence = hook.test_connection()
    assert not works
    assert "cannot be reached" in sentence


def test_tls(box, connect):
    """An address that does not speak TLS is a wrong address."""
    hook = connect({**APP, **MY_DOMAIN, "base_url": box.url.replace("http:", "https:")})
    assert refusal(hook).code == "TLS"


STRANGE = [
    ("html", {"status": 200}, RetryableError, "HTTP 200 with HTML"),
    ("html", {"status": 503}, RetryableError, "HTTP 503 with HTML"),
    ("html", {"status": 404}, FatalError, "is that the address of a Salesforce org?"),
    ("empty_body", {}, RetryableError, "with an empty body"),
    ("invalid_json", {}, RetryableError, "something unreadable"),
    ("truncated_body", {}, RetryableError, "did not answer"),
    ("drop_before", {}, RetryableError, "did not answer"),
    ("redirect", {}, FatalError, "another address"),
]
STRANGE_OAUTH = [
    ({"status": 200, "body": {"access_token": "x"}}, "something unreadable"),
    ({"status": 200, "body": []}, "something unreadable"),
    ({"status": 503, "body": {"error": "later"}}, "come back later: later"),
    (
        {"status": 400, "body": {"error": "unknown_error", "error_description": "retry your request"}},
        "unknown_error: retry your request",
    ),
]


@pytest.mark.parametrize(("mode", "how", "kind", "words"), STRANGE)
@pytest.mark.parametrize("soap", [False, True])
def test_logins_that_answer_strangely(box, connect, *, mode, how, kind, words, soap):
    """What is no answer of a login is described; what may pass is tried again."""
    box.faults("salesforce", mode, **how)
    extra = {"security_token": "sandboxtoken"} if soap else {**APP, **MY_DOMAIN}
    hook = connect(extra, *((USER, "sandbox-password") if soap else ()))
    assert words in str(refusal(hook, kind))


@pytest.mark.parametrize(("how", "words"), STRANGE_OAUTH)
def test_oauth_answers_that_may_pass(box, connect, how, words):
    """JSON that is no answer of a login, and codes that ask for patience, are tried again."""
    box.faults("salesforce", "status", **how)
    assert words in str(refusal(connect({**APP, **MY_DOMAIN}), RetryableError))


def test_too_many_logins(box, connect):
    """A login that comes too often is tried again later."""
    box.settings("salesforce", logins_per_hour=0)
    assert "come back later" in str(refusal(connect({**APP, **MY_DOMAIN}), RetryableError))
    hook = connect({"security_token": "sandboxtoken"}, USER, "sandbox-password")
    assert refusal(hook, RetryableError).code == "LOGIN_RATE_EXCEEDED"


def test_a_netrc_does_not_replace_our_token(connect, tmp_path, monkeypatch):
    """A `.netrc` entry for the host neither spoils the login nor the calls after it."""
    netrc = tmp_path / "netrc"
    hosts = ("127.0.0.1", "acme.my.salesforce.com", "login.salesforce.com")
    netrc.write_text("".join(f"machine {host} login somebody password else\n" for host in hosts))
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    check(connect({**APP, **MY_DOMAIN}))
    check(connect({"security_token": "sandboxtoken"}, USER, "sandbox-password"))


def test_proxies(connect, monkeypatch):
    """A proxy of the environment is not asked for a loopback address, a proxy of the connection always is."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    check(connect({**APP, **MY_DOMAIN}))
    hook = connect({**APP, **MY_DOMAIN, "proxies": '{"http": "http://127.0.0.1:9"}'})
    assert "cannot be reached" in str(refusal(hook, RetryableError))


def test_an_expired_session_is_renewed_once_for_all_threads(box, hook, sync):
    """Eight threads meet the end of a session: one login, and every record is written."""
    ids = box.seed("salesforce", "Account", [{"Name": f"A{n}"} for n in range(8)])
    check(hook)
    before = logins(box)
    box.fake("salesforce")._org.sessions.close_all()
    outcomes = {}

    def work(record):
        outcomes[record] = sync("update", "Account", {record: {"Phone": "1"}})[0].status

    threads = [threading.Thread(target=work, args=(record,)) for record in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == dict.fromkeys(ids, Status.SUCCEEDED)
    assert logins(box) == before + 1


def test_threads_that_start_together_log_in_once(box, connect):
    """The first use from several threads opens one session."""
    hook = connect({**APP, **MY_DOMAIN})
    threads = [threading.Thread(target=hook.who_am_i) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert logins(box) == 1


def test_headers_survive_a_renewal(box, sync):
    """The call that is repeated after a new login carries the same options."""
    box.settings("salesforce", duplicate_rules={"Account": "Phone"})
    box.seed("salesforce", "Account", [{"Name": "A", "Phone": "1"}])
    box.faults("salesforce", "session_expired", method="POST", times=1)
    assert (
        sync("create", "Account", {"b": {"Name": "B", "Phone": "1"}}, allow_duplicates=True)[0].status
        is Status.SUCCEEDED
    )


def test_a_session_that_is_refused_even_when_new(box, connect):
    """There is no loop of logins."""
    box.faults("salesforce", "session_refused")
    refused = refusal(connect({**APP, **MY_DOMAIN}))
    assert "not valid for use with the REST API" in str(refused)
    assert logins(box) == 2


def test_a_revoked_app_stops(box, hook, sync):
    """When the renewal itself is refused, the call ends with the login's words, and no record is marked."""
    check(hook)
    box.fake("salesforce")._org.sessions.close_all()
    box.settings("salesforce", run_as_user=False)
    with pytest.raises(FatalError, match="no client credentials user enabled"):
        sync("update", "Account", {"001000000000001AAA": {"Phone": "1"}})


def test_an_org_that_moves_is_followed(box, hook, sync):
    """After a new login calls go to the new instance, the refused call included."""
    (account,) = box.seed("salesforce", "Account", [{"Name": "A"}])
    check(hook)
    box.faults("salesforce", "instance_moved", nth=1)
    assert sync("update", "Account", {account: {"Phone": "1"}})[0].status is Status.SUCCEEDED
    assert hook.org.session.instance == "acme-1.my.salesforce.com"


def test_requests_go_to_the_host_of_the_session():
    """Without a base_url the address itself follows the org."""
    homes = [Session("00D000000000001!b", "new.my.salesforce.com", "client-credentials")]
    auth = SessionAuth(Session("00D000000000001!a", "old.my.salesforce.com", "jwt-bearer"), homes.pop, detoured=False)
    request = requests.Request("GET", "https://old.my.salesforce.com/services/data/v62.0/query?q=a+b", auth=auth)
    first = request.prepare()
    assert auth.renew(auth.token)
    second = request.prepare()
    assert first.url == "https://old.my.salesforce.com/services/data/v62.0/query?q=a+b"
    assert second.url == "https://new.my.salesforce.com/services/data/v62.0/query?q=a+b"
    assert second.headers["Authorization"] == "Bearer 00D000000000001!b"


@pytest.mark.parametrize(
    ("token", "organisation"),
    [
        ("00Dxx0000001gERxyz!AQ.x", "00Dxx0000001gER"),
        ("00Dxx0000001gER!AQ.x", "00Dxx0000001gER"),
        ("eyJhbGciOi.x.y", "acme.my.salesforce.com"),
    ],
)
def test_the_org_behind_a_token(token, organisation):
    """The identity of the account is the org's id where the token tells it, else the host."""
    assert Session(token, "ACME.my.salesforce.com", "direct").organisation == organisation
