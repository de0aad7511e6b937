"""From an Airflow connection to an access token: a service account's key, or the worker's default credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import requests

from airflow_reverse_etl.destinations.base import base_url
from airflow_reverse_etl.errors import ConfigurationError, FatalError, RetryableError

if TYPE_CHECKING:
    from airflow.sdk import Connection

API = "https://sheets.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/spreadsheets"
PREFIX = "extra__google_cloud_platform__"
"""Connections of type `google_cloud_platform` that were made long ago have this before every extra."""


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
        :raises RetryableError: the login cannot be reached.
        """
        from google.auth import exceptions
        from google.auth.transport.requests import Request

        try:
            with requests.Session() as session:
                self._credentials.refresh(Request(session))
        except exceptions.TransportError as error:
            message = f"Google's login cannot be reached: {type(error).__name__}"
            raise RetryableError(message, code="LOGIN_UNREACHABLE") from error
        except exceptions.GoogleAuthError as error:
            if getattr(error, "retryable", False):
                raise RetryableError("Google's login is not available now", code="LOGIN_UNAVAILABLE") from error
            message = f"Google refuses the credentials of {self.who}: {_reason(error)}; check the key in the connection"
            raise FatalError(message, code="LOGIN_REFUSED") from error
        return str(self._credentials.token)


def _reason(error: Exception) -> str:
    """Return the reason that Google gives, without the answer that it wraps."""
    words = error.args[0] if error.args else error
    return str(words)[:200]


def _credentials(connection: Connection) -> Any:
    extra = connection.extra_dejson
    key = _key(extra)
    if key is None:
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
    from google.oauth2 import service_account

    try:
        base_url(key.get("token_uri"), "https://oauth2.googleapis.com/token")
        return service_account.Credentials.from_service_account_info(key, scopes=[SCOPE])
    except ValueError as error:
        message = f"the service account key in the connection {connection.conn_id!r} is not complete: {error}"
        raise ConfigurationError(message) from error


def _key(extra: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the service account key that the extras hold or point to."""
    written = extra.get("keyfile_dict") or extra.get(f"{PREFIX}keyfile_dict")
    path = extra.get("key_path") or extra.get(f"{PREFIX}key_path")
    if isinstance(written, str) and written.strip():
        return _json(lambda: written, "`keyfile_dict`")
    if isinstance(written, Mapping) and written:
        return dict(written)
    if path:
        return _json(lambda: _read(str(path)), f"the key file {path}")
    return None


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123  a path of the worker, as the user wrote it
        return file.read()


def _json(read: Callable[[], str], where: str) -> dict[str, Any]:
    try:
        content = json.loads(read())
    except OSError as error:
        message = f"{where} cannot be read: {error.strerror}"
        raise ConfigurationError(message) from error
    except ValueError:
        content = None
    if not isinstance(content, dict):
        message = f"{where} is no JSON object: paste the whole content of the service account's key file"
        raise ConfigurationError(message)
    return content
