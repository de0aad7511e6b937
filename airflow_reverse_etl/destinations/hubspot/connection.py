"""Reads the Airflow connection: where HubSpot is, with which token, in which version of its API, and how fast."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_reverse_etl.destinations.base import base_url
from airflow_reverse_etl.destinations.hubspot import VERSIONS
from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.model import Rate

if TYPE_CHECKING:
    from airflow.sdk import Connection

DEFAULT_URL = "https://api.hubapi.com"
DEFAULT_CALLS = 100
WINDOW_SECONDS = 10.0


@dataclass(frozen=True)
class Access:
    """What the connection says, checked."""

    url: str
    version: str
    rate: Rate
    token: str = field(repr=False)

    @property
    def addresses(self) -> Addresses:
        """Where HubSpot's API has what, in this version."""
        return Addresses(self.version)


@dataclass(frozen=True)
class Addresses:
    """Paths of HubSpot's API, dated (`/crm/objects/2026-03/...`) or legacy (`/crm/v3/objects/...`)."""

    version: str

    def objects(self, object_type: str, tail: str) -> str:
        """Return the path of a call on the records of a type, for example `batch/upsert`."""
        return f"{self._crm('objects')}/{quote(object_type, safe='')}/{tail}"

    def properties(self, object_type: str) -> str:
        """Return the path of the list of a type's properties."""
        return f"{self._crm('properties')}/{quote(object_type, safe='')}"

    def schemas(self) -> str:
        """Return the path of the list of custom objects."""
        return f"crm-object-schemas/{self.version}/schemas"

    def account(self) -> str:
        """Return the path of the account's details."""
        return f"account-info/{self.version}/details"

    def _crm(self, area: str) -> str:
        return f"crm/v3/{area}" if self.version == "v3" else f"crm/{area}/{self.version}"


def read_connection(connection: Connection) -> Access:
    """Return what the connection says.

    :raises ConfigurationError: all that is wrong with it, in one message.
    """
    extra = connection.extra_dejson
    problems: list[str] = []
    token = (connection.password or "").strip()
    if not token:
        problems.append("its password is empty: put the access token there (a service key or a private app's token)")
    elif not (token.isascii() and token.isprintable()) or " " in token:
        problems.append("its password holds characters that no HubSpot token has: copy the token anew")
    version = str(extra.get("api_version") or VERSIONS[0])
    if version not in VERSIONS:
        problems.append(f"its api_version is {version!r}: use one of {', '.join(VERSIONS)}")
    calls = _count(extra, "calls_per_10_seconds", DEFAULT_CALLS, problems)
    tasks = _count(extra, "concurrent_tasks", 1, problems)
    if problems:
        message = f"the connection {connection.conn_id!r} cannot be used: " + "; ".join(problems)
        raise ConfigurationError(message)
    return Access(
        url=base_url(connection.host, DEFAULT_URL),
        version=version,
        rate=Rate(max(1, calls // tasks), WINDOW_SECONDS),
        token=token,
    )


def _count(extra: dict[str, Any], name: str, default: int, problems: list[str]) -> int:
    """Return a whole number of at least 1; the form of older Airflows stores numbers as text."""
    written = extra.get(name)
    if written is None or written == "":
        return default
    text = str(written).strip()
    if isinstance(written, bool) or not text.isascii() or not text.isdigit() or int(text) < 1:
        problems.append(f"its {name} is {written!r}: write a whole number of at least 1")
        return default
    return int(text)
