"""What of Salesforce the sandbox keeps, and what it leaves out: `docs/sandbox.md` is made from it."""

from __future__ import annotations

from collections.abc import Sequence

COVERAGE: Sequence[tuple[str, str, str]] = (
    ("OAuth client credentials", "faked", "secret in the form or as Basic; refused on login.salesforce.com and test."),
    ("OAuth JWT bearer", "faked", "signature, audience, issuer, user and life of the assertion are checked"),
    ("OAuth username-password", "faked", "a switch turns it off, as in new orgs"),
    ("OAuth web server, device and refresh flows", "not faked", "they need a browser; every refresh token is refused"),
    ("SOAP login", "faked", "with security token or organization id, up to API version 64.0"),
    ("SOAP API besides login()", "not faked", "no other call is answered"),
    ("Sessions", "faked", "end after idle time, after a number of requests, by revoke, or when the org moves"),
    ("API versions", "faked", "31.0 to 68.0; older ones are 410 GONE"),
    (
        "API usage and limits",
        "partly",
        "requests are counted and refused over the limit; storage and other limits are fixed numbers",
    ),
    (
        "Describe",
        "partly",
        "objects and fields with all keys, ETag and Last-Modified; no record types, layouts or dependent picklists",
    ),
    (
        "Objects",
        "partly",
        "Account, Contact, Lead, Opportunity, Case, Campaign, Task, User, Group and those of `define`; the main fields",
    ),
    (
        "sObject Collections",
        "faked",
        "create, update, upsert, delete and get; order, partial success, allOrNone, limits",
    ),
    ("Single records", "faked", "by id and by external id, upsert with 201, 200, 204 and 300, updateOnly"),
    ("Composite, batch, tree and graph", "not faked", "the paths answer 404"),
    ("Bulk API 2.0 and 1.0", "not faked", "the paths answer 404"),
    ("Ids", "faked", "15 and 18 characters with their checksum, key prefixes, case"),
    (
        "Field types",
        "partly",
        (
            "text, picklists, numbers with scale, dates, times, checkboxes, references, addresses, auto- "
            "numbers; no encrypted, rich text, geolocation or base64 fields; a double holds 15 to 17 digits"
        ),
    ),
    (
        "Validation",
        "partly",
        (
            "types, lengths, restricted picklists, e-mail, required, unique, references, rules given to "
            "`define`, duplicate rules on one field; no flows, triggers, workflow or assignment rules"
        ),
    ),
    (
        "Relationships by external id",
        "faked",
        "one level, polymorphic with the type; resolved when the row's turn comes",
    ),
    ("Delete", "partly", "to the recycle bin, seen by queryAll; nothing cascades, no undelete"),
    (
        "SOQL",
        "partly",
        (
            "fields, parent fields, COUNT(), WHERE with = != < <= > >= IN, NOT IN, AND, OR, NOT, ORDER BY, "
            "LIMIT, OFFSET, paging; no LIKE, INCLUDES, subqueries, GROUP BY, functions or date literals such "
            "as TODAY"
        ),
    ),
    ("SOSL search", "not faked", "the path answers 404"),
    (
        "Security",
        "partly",
        "a field can be hidden from the API user; there are no other users, profiles or sharing rules",
    ),
    (
        "Headers",
        "partly",
        "duplicate rule, query options, conditional describe; assignment rules, MRU and package versions are ignored",
    ),
    ("Row locks and governor limits", "partly", "only as faults that are set; nothing contends by itself"),
)
