"""Endpoints: `query`, `queryAll` and the next pages of both."""

from __future__ import annotations

import re

from airflow_reverse_etl.destinations.salesforce.sandbox import plan, soql
from airflow_reverse_etl.destinations.salesforce.sandbox.call import Call, Reply
from airflow_reverse_etl.destinations.salesforce.sandbox.errors import malformed
from airflow_reverse_etl.destinations.salesforce.sandbox.locators import invalid_locator

_SMALLEST_PAGE = 200
_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)


def query(call: Call) -> Reply:
    """Answer `GET query?q=...`: records that are not deleted."""
    return _first_page(call, deleted=False)


def query_all(call: Call) -> Reply:
    """Answer `GET queryAll?q=...`: the recycle bin too."""
    return _first_page(call, deleted=True)


def query_more(call: Call) -> Reply:
    """Answer `GET query/<locator>-<offset>`, the `nextRecordsUrl` of the page before."""
    locator, _, offset = call.at["locator"].partition("-")
    if (call.fault or {}).get("mode") == "locator_expired" or not offset.isdigit():
        raise invalid_locator()
    return _page(call, call.org.locators.find(locator), locator, int(offset))


def _first_page(call: Call, *, deleted: bool) -> Reply:
    text = call.query.get("q", "")
    if not text.strip():
        raise malformed("A query string has to be specified", "MALFORMED_QUERY")
    settings = call.org.settings
    if len(text) > settings.query_length:
        raise malformed(f"SOQL statements cannot be longer than {settings.query_length} characters.", "MALFORMED_QUERY")
    statement = soql.parse(text, settings.query_string_length)
    found = plan.run(call.org.store, statement, call.base, deleted=deleted)
    if found.counted:
        return Reply({"totalSize": len(found.rows), "done": True, "records": []})
    locator = call.org.locators.open(found) if len(found.rows) > _page_size(call) else ""
    return _page(call, found, locator, 0)


def _page(call: Call, found: plan.Found, locator: str, offset: int) -> Reply:
    end = offset + _page_size(call)
    done = end >= len(found.rows)
    rows = found.rows[offset:end]
    body: dict[str, object] = {"totalSize": len(found.rows), "done": done}
    if not done:
        body["nextRecordsUrl"] = f"{call.base}/query/{locator}-{end}"
    body["records"] = [found.project(row) for row in rows]
    return Reply(body, rows=len(rows))


def _page_size(call: Call) -> int:
    asked = _BATCH_SIZE.search(call.headers.get("sforce-query-options", ""))
    largest = call.org.settings.query_page
    return largest if asked is None else min(max(int(asked[1]), _SMALLEST_PAGE), largest)
