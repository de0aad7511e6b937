"""The messages of the Sheets API v4 that the sandbox knows, as the discovery document names them.

One line per message: ``name:type`` pairs. ``[x]`` is a repeated field, ``any`` a message that is not looked into,
``oneof(...)`` fields of which one at most may be set. The same table serves the check of requests and of field masks,
and a test holds it against the discovery document that Google publishes.
"""

from __future__ import annotations

from types import MappingProxyType

ENUMS = MappingProxyType(
    {
        "Dimension": ("DIMENSION_UNSPECIFIED", "ROWS", "COLUMNS"),
        "ValueInputOption": ("INPUT_VALUE_OPTION_UNSPECIFIED", "RAW", "USER_ENTERED"),
        "ValueRenderOption": ("FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"),
        "DateTimeRenderOption": ("SERIAL_NUMBER", "FORMATTED_STRING"),
        "InsertDataOption": ("OVERWRITE", "INSERT_ROWS"),
        "SheetType": ("SHEET_TYPE_UNSPECIFIED", "GRID", "OBJECT", "DATA_SOURCE"),
        "NumberFormatType": (
            "NUMBER_FORMAT_TYPE_UNSPECIFIED",
            "TEXT",
            "NUMBER",
            "PERCENT",
            "CURRENCY",
            "DATE",
            "TIME",
            "DATE_TIME",
            "SCIENTIFIC",
        ),
        "HorizontalAlign": ("HORIZONTAL_ALIGN_UNSPECIFIED", "LEFT", "CENTER", "RIGHT"),
        "VerticalAlign": ("VERTICAL_ALIGN_UNSPECIFIED", "TOP", "MIDDLE", "BOTTOM"),
        "WrapStrategy": ("WRAP_STRATEGY_UNSPECIFIED", "OVERFLOW_CELL", "LEGACY_WRAP", "CLIP", "WRAP"),
        "TextDirection": ("TEXT_DIRECTION_UNSPECIFIED", "LEFT_TO_RIGHT", "RIGHT_TO_LEFT"),
        "HyperlinkDisplayType": ("HYPERLINK_DISPLAY_TYPE_UNSPECIFIED", "LINKED", "PLAIN_TEXT"),
        "RecalculationInterval": ("RECALCULATION_INTERVAL_UNSPECIFIED", "ON_CHANGE", "MINUTE", "HOUR"),
        "PasteType": (
            "PASTE_NORMAL",
            "PASTE_VALUES",
            "PASTE_FORMAT",
            "PASTE_NO_BORDERS",
            "PASTE_FORMULA",
            "PASTE_DATA_VALIDATION",
            "PASTE_CONDITIONAL_FORMATTING",
        ),
        "PasteOrientation": ("NORMAL", "TRANSPOSE"),
        "DeveloperMetadataVisibility": ("DEVELOPER_METADATA_VISIBILITY_UNSPECIFIED", "DOCUMENT", "PROJECT"),
        "DeveloperMetadataLocationType": (
            "DEVELOPER_METADATA_LOCATION_TYPE_UNSPECIFIED",
            "ROW",
            "COLUMN",
            "SHEET",
            "SPREADSHEET",
        ),
        "LocationMatchingStrategy": (
            "DEVELOPER_METADATA_LOCATION_MATCHING_STRATEGY_UNSPECIFIED",
            "EXACT_LOCATION",
            "INTERSECTING_LOCATION",
        ),
        "CommentsViewMode": (
            "COMMENTS_VIEW_MODE_UNSPECIFIED",
            "COMMENTS_VIEW_MODE_DEFAULT_FOR_CURRENT_ACCESS",
            "COMMENTS_VIEW_MODE_OMITTED",
            "COMMENTS_VIEW_MODE_INCLUDED",
        ),
        "ErrorType": (
            "ERROR_TYPE_UNSPECIFIED",
            "ERROR",
            "NULL_VALUE",
            "DIVIDE_BY_ZERO",
            "VALUE",
            "REF",
            "NAME",
            "NUM",
            "N_A",
            "LOADING",
        ),
    }
)

# The kinds of a Request that the sandbox carries out.
FAKED_REQUESTS = MappingProxyType(
    {
        "addProtectedRange": "AddProtectedRangeRequest",
        "addSheet": "AddSheetRequest",
        "appendCells": "AppendCellsRequest",
        "appendDimension": "AppendDimensionRequest",
        "copyPaste": "CopyPasteRequest",
        "createDeveloperMetadata": "CreateDeveloperMetadataRequest",
        "deleteDeveloperMetadata": "DeleteDeveloperMetadataRequest",
        "deleteDimension": "DeleteDimensionRequest",
        "deleteProtectedRange": "DeleteProtectedRangeRequest",
        "deleteSheet": "DeleteSheetRequest",
        "insertDimension": "InsertDimensionRequest",
        "repeatCell": "RepeatCellRequest",
        "updateCells": "UpdateCellsRequest",
        "updateDeveloperMetadata": "UpdateDeveloperMetadataRequest",
        "updateSheetProperties": "UpdateSheetPropertiesRequest",
        "updateSpreadsheetProperties": "UpdateSpreadsheetPropertiesRequest",
    }
)

# The kinds that the real API takes and the sandbox answers with a 400 that says so.
OTHER_REQUESTS = tuple(
    """
    addBanding addChart addCommentReply addConditionalFormatRule addDataSource addDimensionGroup addFilterView
    addNamedRange addSlicer addTable autoFill autoResizeDimensions cancelDataSourceRefresh clearBasicFilter cutPaste
    deleteBanding deleteComment deleteCommentReply deleteConditionalFormatRule deleteDataSource deleteDimensionGroup
    deleteDuplicates deleteEmbeddedObject deleteFilterView deleteNamedRange deleteRange deleteTable duplicateFilterView
    duplicateSheet findReplace insertComment insertRange mergeCells moveDimension pasteData randomizeRange
    refreshDataSource setBasicFilter setDataValidation sortRange textToColumns trimWhitespace unmergeCells
    updateBanding updateBorders updateChartSpec updateCommentPost updateConditionalFormatRule updateDataSource
    updateDimensionGroup updateDimensionProperties updateEmbeddedObjectBorder updateEmbeddedObjectPosition
    updateFilterView updateNamedRange updateProtectedRange updateSlicerSpec updateTable
    """.split()
)

_SPREADSHEET = {
    "Spreadsheet": "spreadsheetId:string properties:SpreadsheetProperties sheets:[Sheet] namedRanges:[any] "
    "spreadsheetUrl:string developerMetadata:[DeveloperMetadata] dataSources:[any] dataSourceSchedules:[any] "
    "comments:[any] commentsViewMode:CommentsViewMode",
    "SpreadsheetProperties": "title:string locale:string autoRecalc:RecalculationInterval timeZone:string "
    "defaultFormat:CellFormat iterativeCalculationSettings:any spreadsheetTheme:any "
    "importFunctionsExternalUrlAccessAllowed:bool",
    "Sheet": "properties:SheetProperties data:[GridData] merges:[GridRange] conditionalFormats:[any] "
    "filterViews:[any] protectedRanges:[ProtectedRange] basicFilter:any charts:[any] bandedRanges:[any] "
    "developerMetadata:[DeveloperMetadata] rowGroups:[any] columnGroups:[any] slicers:[any] tables:[any] "
    "commentAnchors:[any]",
    "SheetProperties": "sheetId:int32 title:string index:int32 sheetType:SheetType gridProperties:GridProperties "
    "hidden:bool tabColor:any tabColorStyle:any rightToLeft:bool dataSourceSheetProperties:any",
    "GridProperties": "rowCount:int32 columnCount:int32 frozenRowCount:int32 frozenColumnCount:int32 "
    "hideGridlines:bool rowGroupControlAfter:bool columnGroupControlAfter:bool",
    "GridData": "startRow:int32 startColumn:int32 rowData:[RowData] rowMetadata:[any] columnMetadata:[any]",
    "RowData": "values:[CellData]",
    "CellData": "userEnteredValue:ExtendedValue effectiveValue:ExtendedValue formattedValue:string "
    "userEnteredFormat:CellFormat effectiveFormat:CellFormat hyperlink:string note:string textFormatRuns:[any] "
    "dataValidation:any pivotTable:any dataSourceTable:any dataSourceFormula:any chipRuns:[any]",
    "ExtendedValue": "oneof(numberValue:double stringValue:string boolValue:bool formulaValue:string "
    "errorValue:ErrorValue)",
    "ErrorValue": "type:ErrorType message:string",
    "CellFormat": "numberFormat:NumberFormat backgroundColor:any backgroundColorStyle:any borders:any padding:any "
    "horizontalAlignment:HorizontalAlign verticalAlignment:VerticalAlign wrapStrategy:WrapStrategy "
    "textDirection:TextDirection textFormat:any hyperlinkDisplayType:HyperlinkDisplayType textRotation:any",
    "NumberFormat": "type:NumberFormatType pattern:string",
    "GridRange": "sheetId:int32 startRowIndex:int32 endRowIndex:int32 startColumnIndex:int32 endColumnIndex:int32",
    "GridCoordinate": "sheetId:int32 rowIndex:int32 columnIndex:int32",
    "DimensionRange": "sheetId:int32 dimension:Dimension startIndex:int32 endIndex:int32",
    "ProtectedRange": "protectedRangeId:int32 oneof(range:GridRange namedRangeId:string tableId:string) "
    "description:string warningOnly:bool requestingUserCanEdit:bool unprotectedRanges:[GridRange] editors:Editors",
    "Editors": "users:[string] groups:[string] domainUsersCanEdit:bool",
    "DeveloperMetadata": "metadataId:int32 metadataKey:string metadataValue:string "
    "location:DeveloperMetadataLocation visibility:DeveloperMetadataVisibility",
    "DeveloperMetadataLocation": "locationType:DeveloperMetadataLocationType "
    "oneof(spreadsheet:bool sheetId:int32 dimensionRange:DimensionRange)",
    "DeveloperMetadataLookup": "locationType:DeveloperMetadataLocationType "
    "metadataLocation:DeveloperMetadataLocation locationMatchingStrategy:LocationMatchingStrategy metadataId:int32 "
    "metadataKey:string metadataValue:string visibility:DeveloperMetadataVisibility",
    "DataFilter": "oneof(developerMetadataLookup:DeveloperMetadataLookup a1Range:string gridRange:GridRange)",
}

_REQUESTS = {
    "BatchUpdateSpreadsheetRequest": "requests:[Request] includeSpreadsheetInResponse:bool responseRanges:[string] "
    "responseIncludeGridData:bool commentsViewMode:CommentsViewMode",
    "Request": "oneof("
    + " ".join([f"{kind}:{message}" for kind, message in FAKED_REQUESTS.items()])
    + " "
    + " ".join([f"{kind}:any" for kind in OTHER_REQUESTS])
    + ")",
    "AddSheetRequest": "properties:SheetProperties",
    "DeleteSheetRequest": "sheetId:int32",
    "UpdateSheetPropertiesRequest": "properties:SheetProperties fields:string",
    "UpdateSpreadsheetPropertiesRequest": "properties:SpreadsheetProperties fields:string",
    "AppendDimensionRequest": "sheetId:int32 dimension:Dimension length:int32",
    "InsertDimensionRequest": "range:DimensionRange inheritFromBefore:bool",
    "DeleteDimensionRequest": "range:DimensionRange",
    "AppendCellsRequest": "sheetId:int32 rows:[RowData] fields:string tableId:string",
    "UpdateCellsRequest": "rows:[RowData] fields:string oneof(start:GridCoordinate range:GridRange)",
    "RepeatCellRequest": "range:GridRange cell:CellData fields:string",
    "CopyPasteRequest": "source:GridRange destination:GridRange pasteType:PasteType pasteOrientation:PasteOrientation",
    "AddProtectedRangeRequest": "protectedRange:ProtectedRange",
    "DeleteProtectedRangeRequest": "protectedRangeId:int32",
    "CreateDeveloperMetadataRequest": "developerMetadata:DeveloperMetadata",
    "UpdateDeveloperMetadataRequest": "dataFilters:[DataFilter] developerMetadata:DeveloperMetadata fields:string",
    "DeleteDeveloperMetadataRequest": "dataFilter:DataFilter",
    "SearchDeveloperMetadataRequest": "dataFilters:[DataFilter]",
    "ValueRange": "range:string majorDimension:Dimension values:[ListValue]",
    "BatchUpdateValuesRequest": "valueInputOption:ValueInputOption data:[ValueRange] includeValuesInResponse:bool "
    "responseValueRenderOption:ValueRenderOption responseDateTimeRenderOption:DateTimeRenderOption",
    "ClearValuesRequest": "",
    "BatchClearValuesRequest": "ranges:[string]",
}

_REPLIES = {
    "BatchUpdateSpreadsheetResponse": "spreadsheetId:string replies:[any] updatedSpreadsheet:Spreadsheet "
    "commentUpdateState:any",
    "BatchGetValuesResponse": "spreadsheetId:string valueRanges:[ValueRange]",
    "UpdateValuesResponse": "spreadsheetId:string updatedRange:string updatedRows:int32 updatedColumns:int32 "
    "updatedCells:int32 updatedData:ValueRange",
    "BatchUpdateValuesResponse": "spreadsheetId:string totalUpdatedRows:int32 totalUpdatedColumns:int32 "
    "totalUpdatedCells:int32 totalUpdatedSheets:int32 responses:[UpdateValuesResponse]",
    "AppendValuesResponse": "spreadsheetId:string tableRange:string updates:UpdateValuesResponse",
    "ClearValuesResponse": "spreadsheetId:string clearedRange:string",
    "BatchClearValuesResponse": "spreadsheetId:string clearedRanges:[string]",
    "SearchDeveloperMetadataResponse": "matchedDeveloperMetadata:[MatchedDeveloperMetadata]",
    "MatchedDeveloperMetadata": "developerMetadata:DeveloperMetadata dataFilters:[DataFilter]",
}

MESSAGES = MappingProxyType({**_SPREADSHEET, **_REQUESTS, **_REPLIES})

# Query parameters that every method takes.
COMMON_PARAMETERS = (
    "$.xgafv:string access_token:string alt:string callback:string fields:string key:string oauth_token:string "
    "prettyPrint:bool quotaUser:string uploadType:string upload_protocol:string"
)

_RENDER = "valueRenderOption:ValueRenderOption dateTimeRenderOption:DateTimeRenderOption"
_RENDER_REPLY = (
    "includeValuesInResponse:bool responseValueRenderOption:ValueRenderOption "
    "responseDateTimeRenderOption:DateTimeRenderOption"
)

# Query parameters of one method, by the name the discovery document gives it.
PARAMETERS = MappingProxyType(
    {
        "spreadsheets.get": "ranges:[string] includeGridData:bool excludeTablesInBandedRanges:bool "
        "commentsViewMode:CommentsViewMode",
        "spreadsheets.batchUpdate": "",
        "spreadsheets.developerMetadata.get": "",
        "spreadsheets.developerMetadata.search": "",
        "spreadsheets.values.get": f"majorDimension:Dimension {_RENDER}",
        "spreadsheets.values.batchGet": f"ranges:[string] majorDimension:Dimension {_RENDER}",
        "spreadsheets.values.update": f"valueInputOption:ValueInputOption {_RENDER_REPLY}",
        "spreadsheets.values.batchUpdate": "",
        "spreadsheets.values.append": "valueInputOption:ValueInputOption insertDataOption:InsertDataOption "
        + _RENDER_REPLY,
        "spreadsheets.values.clear": "",
        "spreadsheets.values.batchClear": "",
    }
)

# Where the vendor's name of a type is not `google.apps.sheets.v4.` and the name used here.
PACKAGE = "google.apps.sheets.v4."
TYPE_NAMES = MappingProxyType(
    {
        "ListValue": "google.protobuf.ListValue",
        "Request": PACKAGE + "BatchUpdateSpreadsheetRequest.Request",
        "InsertDataOption": PACKAGE + "AppendValuesRequest.InsertDataOption",
        "NumberFormatType": PACKAGE + "NumberFormat.NumberFormatType",
        "PasteType": PACKAGE + "CopyPasteRequest.PasteType",
    }
)


def fields_of(text: str) -> tuple[dict[str, str], list[tuple[str, ...]]]:
    """The fields of a message line with their types, and the groups of which one at most may be set."""
    groups: list[tuple[str, ...]] = []
    while "oneof(" in text:
        before, _, rest = text.partition("oneof(")
        inside, _, after = rest.partition(")")
        groups.append(tuple(pair.partition(":")[0] for pair in inside.split()))
        text = f"{before}{inside}{after}"
    pairs = (pair.rpartition(":") for pair in text.split())
    return {name: kind for name, _, kind in pairs}, groups
