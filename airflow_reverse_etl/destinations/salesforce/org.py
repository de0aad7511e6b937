"""One Salesforce org, as the hook reaches it: its address, its limits, and what it describes of its objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from airflow_reverse_etl.destinations.rest import Rest
from airflow_reverse_etl.destinations.salesforce.access import SessionAuth
from airflow_reverse_etl.destinations.salesforce.login import Entrance, Session
from airflow_reverse_etl.destinations.salesforce.refusals import NAME, judge
from airflow_reverse_etl.destinations.salesforce.shape import ObjectShape, near, read_object
from airflow_reverse_etl.errors import BatchRejectedError, ConfigurationError, FatalError, RetryableError

CLIENT = {"Sforce-Call-Options": "client=airflow_reverse_etl"}
NO_SUCH_OBJECT = frozenset({"NOT_FOUND", "HTTP_404", "INVALID_TYPE"})


@dataclass(frozen=True)
class Usage:
    """API calls of the last 24 hours, of the whole org, as Salesforce's last answer told (`Sforce-Limit-Info`)."""

    used: int
    allowed: int


class Org:
    """An org that we are logged in to.

    :param way: how to log in.
    :param slot: taken for each request (`SyncHook.slot`).
    :param threads: how many requests may be under way at once.
    :raises FatalError, RetryableError: from the login.
    """

    def __init__(self, way: Entrance, slot: Callable[[], AbstractContextManager[None]], threads: int) -> None:
        self._auth = SessionAuth(way.log_in(), way.log_in, detoured=bool(way.base_url))
        self._version = way.version
        self._shapes: dict[str, ObjectShape] = {}
        self.usage: Usage | None = None
        http = requests.Session()
        http.proxies.update(way.proxies)
        http.hooks["response"].append(self._note_usage)
        self.rest = Rest(
            way.base_url or f"https://{self.session.instance}",
            self._auth,
            slot,
            judge=judge,
            name=NAME,
            threads=threads,
            headers=CLIENT,
            session=http,
        )

    @property
    def session(self) -> Session:
        """The session that is in use now."""
        return self._auth.session

    def path(self, resource: str) -> str:
        """Return the path of a resource of the REST API."""
        return f"services/data/v{self._version}/{resource}"

    def shape(self, name: str) -> ObjectShape:
        """Describe an object, by its name in any case; asked once.

        :raises ConfigurationError: there is none of this name for the connection's user.
        """
        key = name.strip().lower()
        if key not in self._shapes:
            self._shapes[key] = self._describe(name.strip()) or self._spelled(name.strip())
        return self._shapes[key]

    def _describe(self, name: str) -> ObjectShape | None:
        """Return what Salesforce says of an object; None where it knows none of that name."""
        try:
            return read_object(self.rest.read("GET", self.path(f"sobjects/{quote(name, safe='')}/describe")).body)
        except ValueError:
            raise RetryableError(f"Salesforce described {name} with something that is no description") from None
        except (FatalError, BatchRejectedError) as error:
            if error.code in NO_SUCH_OBJECT:
                return None
            if isinstance(error, BatchRejectedError):
                raise FatalError(str(error), code=error.code) from error
            raise

    def _spelled(self, name: str) -> ObjectShape:
        """Describe an object whose name was written in another case, or say what names there are like it."""
        names = self._object_names()
        same = next((known for known in names if known.lower() == name.lower() and known != name), None)
        shape = self._describe(same) if same else None
        if shape is None:
            raise ConfigurationError(
                f"Salesforce has no object {name!r} that the connection's user may see{near(name, names)}",
                code="NOT_FOUND",
            )
        return shape

    def _object_names(self) -> list[str]:
        body = self.rest.read("GET", self.path("sobjects")).body
        items = body.get("sobjects") if isinstance(body, dict) else None
        return [str(item["name"]) for item in items or () if isinstance(item, dict) and item.get("name")]

    def _note_usage(self, response: requests.Response, **_: Any) -> None:
        told = re.search(r"(?<![\w-])api-usage=(\d+)/(\d+)", response.headers.get("Sforce-Limit-Info", ""))
        if told:
            self.usage = Usage(int(told[1]), int(told[2]))
