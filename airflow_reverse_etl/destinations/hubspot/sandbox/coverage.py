"""What of HubSpot is faked and what is not, for a reader who must know how far a green test reaches."""

from __future__ import annotations

COVERAGE: tuple[tuple[str, str, str], ...] = (
    ("Versions v3, 2025-09, 2026-03, 2026-09", "faked", "The same handlers under the old and the dated paths."),
    ("Tokens and scopes", "faked", "Bearer tokens, 401 (unknown, expired) and 403 with the scope that is missing."),
    ("OAuth token exchange", "not faked", "There is no /oauth endpoint; any text can be made a token in the settings."),
    ("Batch create, update, upsert, read, archive", "faked", "100 inputs, trace ids, 207, all-or-nothing, duplicates."),
    ("Single records", "faked", "Create, read, update, delete, list; by record id or by a unique property."),
    ("Objects", "partly", "Six standard objects with the usual properties, and custom objects made by a test."),
    ("Unique properties", "faked", "E-mail with additional e-mails, hasUniqueValue; values are compared as they are."),
    (
        "Validation by type",
        "partly",
        "Rules and codes are HubSpot's; the words for over-long text and owners are ours.",
    ),
    ("Required properties", "faked", "What the guides require, and from 2026-09 on the rules of the portal's admin."),
    ("lifecyclestage", "faked", "Never goes back without being cleared first."),
    ("Properties API", "partly", "List, read, create, change, archive, batch read; no groups, no batch create."),
    ("Schemas", "partly", "Custom objects are listed and read; a test makes them, the API does not."),
    ("Search", "partly", "Filters, sorting, paging, limits, index lag; tokens are compared as substrings."),
    ("Account details", "faked", "account-info details; the usage endpoints are not there."),
    (
        "Rate limits",
        "faked",
        "10 s window by token, day by account, searches by second, with HubSpot's headers and bodies.",
    ),
    ("History of properties", "partly", "propertiesWithHistory gives the present value only."),
    ("Merge and erase", "partly", "Both work; an erased e-mail is not blocked from coming back."),
    ("Restoring archived records", "not faked", "An upsert by the key of an archived record creates a new one."),
    ("Associations", "not faked", "`associations` of a create are taken and not kept; there are no endpoints."),
    ("Lists, events, imports, owners, pipelines", "not faked", "Unknown paths are answered 404 and recorded."),
    (
        "Whether HubSpot coerces numbers to text",
        "partly",
        "Nobody knows for sure; refused, unless the settings say so.",
    ),
)
