"""The calls of the Sheets API that we make, and what its refusals mean."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_reverse_etl.destinations.google_sheets import a1
from airflow_reverse_etl.destinations.google_sheets.tab import Block, Tab
from airflow_reverse_etl.destinations.rest import Answer, Rest, retry_after
from airflow_reverse_etl.errors import BatchRejectedError, FatalError, RetryableError, SyncError, UnknownOutcomeError

ABOUT_TABS = (
    "properties(title,timeZone),"
    "sheets(properties(sheetId,title,sheetType,gridProperties(rowCount,columnCount,frozenRowCount)))"
)
UNFORMATTED = {"valueRenderOption": "UNFORMATTED_VALUE", "dateTimeRenderOption": "SERIAL_NUMBER"}


class Spreadsheet:
    """One spreadsheet.

    :param rest: the API, authenticated.
    :param number: the spreadsheet's id.
    """

    def __init__(self, rest: Rest, number: str) -> None:
        self._rest = rest
        self._path = f"v4/spreadsheets/{a1.in_path(number)}"

    def about(self) -> dict[str, Any]:
        """Return title, zone and tabs."""
        return dict(self._rest.read("GET", self._path, params={"fields": ABOUT_TABS}).body)

    def read(self, a1_range: str, **options: str) -> list[list[Any]]:
        """Return the values of a range; trailing empty rows and cells are left out."""
        answer = self._rest.read("GET", f"{self._path}/values/{a1.in_path(a1_range)}", params=options)
        return list((answer.body or {}).get("values", []))

    def formats(self, a1_ranges: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return the number format of the first cell of each range, or {}."""
        fields = "sheets(data(rowData(values(userEnteredFormat(numberFormat)))))"
        body = self._rest.read("GET", self._path, params={"ranges": list(a1_ranges), "fields": fields}).body or {}
        data = [part for sheet in body.get("sheets", []) for part in sheet.get("data", [{}])]
        return [_first_format(part) for part in data] + [{}] * (len(a1_ranges) - len(data))

    def change(self, requests: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Carry out a batchUpdate, which is applied whole or not at all; return one reply per request.

        :raises UnknownOutcomeError: the answer does not mention every request.
        """
        answer = self._rest.write("POST", f"{self._path}:batchUpdate", json_body={"requests": list(requests)})
        replies = (answer.body or {}).get("replies")
        if not isinstance(replies, list) or len(replies) != len(requests):
            message = "Google Sheets did not answer every request of a batchUpdate"
            raise UnknownOutcomeError(message, code="INCOMPLETE_ANSWER")
        return replies

    def body(self, tab: Tab, blocks: Iterable[Block], option: str) -> bytes:
        """Return the body that writes blocks of cells."""
        data = [
            {
                "range": a1.block(tab.title, block.top, block.left, block.bottom, block.right),
                "majorDimension": "ROWS",
                "values": block.values,
            }
            for block in blocks
        ]
        body = {"valueInputOption": option, "data": data}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

    def send(self, body: bytes, blocks: int) -> None:
        """Write blocks of cells.

        :raises UnknownOutcomeError: the answer does not mention every block.
        """
        answer = self._rest.write("POST", f"{self._path}/values:batchUpdate", data=body)
        responses = (answer.body or {}).get("responses")
        if not isinstance(responses, list) or len(responses) != blocks:
            message = "Google Sheets did not answer for every range that was written"
            raise UnknownOutcomeError(message, code="INCOMPLETE_ANSWER")


def _first_format(part: Mapping[str, Any]) -> Mapping[str, Any]:
    rows = part.get("rowData") or [{}]
    cells = rows[0].get("values") or [{}]
    return dict(cells[0].get("userEnteredFormat", {}).get("numberFormat", {}))


def judge(answer: Answer, who: str) -> SyncError | None:
    """Return what a refusal of Google means (Cloud API design guide, "Errors"), or None for the common table.

    :param who: the account that the spreadsheet must be shared with.
    """
    error = answer.body.get("error") if isinstance(answer.body, Mapping) else None
    if not isinstance(error, Mapping):
        return None
    status, words = str(error.get("status", "")), str(error.get("message", ""))
    reason = _reason(error)
    if answer.status == 429 or reason in ("RATE_LIMIT_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded"):
        message = "Google Sheets allows so many calls a minute, and they are spent"
        return RetryableError(message, retry_after=retry_after(answer.headers), code="RATE_LIMIT_EXCEEDED")
    match status:
        case "PERMISSION_DENIED" if reason == "SERVICE_DISABLED":
            message = (
                "the Sheets API is not enabled in the Google Cloud project of the service account: enable it there"
            )
        case "PERMISSION_DENIED":
            message = f"the spreadsheet is not shared with {who} (as an editor): share it ({words})"
        case "NOT_FOUND":
            message = f"there is no such spreadsheet ({words}); check the option `spreadsheet_id`"
        case "UNAUTHENTICATED":
            message = f"Google refuses the access token of {who} ({words})"
        case "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE":
            return BatchRejectedError(words or status, code=status)
        case _:
            return None
    return FatalError(message, code=status)


def _reason(error: Mapping[str, Any]) -> str:
    found = [*error.get("details", []), *error.get("errors", [])]
    return next((str(item["reason"]) for item in found if isinstance(item, Mapping) and "reason" in item), "")
