"""The calls of the Sheets API that we make, and the proof that an answer is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_reverse_etl.destinations.google_sheets import a1
from airflow_reverse_etl.destinations.google_sheets.refusals import outdated
from airflow_reverse_etl.destinations.rest import Rest
from airflow_reverse_etl.errors import BatchRejectedError, FatalError, RetryableError, UnknownOutcomeError

ABOUT = (
    "properties(title,timeZone),"
    "sheets(properties(sheetId,title,sheetType,gridProperties(rowCount,columnCount,frozenRowCount)))"
)
FORMATS = "sheets(data(rowData(values(userEnteredFormat(numberFormat)))))"
PROTECTED = "sheets(properties(sheetId),protectedRanges(range,unprotectedRanges,warningOnly,requestingUserCanEdit))"
INCOMPLETE = "INCOMPLETE_ANSWER"

PROOFS: Mapping[str, type] = {"sheets": list, "range": str}
"""What an answer to a read must hold, and of which type."""

Json = Mapping[str, Any]
Cells = list[list[Any]]


class Spreadsheet:
    """One spreadsheet.

    An answer that lacks what it must hold is no answer: an empty one, taken for an empty tab, would double every row.

    :param rest: the API, authenticated.
    :param number: the spreadsheet's id.
    """

    def __init__(self, rest: Rest, number: str) -> None:
        self._rest = rest
        self._path = f"v4/spreadsheets/{a1.in_path(number)}"

    def about(self) -> Json:
        """Return title, zone and tabs.

        :raises FatalError, RetryableError:
        """
        return self._get(self._path, {"fields": ABOUT}, "sheets")

    def values(self, a1_range: str) -> Cells:
        """Return the values of a range, unformatted; trailing empty rows and cells are left out.

        :raises FatalError, RetryableError:
        """
        return self._values(a1_range, valueRenderOption="UNFORMATTED_VALUE", dateTimeRenderOption="SERIAL_NUMBER")

    def formulas(self, a1_range: str, **options: str) -> Cells:
        """Return the content of a range: formulas as such, because one that shows nothing is there all the same.

        :raises FatalError, RetryableError:
        """
        return self._values(a1_range, valueRenderOption="FORMULA", **options)

    def first_row(self, title: str) -> list[str]:
        """Return the header of a tab as people see it.

        :raises FatalError, RetryableError:
        """
        found = self._values(a1.row(title, 1), valueRenderOption="FORMATTED_VALUE")
        return [str(text) for text in found[0]] if found else []

    def formats(self, a1_ranges: Sequence[str]) -> list[list[Json]]:
        """Return for each range, which is a row or a part of one, the number formats of its cells, {} for none.

        :raises FatalError, RetryableError:
        """
        found = self._get(self._path, {"ranges": list(a1_ranges), "fields": FORMATS}, "sheets")
        data = [part for sheet in found["sheets"] for part in sheet.get("data", [])]
        formats = [_number_formats(part) for part in data]
        return [*formats, *([] for _ in a1_ranges)][: len(a1_ranges)]

    def protected_ranges(self, sheet_id: int) -> list[Json]:
        """Return the protected ranges of a tab.

        :raises FatalError, RetryableError:
        """
        sheets = self._get(self._path, {"fields": PROTECTED}, "sheets")["sheets"]
        mine = [sheet for sheet in sheets if sheet.get("properties", {}).get("sheetId", 0) == sheet_id]
        return [part for sheet in mine for part in sheet.get("protectedRanges", [])]

    def change(self, requests: Sequence[Json]) -> None:
        """Carry out a batchUpdate, which is applied whole or not at all.

        :raises FatalError, RetryableError, BatchRejectedError:
        :raises UnknownOutcomeError: also where the answer does not mention every request.
        """
        answer = self._rest.write("POST", f"{self._path}:batchUpdate", json_body={"requests": list(requests)})
        _prove(answer.body, "replies", len(requests))

    def write(self, body: bytes, ranges: int) -> None:
        """Write cells by a `values:batchUpdate`.

        :param ranges: how many the body holds.
        :raises FatalError, RetryableError, BatchRejectedError:
        :raises UnknownOutcomeError: also where the answer does not mention every range.
        """
        answer = self._rest.write("POST", f"{self._path}/values:batchUpdate", data=body)
        _prove(answer.body, "responses", ranges)

    def _values(self, a1_range: str, **options: str) -> Cells:
        path = f"{self._path}/values/{a1.in_path(a1_range)}"
        return list(self._get(path, options, "range").get("values", []))

    def _get(self, path: str, params: Mapping[str, Any], proof: str) -> Json:
        """Read something. There is no record to blame for a refusal, so that halving a batch would not help."""
        try:
            body = self._rest.read("GET", path, params=params).body
        except BatchRejectedError as error:
            if outdated(error):
                raise RetryableError(f"the tab was changed meanwhile: {error}", code=error.code) from error
            message = f"Google Sheets refuses to read the spreadsheet: {error}"
            raise FatalError(message, code=error.code) from error
        if not isinstance(body, Mapping) or not isinstance(body.get(proof), PROOFS[proof]):
            raise RetryableError(f"Google Sheets answered a read without {proof!r}", code=INCOMPLETE)
        return body


def _number_formats(part: Json) -> list[Json]:
    """Return the number formats of the first row of a GridData."""
    row: Json = next(iter(part.get("rowData", [])), {})
    return [cell.get("userEnteredFormat", {}).get("numberFormat", {}) for cell in row.get("values", [])]


def _prove(body: Any, name: str, count: int) -> None:
    """Look whether every part of a write was answered: silence is never success."""
    parts = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(parts, list) or len(parts) != count:
        said = len(parts) if isinstance(parts, list) else 0
        raise UnknownOutcomeError(f"Google Sheets answered {said} of {count} parts of a write", code=INCOMPLETE)
