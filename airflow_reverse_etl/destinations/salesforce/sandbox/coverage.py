"""What of Salesforce the sandbox keeps, and what it leaves out: `docs/sandbox.md` is made from it."""

from __future__ import annotations

from collections.abc import Sequence

COVERAGE: Sequence[tuple[str, str, str]] = (
    (
        "OAuth client credentials",
        "faked",
        "Secret in the form or as Basic; refused on the shared hosts of login and test.",
    ),
    ("OAuth JWT bearer", "faked", "Signature, audience, issuer, user and life of the assertion are checked."),
    ("OAuth username-password", "faked", "A switch turns it off, as in new orgs."),
    ("OAuth web server, device and refresh flows", "not faked", "They need a browser; every refresh token is refused."),
    ("SOAP login", "faked", "With security token or organization id, up to API version 64.0."),
    ("SOAP API besides login()", "not faked", "No other call is answered."),
    ("Sessions", "faked", "End after idle time, after a number of requests, by revoke, or when the org moves."),
    ("API versions", "faked", "31.0 to 68.0; older ones are 410 GONE."),
    (
        "API usage and limits",
        "partly",
        "Requests are counted and refused over the limit; storage and other limits are fixed numbers.",
    ),
    (
        "Describe",
        "partly",
        "Objects and fields with all keys, ETag and Last-Modified; no record types, layouts or dependent picklists.",
    ),
    (
        "Objects",
        "partly",
        (
            "Account, Contact, Lead, Opportunity, Case, Campaign, Task, User, Group and those of `define`; "
            "the main fields."
        ),
    ),
    (
        "sObject Collections",
        "faked",
        "Create, update, upsert, delete and get; order, partial success, allOrNone, limits.",
    ),
    ("Single records", "faked", "By id and by external id, upsert with 201, 200, 204 and 300, updateOnly."),
    ("Composite, batch, tree and graph", "not faked", "The paths answer 404."),
    ("Bulk API 2.0 and 1.0", "not faked", "The paths answer 404."),
    ("Ids", "faked", "15 and 18 characters with their checksum, key prefixes, case."),
    (
        "Field types",
        "partly",
        (
            "Text, picklists, numbers with scale, dates, times, checkboxes, references, addresses, "
            "auto-numbers; no encrypted, rich text, geolocation or base64 fields; a double holds 15 to 17 "
            "digits."
        ),
    ),
    (
        "Validation",
        "partly",
        (
            "Types, lengths, restricted picklists, e-mail, required, unique, references, rules given to "
            "`define`, duplicate rules on one field; no flows, triggers, workflow or assignment rules."
        ),
    ),
    (
        "Relationships by external id",
        "faked",
        "One level, polymorphic with the type; resolved when the row's turn comes.",
    ),
    ("Delete", "partly", "To the recycle bin, seen by queryAll; nothing cascades, no undelete."),
    (
        "SOQL",
        "partly",
        (
            "Fields, parent fields, COUNT(), WHERE with = != < <= > >= IN, NOT IN, AND, OR, NOT, ORDER BY, "
            "LIMIT, OFFSET, paging; no LIKE, INCLUDES, subqueries, GROUP BY, functions or date literals such "
            "as TODAY."
        ),
    ),
    ("SOSL search", "not faked", "The path answers 404."),
    (
        "Security",
        "partly",
        "A field can be hidden from the API user; there are no other users, profiles or sharing rules.",
    ),
    (
        "Headers",
        "partly",
        "Duplicate rule, query options, conditional describe; assignment rules, MRU and package versions are ignored.",
    ),
    ("Row locks and governor limits", "partly", "Only as faults that are set; nothing contends by itself."),
)
