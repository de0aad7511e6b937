"""Plain HTTP to the sandbox's Salesforce, and simple-salesforce led to it: neither knows our hook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_reverse_etl.destinations.salesforce.sandbox import Fake
    from airflow_reverse_etl.sandbox import Sandbox

VERSION = "v62.0"
TIMEOUT = 10


class Org:
    """The org of a sandbox, and a client of it that sends exactly what a test says.

    `status, body = org.get("limits")`: paths are below the API version; the body is parsed JSON, or None.
    """

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.fake: Fake = box.fake("salesforce")  # type: ignore[assignment]
        self.url = f"{box.url}/salesforce"
        self.session = requests.Session()
        self.session.trust_env = False
        self.version = VERSION
        self.last: requests.Response
        self.log_in()

    def log_in(self, host: str | None = None) -> dict[str, Any]:
        """Log in with client credentials, as a client of that host, and use the token from now on."""
        settings = self.fake.settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.consumer_key,
            "client_secret": settings.consumer_secret,
        }
        granted = self.token(form, host)[1]
        self.session.headers["Authorization"] = f"Bearer {granted['access_token']}"
        return granted

    def token(self, form: Mapping[str, str], host: str | None = None, **how: Any) -> tuple[int, dict[str, Any]]:
        """Ask the token endpoint."""
        headers = {"X-Original-Host": host} if host else {}
        url = f"{self.url}/services/oauth2/token"
        answer = requests.post(url, form, headers=headers | how.pop("headers", {}), timeout=TIMEOUT, **how)
        return answer.status_code, answer.json()

    def call(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        """Send a request; a path that begins with a slash is taken as it is."""
        url = f"{self.url}{path}" if path.startswith("/") else f"{self.url}/services/data/{self.version}/{path}"
        self.last = self.session.request(method, url, timeout=TIMEOUT, **how)
        return self.last.status_code, self.last.json() if self.last.content else None

    def get(self, path: str, **how: Any) -> tuple[int, Any]:
        """Send a GET."""
        return self.call("GET", path, **how)

    def post(self, path: str, body: object, **how: Any) -> tuple[int, Any]:
        """Send JSON with POST."""
        return self.call("POST", path, json=body, **how)

    def patch(self, path: str, body: object, **how: Any) -> tuple[int, Any]:
        """Send JSON with PATCH."""
        return self.call("PATCH", path, json=body, **how)

    def delete(self, path: str, **how: Any) -> tuple[int, Any]:
        """Send a DELETE."""
        return self.call("DELETE", path, **how)

    def query(self, soql: str, **how: Any) -> tuple[int, Any]:
        """Run a query."""
        return self.get("query", params={"q": soql}, **how)

    def rows(self, soql: str) -> list[dict[str, Any]]:
        """Give the records of a query, without their attributes."""
        status, body = self.query(soql)
        assert status == 200, body
        return [{name: value for name, value in row.items() if name != "attributes"} for row in body["records"]]

    def create(self, records: Sequence[Mapping[str, object]], object: str = "Account", **how: Any) -> tuple[int, Any]:
        """Create records with one collections call."""
        return self.post("composite/sobjects", collection(records, object, **how.pop("body", {})), **how)

    def update(self, records: Sequence[Mapping[str, object]], object: str = "Account", **how: Any) -> tuple[int, Any]:
        """Update records with one collections call."""
        return self.patch("composite/sobjects", collection(records, object, **how.pop("body", {})), **how)

    def upsert(
        self, records: Sequence[Mapping[str, object]], key: str = "External_Id__c", object: str = "Account", **how: Any
    ) -> tuple[int, Any]:
        """Upsert records with one collections call."""
        body = collection(records, object, **how.pop("body", {}))
        return self.patch(f"composite/sobjects/{object}/{key}", body, **how)

    def seed(self, *records: Mapping[str, object], object: str = "Account") -> list[str]:
        """Put records into the org by hand."""
        return self.box.seed("salesforce", object, [dict(record) for record in records])

    def records(self, object: str = "Account") -> list[dict[str, Any]]:
        """Give what the org holds."""
        return self.box.records("salesforce", object)

    def violations(self) -> list[dict[str, Any]]:
        """Give the requests that no correct client sends."""
        return self.box.violations("salesforce")


def collection(records: Sequence[Mapping[str, object]], object: str, **more: object) -> dict[str, object]:
    """Give the body of a collections call."""
    typed = [{"attributes": {"type": object}, **record} for record in records]
    return {"allOrNone": False, "records": typed, **more}


def errors(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give the status code of each failed row, and an empty text for each that succeeded."""
    return [row["errors"][0]["statusCode"] if not row["success"] else "" for row in results]


class LocalAdapter(HTTPAdapter):
    """Leads every https request of a client to the sandbox, and says which host was meant."""

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        """Send a request to the sandbox instead."""
        parts = urlsplit(str(request.url))
        request.headers["X-Original-Host"] = parts.netloc
        request.url = f"{self._url}{parts.path}{'?' + parts.query if parts.query else ''}"
        return super().send(request, *args, **how)


def local_session(org: Org) -> requests.Session:
    """Give a session that simple-salesforce can use."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", LocalAdapter(org.url))
    return session


def as_json(value: object) -> bytes:
    """Write JSON as tests want it on the wire."""
    return json.dumps(value).encode()
