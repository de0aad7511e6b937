"""Developer metadata: notes that a program leaves on a spreadsheet, a tab, a row or a column, and finds again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from airflow_reverse_etl.destinations.google_sheets.sandbox.protection import Dimension, shift


@dataclass(frozen=True, slots=True)
class Metadata:
    """One entry. Without `sheet_id` it hangs on the spreadsheet, without `dimension` on the whole tab."""

    number: int
    key: str
    value: str | None
    visibility: str
    sheet_id: int | None = None
    dimension: Dimension | None = None
    index: int = 0

    @property
    def location_type(self) -> str:
        if self.sheet_id is None:
            return "SPREADSHEET"
        return {"ROWS": "ROW", "COLUMNS": "COLUMN", None: "SHEET"}[self.dimension]

    @property
    def size(self) -> int:
        """Characters that count against the quota of metadata."""
        return len(self.key) + len(self.value or "")

    def moved(self, sheet_id: int, dimension: Dimension, at: int, count: int) -> Metadata | None:
        """The entry after rows or columns of a tab were inserted or deleted; None if it went with them."""
        if self.sheet_id != sheet_id or self.dimension != dimension:
            return self
        if count < 0 and at <= self.index < at - count:
            return None
        return replace(self, index=cast("int", shift(self.index, at, count)))

    def json(self) -> dict[str, object]:
        """The DeveloperMetadata message."""
        location: dict[str, object] = {"locationType": self.location_type}
        if self.sheet_id is None:
            location["spreadsheet"] = True
        elif self.dimension is None:
            location["sheetId"] = self.sheet_id
        else:
            ends = {"startIndex": self.index, "endIndex": self.index + 1}
            location["dimensionRange"] = {"sheetId": self.sheet_id, "dimension": self.dimension, **ends}
        message: dict[str, object] = {"metadataId": self.number, "metadataKey": self.key, "location": location}
        if self.value is not None:
            message["metadataValue"] = self.value
        return {**message, "visibility": self.visibility}
