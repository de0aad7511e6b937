"""What of Google Sheets is faked, and what is not: `docs/sandbox.md` is made from this."""

from __future__ import annotations

from airflow_reverse_etl.destinations.google_sheets.sandbox.schema import OTHER_REQUESTS

_REQUESTS = (
    "Atomic, in order: addSheet, deleteSheet, updateSheetProperties, updateSpreadsheetProperties, appendDimension, "
    "insertDimension, deleteDimension, updateCells, appendCells, repeatCell, copyPaste, addProtectedRange, "
    "deleteProtectedRange and the three requests of developer metadata."
)
_OAUTH = (
    "POST /token checks an RS256-signed assertion (signature, issuer, audience, scope, lifetime) and gives an access "
    "token that expires; other grants are refused, self-signed tokens are not taken."
)
_GET = (
    "Properties, tabs, metadata, protected ranges, field masks, ranges; of a cell its value, its entered format and "
    "how it reads; no row or column metadata, no theme."
)
_VALUES = (
    "get, batchGet, update, batchUpdate, append (with its table detection), clear, batchClear; both dimensions, all "
    "render options, RAW and USER_ENTERED; null skips a cell and an empty text clears it."
)
_FORMULAS = (
    "Kept as typed; arithmetic on constants is computed, everything else shows Loading...; references do not follow "
    "rows that move."
)
_LIMITS = (
    "Writes do not grow the grid (append and appendCells do); 10,000,000 cells, 18,278 columns, 50,000 characters, "
    "one unfrozen row, one visible tab."
)
_CHECKS = (
    "Unknown names, wrong types, enums and query parameters are refused in Google's words; unlike at Google, "
    "snake_case names and numbers as text are refused too."
)
_TYPED = "Numbers, percentages, amounts, dates, times, booleans and formulas in en_US; other locales are not faked."
_LOOKS = "Dates, numbers, percentages, currencies and exponents as en_US shows them; no colours, conditions, fractions."
_CELLS = "Values and entered formats; notes, data validation, rich text, chips and pivot tables are refused with a 400."
_METADATA = "get and search; entries move and go with their row or column; the quota of 30,000 characters is kept."
_QUOTA = "60 reads and 60 writes a minute for the user, 300 for the project; Google's 429, without a Retry-After."
_SHARING = "One switch for all spreadsheets (writer, reader, none); protected ranges keep the service account out."
_OTHERS = "Answered with a 400 that says so"

COVERAGE: tuple[tuple[str, str, str], ...] = (
    ("OAuth 2 for service accounts", "faked", _OAUTH),
    ("spreadsheets.get", "partly", _GET),
    ("spreadsheets.batchUpdate", "partly", _REQUESTS),
    ("Other requests of a batchUpdate", "not faked", f"{_OTHERS}: {', '.join(OTHER_REQUESTS)}."),
    ("spreadsheets.values", "faked", _VALUES),
    ("values:*ByDataFilter, getByDataFilter, sheets.copyTo, spreadsheets.create", "not faked", f"{_OTHERS}."),
    ("spreadsheets.developerMetadata", "faked", _METADATA),
    ("Cells", "partly", _CELLS),
    ("Formulas", "partly", _FORMULAS),
    ("USER_ENTERED", "partly", _TYPED),
    ("Number formats", "partly", _LOOKS),
    ("Grid limits", "faked", _LIMITS),
    ("Quotas", "faked", _QUOTA),
    ("Request checks", "faked", _CHECKS),
    ("Sharing and protection", "partly", _SHARING),
    ("R1C1 notation, named ranges, tables", "not faked", "Answered with Unable to parse range."),
    ("Google Drive API", "not faked", "Spreadsheets are opened by their id."),
)
