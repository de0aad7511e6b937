"""A plain HTTP client of the Google Sheets fake: google-auth logs in, everything else is said by the test."""

from __future__ import annotations

import json
from typing import Any, Self
from urllib.parse import quote

import requests
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials
from requests.auth import AuthBase

SCOPE = "https://www.googleapis.com/auth/spreadsheets"


class Login(AuthBase):
    """Puts the access token of a service account on every request.

    Not google-auth's own session: that asks a server of Google for the account's region, which a test must not.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Log in if need be."""
        if not self.credentials.valid:
            self.credentials.refresh(Request())
        request.headers["Authorization"] = f"Bearer {self.credentials.token}"
        return request


class Api:
    """Calls of the Sheets API on the default spreadsheet of a sandbox."""

    def __init__(self, box: Any, scope: str = SCOPE) -> None:
        self.fake = box.fake("google_sheets")
        self.base = f"{box.url}/google_sheets"
        self.keyfile = json.loads(self.fake.connection(self.base)["extra"]["keyfile_dict"])
        self.credentials = Credentials.from_service_account_info(self.keyfile, scopes=[scope])
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = Login(self.credentials)
        self.url = f"{self.base}/v4/spreadsheets/{self.fake.settings.spreadsheet_id}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(self, **query: Any) -> requests.Response:
        """Call spreadsheets.get."""
        return self.session.get(self.url, params=query)

    def read(self, cells: str, **query: Any) -> requests.Response:
        """Call values.get."""
        return self.session.get(f"{self.url}/values/{quote(cells, safe='')}", params=query)

    def values(self, cells: str, **query: Any) -> list[list[Any]]:
        """Return the unformatted values of a range."""
        answer = self.read(cells, **{"valueRenderOption": "UNFORMATTED_VALUE", **query})
        assert answer.status_code == 200, answer.text
        return answer.json().get("values", [])

    def write(self, cells: str, values: Any, option: str = "RAW", **more: Any) -> requests.Response:
        """Call values.update; `more` goes into the body."""
        address = f"{self.url}/values/{quote(cells, safe='')}"
        return self.session.put(address, params={"valueInputOption": option}, json={"values": values, **more})

    def post(self, method: str, body: Any, **query: Any) -> requests.Response:
        """Call a method by what follows the spreadsheet's id: `:batchUpdate`, `/values:batchUpdate` ..."""
        return self.session.post(f"{self.url}{method}", params=query, json=body)

    def change(self, *requests: dict[str, Any]) -> requests.Response:
        """Call spreadsheets.batchUpdate."""
        return self.post(":batchUpdate", {"requests": list(requests)})

    def changed(self, *requests: dict[str, Any]) -> list[dict[str, Any]]:
        """Call spreadsheets.batchUpdate, which must go well, and return its replies."""
        answer = self.change(*requests)
        assert answer.status_code == 200, answer.text
        return answer.json()["replies"]

    def grid(self, sheet_id: int = 0) -> dict[str, Any]:
        """Return the grid properties of a tab."""
        sheets = self.get(fields="sheets.properties").json()["sheets"]
        return next(s["properties"]["gridProperties"] for s in sheets if s["properties"]["sheetId"] == sheet_id)


def message(answer: requests.Response) -> str:
    """Return the sentence of a refusal."""
    return answer.json()["error"]["message"]


def cell(value: Any) -> dict[str, Any]:
    """Return a CellData with this value; None is a cell without one."""
    if value is None:
        return {}
    kinds = {str: "stringValue", bool: "boolValue", int: "numberValue", float: "numberValue"}
    return {"userEnteredValue": {kinds[type(value)]: value}}


def rows(*values: list[Any]) -> list[dict[str, Any]]:
    """Return RowData for these rows."""
    return [{"values": [cell(value) for value in row]} for row in values]
