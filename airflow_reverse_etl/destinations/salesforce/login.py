"""How a session with Salesforce begins: through Airflow's own SalesforceHook, with what can go wrong named."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from airflow_reverse_etl.destinations.rest import CONNECT_SECONDS, transport_error
from airflow_reverse_etl.errors import ConfigurationError, FatalError, RetryableError, SyncError, UnknownOutcomeError

if TYPE_CHECKING:
    from airflow.sdk import Connection

DEFAULT_VERSION = "62.0"
"""The API version where the connection names none. Airflow's hook would take simple-salesforce's own default, which
moves with that library; this one stays, knows every header that we send, and has the SOAP login (gone with 65.0)."""
OLDEST_VERSION = 46.0
"""The first that upserts through sObject Collections."""
LOGIN_SECONDS = 60
PREFIX = "extra__salesforce__"
TRY_AGAIN = frozenset({"unknown_error", "server_error", "temporarily_unavailable", "rate_limit_exceeded"}) | frozenset(
    {"LOGIN_RATE_EXCEEDED", "SERVER_UNAVAILABLE", "API_CURRENTLY_DISABLED", "UNKNOWN_EXCEPTION"}
)
"""Codes of a login that later may succeed with the same secret."""
NOTHING_FOUND = "UNKNOWN_EXCEPTION_CODE"
"""simple-salesforce's own word for an answer in which it found neither a session nor a refusal."""
WAYS_IN = (
    "give one of: consumer_key and consumer_secret with your My Domain as domain (client credentials); Username, "
    "consumer_key and private_key or private_key_file_path (JWT); Username, Password and security_token; "
    "session_id and instance_url"
)


@dataclass(frozen=True)
class Session:
    """What a login gives.

    :param token: the session id, or access token, for the Authorization header.
    :param instance: host (and port) of the org, which may be another after the next login.
    :param kind: simple-salesforce's word for the way in: "direct" is a session id, which cannot be renewed.
    """

    token: str
    instance: str
    kind: str

    @property
    def organisation(self) -> str:
        """The org's own Id, with which Salesforce's session ids begin; the host where a token does not tell."""
        told = re.match(r"(00D[A-Za-z0-9]{12})(?:[A-Za-z0-9]{3})?!", self.token)
        return told[1] if told else self.instance.lower()


@dataclass(frozen=True)
class Entrance:
    """A connection as it was understood; all that logging in again needs, so that the connection is read once.

    :param connection: for Airflow's hook: blanks are absent, version is text, what is ours is taken out.
    :param base_url: where every call goes instead of to Salesforce, or nothing.
    """

    connection: Connection
    version: str
    base_url: str
    session_id: str | None
    proxies: Mapping[str, str]

    def log_in(self) -> Session:
        """Open a session.

        :raises FatalError: Salesforce refuses these credentials, or the connection lacks some.
        :raises RetryableError: the login cannot be reached, or asks to come back later.
        """
        hook_class, refusal, bad_key = _airflows_hook()
        session, answers = _login_session(self)
        hook = hook_class(self.connection.conn_id, session_id=self.session_id, session=session)
        hook.get_connection = lambda _conn_id: self.connection  # read once, on the main thread
        try:
            salesforce = hook.get_conn()
        except refusal as error:
            raise _refused(error.code, getattr(error, "auth_message", error.message), answers) from error
        except requests.exceptions.JSONDecodeError as error:  # where simplejson is installed, which requests prefers
            raise _unreadable(answers) from error
        except requests.TooManyRedirects as error:
            raise FatalError(
                "Salesforce's login sends us to another address; correct the connection's domain"
            ) from error
        except requests.RequestException as error:
            failure = transport_error(error, "Salesforce's login")
            if isinstance(failure, UnknownOutcomeError):  # logging in twice does no harm
                raise RetryableError(str(failure), code=failure.code) from error
            raise failure from error
        except (ExpatError, ValueError, TypeError, AttributeError, OSError, bad_key) as error:
            raise _unreadable(answers) if answers else self._incomplete(error) from error
        finally:
            session.close()
        host = urlsplit(f"//{salesforce.sf_instance}").netloc
        return Session(str(salesforce.session_id), host, salesforce.auth_type)

    def _incomplete(self, error: Exception) -> ConfigurationError:
        """Return what is wrong with a connection that led to no request; a library's words may quote a secret."""
        name = self.connection.conn_id
        if isinstance(error, OSError):
            return ConfigurationError(
                f"the connection {name!r}: private_key_file_path cannot be read: {error.strerror}"
            )
        if isinstance(error, TypeError):
            return ConfigurationError(f"the connection {name!r} does not say how to log in: {WAYS_IN}")
        return ConfigurationError(f"the connection {name!r}: the private key is no RSA key in PEM form")


def entrance(connection: Connection, base_url: str) -> Entrance:
    """Read a connection as Airflow's SalesforceHook does, and forgive what it stumbles over.

    Blank fields count as absent (they make simple-salesforce choose another way in), `version` may be a number,
    `domain` may be a whole host name, and `proxies` go to the session, where simple-salesforce would ignore them.

    :param base_url: checked by the caller; empty for Salesforce itself.
    :raises ConfigurationError: `version` or `proxies` cannot be understood.
    """
    extra = tidy(connection.extra_dejson)
    proxies = _proxies(extra.pop("proxies", None), connection.conn_id)
    version = _version(extra.get("version"), connection.conn_id)
    if "version" in extra:  # else not: Airflow would warn about a secret that is too short to be masked
        extra["version"] = version
    session_id = extra.pop("session_id", None)
    if session_id and base_url:
        extra.setdefault("instance_url", base_url)
    elif not session_id and not connection.password and "://" in str(extra.get("instance_url", "")):
        extra.setdefault("domain", extra.pop("instance_url"))  # simple-salesforce would make `https://https://` of it
    if "domain" in extra:
        extra["domain"] = re.sub(r"^https?://|\.salesforce\.com/*$", "", str(extra["domain"]).strip())
    mended = copy.copy(connection)
    mended.login, mended.password = connection.login or None, connection.password or None
    mended.extra = json.dumps(extra)
    return Entrance(mended, version, base_url, session_id, proxies)


def tidy(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extra without blanks and without the old `extra__salesforce__` prefix; the short name wins."""
    short = {name.removeprefix(PREFIX): value for name, value in extra.items() if name.startswith(PREFIX)}
    short.update({name: value for name, value in extra.items() if not name.startswith(PREFIX)})
    return {name: value for name, value in short.items() if value not in (None, "")}


def _proxies(written: Any, conn_id: str) -> dict[str, str]:
    try:
        proxies = json.loads(written) if isinstance(written, str) else written or {}
    except ValueError:
        proxies = None
    if not isinstance(proxies, dict):
        raise ConfigurationError(
            f'the connection {conn_id!r}: write proxies as a JSON object such as {{"https": "http://proxy:3128"}}'
        )
    return proxies


def _version(written: Any, conn_id: str) -> str:
    try:
        version = float(str(written or DEFAULT_VERSION).strip().lstrip("vV"))
    except ValueError:
        version = 0.0
    if version < OLDEST_VERSION:
        raise ConfigurationError(
            f"the connection {conn_id!r}: the extra version is {written!r}; write an API version of Salesforce from "
            f"{OLDEST_VERSION} on, for example {DEFAULT_VERSION!r}"
        )
    return f"{version:.1f}"


class Detour(HTTPAdapter):
    """Gives every call of a login a time limit and, where the connection has a `base_url`, sends it there.

    simple-salesforce writes `https://<host>.salesforce.com` into every address; the host goes along as
    `X-Original-Host`.
    """

    def __init__(self, base_url: str, proxies: Mapping[str, str]) -> None:
        self._base_url = base_url
        self._proxies = dict(proxies)
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        """Send a prepared request to where it shall go."""
        how["timeout"] = how.get("timeout") or (CONNECT_SECONDS, LOGIN_SECONDS)
        if self._base_url and request.url:
            asked = urlsplit(request.url)
            request.headers["X-Original-Host"] = asked.netloc
            request.url = self._base_url + asked.path + (f"?{asked.query}" if asked.query else "")
            how["proxies"] = self._proxies or get_environ_proxies(request.url)  # chosen anew: this is another host
        return super().send(request, *args, **how)


def _login_session(way: Entrance) -> tuple[requests.Session, list[requests.Response]]:
    """Return a session for one login, and the list in which its answers will be."""
    session = requests.Session()
    answers: list[requests.Response] = []
    session.auth = lambda request: request  # else a `.netrc` would put its own password on the login
    session.max_redirects = 0  # nobody may send the secret on to a third address
    session.proxies.update(way.proxies)
    session.hooks["response"].append(lambda response, **_: answers.append(response))
    session.mount("https://", Detour(way.base_url, way.proxies))
    return session, answers


def _airflows_hook() -> tuple[Any, Any, type[Exception]]:
    """Return Airflow's hook, simple-salesforce's word for a refused login, and PyJWT's for an unusable private key."""
    try:
        from airflow.providers.salesforce.hooks.salesforce import SalesforceHook
        from jwt.exceptions import PyJWTError
        from simple_salesforce.exceptions import SalesforceAuthenticationFailed
    except ImportError as error:
        raise ConfigurationError(
            f"Salesforce needs Airflow's own Salesforce provider ({error}): "
            f"pip install 'airflow-provider-reverse-etl[salesforce]'"
        ) from error
    return SalesforceHook, SalesforceAuthenticationFailed, PyJWTError


def _refused(code: Any, words: Any, answers: list[requests.Response]) -> SyncError:
    """Return what a refusal means: a wrong secret stops, a login that is busy is tried again."""
    if not answers:
        return ConfigurationError(f"Salesforce's login was not even asked: {words}; {WAYS_IN}")
    if not isinstance(code, str) or code == NOTHING_FOUND:
        return _unreadable(answers)
    said = str(words or "").removeprefix(f"{code}: ")
    if code in TRY_AGAIN or said == "login rate exceeded" or answers[-1].status_code in (429, 502, 503, 504):
        return RetryableError(f"Salesforce's login asks to come back later: {code}: {said}", code=code)
    return FatalError(f"Salesforce refused the login: {code}: {said}{_advice(code, said)}", code=code)


def _unreadable(answers: list[requests.Response]) -> SyncError:
    """Return what an answer means that is none of a login: HTML, nothing, half a message."""
    answer = answers[-1]
    html = answer.text.lstrip()[:9].lower().startswith(("<html", "<!doctype"))
    kind = "HTML" if html else "something unreadable" if answer.content else "an empty body"
    message = f"Salesforce's login at {urlsplit(answer.url).netloc} answered HTTP {answer.status_code} with {kind}"
    if 400 <= answer.status_code < 500 and answer.status_code != 429:
        return FatalError(f"{message}; is that the address of a Salesforce org? (domain, base_url)", code="NOT_JSON")
    return RetryableError(f"{message}; if this stays so, check the connection's domain and base_url", code="NOT_JSON")


def _advice(code: str, said: str) -> str:
    """Return what to do about a refused login, where its code says more than it seems to."""
    advice = {
        "INVALID_LOGIN": "check Username, Password and security_token, and domain ('test' for a sandbox)",
        "invalid_client": "check consumer_secret",
        "invalid_client_id": "check consumer_key",
        "UNSUPPORTED_API_VERSION": "logins by password exist up to version 64.0: set the extra 'version', or use OAuth",
        "invalid_grant": "check domain, the user and the policies of the app in Salesforce",
    }.get(code)
    if "no client credentials user" in said:
        advice = "name a Run-As user in the app's client credentials policy"
    elif "hasn't approved" in said:
        advice = "authorise the user for the app in advance (Permitted Users: admin approved)"
    return f"; {advice}" if advice else ""
