"""From an Airflow connection to an access token: a service account's key, or the worker's default credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from airflow_reverse_etl.destinations.base import base_url
from airflow_reverse_etl.errors import ConfigurationError, FatalError, RetryableError

if TYPE_CHECKING:
    from airflow.sdk import Connection

API = "https://sheets.googleapis.com"
TOKENS = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/spreadsheets"
PREFIX = "extra__google_cloud_platform__"
"""Connections of type `google_cloud_platform` that were made long ago have this before every extra."""

OTHER_LOGINS = ("key_secret_name", "credential_config_file", "impersonation_chain", "is_anonymous")
"""Extras of Airflow's Google provider that mean another login: left unread, they would let us in as somebody else."""


class Login:
    """Fetches access tokens for a connection.

    :raises ConfigurationError: no usable key; the message says what the connection must hold.
    """

    def __init__(self, connection: Connection) -> None:
        try:
            self._credentials = _credentials(connection)
        except ImportError as error:
            message = (
                f"Google Sheets needs google-auth ({error}): pip install 'airflow-provider-reverse-etl[google_sheets]'"
            )
            raise ConfigurationError(message) from error
        self.who: str = getattr(self._credentials, "service_account_email", "") or "the worker's default credentials"

    def token(self) -> str:
        """Return a fresh access token.

        :raises FatalError: Google refuses the key.
        :raises RetryableError: the login cannot be reached, or answers something that is no token.
        """
        from google.auth import exceptions
        from google.auth.transport.requests import Request

        try:
            with requests.Session() as session:
                self._credentials.refresh(Request(session))
        except exceptions.TransportError as error:
            message = f"Google's login cannot be reached: {type(error.__context__ or error).__name__}"
            raise RetryableError(message, code="LOGIN_UNREACHABLE") from error
        except exceptions.GoogleAuthError as error:
            if error.retryable or not _is_refusal(error):
                message = f"Google's login is not available now: {_reason(error)}"
                raise RetryableError(message, code="LOGIN_UNAVAILABLE") from error
            message = f"Google refuses the credentials of {self.who}: {_reason(error)}; check the key in the connection"
            raise FatalError(message, code="LOGIN_REFUSED") from error
        except (TypeError, ValueError, LookupError) as error:  # from an answer that google-auth does not expect
            message = f"Google's login answered something that is no token ({type(error).__name__})"
            raise RetryableError(message, code="LOGIN_UNAVAILABLE") from error
        return str(self._credentials.token)


def _is_refusal(error: Exception) -> bool:
    """Whether the login answered as OAuth does when it refuses (RFC 6749, section 5.2), rather than with a page."""
    answer = error.args[1] if len(error.args) > 1 else None
    return isinstance(answer, Mapping) and "error" in answer


def _reason(error: Exception) -> str:
    """Return the reason that Google gives, without the answer that it wraps."""
    words = str(error.args[0] if error.args else error)
    return "an HTML page" if words.lstrip().startswith("<") else words[:200]


def _credentials(connection: Connection) -> Any:
    extra = connection.extra_dejson
    other = [name for name in OTHER_LOGINS if _extra(extra, name)]
    if other:
        message = (
            f"the connection {connection.conn_id!r} has the extra {', '.join(other)}, which Google Sheets cannot be "
            f"reached by from here: give it `keyfile_dict` or `key_path`"
        )
        raise ConfigurationError(message)
    key = _key(extra)
    return _default(connection) if key is None else _service_account(connection, key)


def _service_account(connection: Connection, key: dict[str, Any]) -> Any:
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2 import service_account

    base_url(key.get("token_uri"), TOKENS)  # what signs the login must not travel in the open, either
    try:
        made: Any = service_account.Credentials
        return made.from_service_account_info(key, scopes=[SCOPE])  # google-auth has no type hints for it
    except (ValueError, TypeError, AttributeError, GoogleAuthError) as error:
        message = (
            f"the connection {connection.conn_id!r} holds no usable key of a service account "
            f"({str(error).splitlines()[0][:200]}): paste the whole content of the JSON key file"
        )
        raise ConfigurationError(message) from error


def _default(connection: Connection) -> Any:
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        return google.auth.default(scopes=[SCOPE])[0]
    except DefaultCredentialsError as error:
        message = (
            f"the connection {connection.conn_id!r} has neither `keyfile_dict` nor `key_path`, "
            f"and the worker has no default credentials"
        )
        raise ConfigurationError(message) from error


def _extra(extra: Mapping[str, Any], name: str) -> Any:
    return extra.get(name) or extra.get(f"{PREFIX}{name}")


def _key(extra: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the service account key that the extras hold or point to."""
    written, path = _extra(extra, "keyfile_dict"), _extra(extra, "key_path")
    if isinstance(written, str) and written.strip():
        return _json(lambda: written, "`keyfile_dict`")
    if isinstance(written, Mapping):
        return dict(written)
    if path:
        return _json(lambda: Path(str(path)).read_text(encoding="utf-8"), f"the key file {path}")
    return None


def _json(read: Callable[[], str], where: str) -> dict[str, Any]:
    try:
        content = json.loads(read())
    except OSError as error:
        raise ConfigurationError(f"{where} cannot be read: {error.strerror}") from error
    except ValueError:
        content = None
    if not isinstance(content, dict):
        message = f"{where} is no JSON object: paste the whole content of the service account's key file"
        raise ConfigurationError(message)
    return content
