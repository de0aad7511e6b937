"""`spreadsheets.batchUpdate`: requests in order, all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from airflow_reverse_etl.destinations.google_sheets.sandbox import cell_requests, metadata_requests, tab_requests
from airflow_reverse_etl.destinations.google_sheets.sandbox.book import Book
from airflow_reverse_etl.destinations.google_sheets.sandbox.call import Answer, Call, Json
from airflow_reverse_etl.destinations.google_sheets.sandbox.errors import ApiError, malformed, not_faked
from airflow_reverse_etl.destinations.google_sheets.sandbox.resource import spreadsheet

Request = Callable[[Book, Json], Json]

REQUESTS: Mapping[str, Request] = {
    "addProtectedRange": tab_requests.add_protected_range,
    "addSheet": tab_requests.add_sheet,
    "appendCells": cell_requests.append_cells,
    "appendDimension": tab_requests.append_dimension,
    "copyPaste": cell_requests.copy_paste,
    "createDeveloperMetadata": metadata_requests.create,
    "deleteDeveloperMetadata": metadata_requests.delete,
    "deleteDimension": tab_requests.delete_dimension,
    "deleteProtectedRange": tab_requests.delete_protected_range,
    "deleteSheet": tab_requests.delete_sheet,
    "insertDimension": tab_requests.insert_dimension,
    "repeatCell": cell_requests.repeat_cell,
    "updateCells": cell_requests.update_cells,
    "updateDeveloperMetadata": metadata_requests.update,
    "updateSheetProperties": tab_requests.update_sheet_properties,
    "updateSpreadsheetProperties": tab_requests.update_spreadsheet_properties,
}


def batch_update(call: Call) -> Answer:
    """Carry out `spreadsheets.batchUpdate`.

    :raises ApiError: 400 with the place of the first request that cannot be done; the draft is thrown away then.
    """
    requests = cast("Sequence[Json]", call.body.get("requests") or ())
    if not requests:
        raise malformed("Must specify at least one request.")
    replies = []
    rows = 0
    for position, request in enumerate(requests):
        kind, content = _kind(position, request)
        try:
            replies.append(REQUESTS[kind](call.book, content))
        except ApiError as error:
            raise error.within(f"requests[{position}].{kind}") from error
        rows += len(cast("Sequence[object]", content.get("rows") or ()))
    body: dict[str, object] = {"spreadsheetId": call.book.spreadsheet_id, "replies": replies}
    if call.body.get("includeSpreadsheetInResponse"):
        ranges = cast("Sequence[str]", call.body.get("responseRanges") or ())
        grid = bool(call.body.get("responseIncludeGridData"))
        body["updatedSpreadsheet"] = spreadsheet(call.book, ranges, None, grid=grid)
    return Answer(body, rows)


def _kind(position: int, request: Json) -> tuple[str, Json]:
    named = [(name, content) for name, content in request.items() if content is not None]
    if not named:
        raise malformed(f"Invalid requests[{position}]: No request set.")
    kind, content = named[0]
    if kind not in REQUESTS:
        raise not_faked(f"the request {kind}").within(f"requests[{position}].{kind}")
    return kind, cast("Json", content)
