"""Google Sheets, with its options as typed parameters."""

from __future__ import annotations

from typing import Any

from airflow_reverse_etl.operators.reverse_etl import ReverseETLOperator, merged


class GoogleSheetsReverseETLOperator(ReverseETLOperator):
    """Make the rows of a spreadsheet's tab agree with the rows of a warehouse query; see `ReverseETLOperator`.

    `object` is the tab. The key is a column of it, found by its header; by default the first.

    :param spreadsheet_id: the id in the spreadsheet's address, or the whole address. Required.
    :param header: fields that the tab has no column for are appended at the right (`"extend"`, the default) or are an
        error (`"strict"`).
    :param create_tab: make the tab if it is missing. Default: that is an error.
    :param input: values are stored as they are (`"raw"`, the default), or as if typed by a person (`"user_entered"`),
        where text that begins like a formula is kept text (Sheets API reference, "ValueInputOption").
    :param timezone: zone in which instants are shown, an IANA name. Default: the spreadsheet's own.
    """

    def __init__(
        self,
        *,
        spreadsheet_id: str | None = None,
        header: str | None = None,
        create_tab: bool | str | None = None,
        input: str | None = None,  # noqa: A002  the API's own word
        timezone: str | None = None,
        **kwargs: Any,
    ) -> None:
        named = {
            "spreadsheet_id": spreadsheet_id,
            "header": header,
            "create_tab": create_tab,
            "input": input,
            "timezone": timezone,
        }
        super().__init__(**merged("google_sheets", named, kwargs))
