"""Endpoints that tell a client what there is: versions, resources, limits, objects, fields.

Rules: "Versions", "Resources by Version", "Limits", "Describe Global", "sObject Describe", vendor's REST API guide.
"""

from __future__ import annotations

import zlib
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import msgspec

from airflow_reverse_etl.destinations.salesforce.sandbox.call import Call, Reply
from airflow_reverse_etl.destinations.salesforce.sandbox.fields import describe as describe_field

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.sandbox.settings import Settings
    from airflow_reverse_etl.destinations.salesforce.sandbox.table import Table

_SEASONS = ("Winter", "Spring", "Summer")
_WINTER_2011 = 20  # Three releases a year; 20.0 was Winter '11.
_RESOURCES = ("sobjects", "composite", "query", "queryAll", "limits")
_FIXED_LIMITS = {
    "ConcurrentAsyncGetReportInstances": 200,
    "DailyAsyncApexExecutions": 250_000,
    "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryJobs": 10_000,
    "DataStorageMB": 1024,
    "FileStorageMB": 1024,
}


def versions(settings: Settings) -> list[dict[str, str]]:
    """List the API versions, as `GET /services/data` does for everybody."""
    return [
        {"label": _release(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(int(settings.oldest_version), int(settings.newest_version) + 1)
    ]


def _release(number: int) -> str:
    years, season = divmod(number - _WINTER_2011, len(_SEASONS))
    return f"{_SEASONS[season]} '{11 + years}"


def resources(call: Call) -> Reply:
    """Answer `GET /services/data/vXX.X`."""
    return Reply({name: f"{call.base}/{name}" for name in _RESOURCES})


def limits(call: Call) -> Reply:
    """Answer `GET limits`."""
    usage = call.org.usage
    found = {name: {"Max": most, "Remaining": most} for name, most in _FIXED_LIMITS.items()}
    found["DailyApiRequests"] = {"Max": usage.allowed, "Remaining": usage.allowed - usage.used}
    return Reply(dict(sorted(found.items())))


def objects(call: Call) -> Reply:
    """Answer `GET sobjects`: all objects, without their fields."""
    tables = sorted(call.org.store.tables.values(), key=lambda table: table.name)
    listed = [_summary(call, table) for table in tables]
    return Reply({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})


def basic(call: Call) -> Reply:
    """Answer `GET sobjects/{object}`."""
    return Reply({"objectDescribe": _summary(call, call.table()), "recentItems": []})


def describe(call: Call) -> Reply:
    """Answer `GET sobjects/{object}/describe`: 304 when the client says that it has seen the present state."""
    table = call.table()
    org = call.org
    whole = {**_summary(call, table), **_rest_of_describe(call, table)}
    whole["fields"] = [describe_field(field) for field in table.shown()]
    etag = f'"{zlib.crc32(msgspec.json.encode(whole)):08x}"'
    headers = {"ETag": etag, "Last-Modified": org.last_modified}
    if _seen(call, etag):
        return Reply(None, 304, headers)
    return Reply(dict(sorted(whole.items())), headers=headers)


def _seen(call: Call, etag: str) -> bool:
    known = call.headers.get("if-none-match")
    if known is not None:
        return known.removeprefix("W/").removesuffix('--gzip"').rstrip('"') == etag.rstrip('"')
    since = call.headers.get("if-modified-since")
    try:
        return since is not None and parsedate_to_datetime(since).timestamp() >= call.org.schema_time
    except ValueError:
        return False


def _summary(call: Call, table: Table) -> dict[str, object]:
    spec = table.spec
    url = f"{call.base}/sobjects/{spec.name}"
    writable = spec.writable
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": writable,
        "custom": spec.name.endswith("__c"),
        "customSetting": False,
        "deepCloneable": False,
        "deletable": writable,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": spec.key_prefix,
        "label": spec.label,
        "labelPlural": spec.plural or f"{spec.label}s",
        "layoutable": True,
        "mergeable": False,
        "mruEnabled": True,
        "name": spec.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": True,
        "triggerable": True,
        "undeletable": writable,
        "updateable": writable,
        "urls": {"sobject": url, "describe": f"{url}/describe", "rowTemplate": f"{url}/{{ID}}"},
    }


def _rest_of_describe(call: Call, table: Table) -> dict[str, object]:
    children: list[dict[str, object]] = [
        {
            "cascadeDelete": False,
            "childSObject": other.name,
            "deprecatedAndHidden": False,
            "field": field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": None,
            "restrictedDelete": False,
        }
        for other in call.org.store.tables.values()
        for field in other.shown()
        if table.name in field.reference_to
    ]
    return {
        "actionOverrides": [],
        "childRelationships": children,
        "compactLayoutable": True,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [],
        "searchLayoutable": True,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {table.spec.label}", "name": "everything"}],
    }
