"""Every limit and switch of the portal in one place, so that a test can be another customer without touching code."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_TOKEN = "pat-na1-5a4dbb0e-0000-4000-8000-5a4dbb0e5a4d"


@dataclass(frozen=True, slots=True)
class Token:
    """What one bearer token may do."""

    scopes: frozenset[str] | None = None
    """Granted scopes such as `crm.objects.contacts.write`; None grants all."""

    kind: Literal["private", "oauth"] = "private"
    """An OAuth token has no daily limit of its own and is told of none in the headers."""

    expired: bool = False
    """An expired token is answered 401 EXPIRED_AUTHENTICATION."""

    calls_per_10_seconds: int | None = None
    """Its own burst limit (110 for OAuth apps); None takes the portal's."""


@dataclass(frozen=True, slots=True)
class ConditionalRule:
    """Version 2026-09: `required` must have a value when `property` is set to `value`."""

    required: str
    property: str
    value: str


@dataclass(slots=True)
class Settings:
    """Limits and switches. Change them at any time; `Fake.reset()` puts the defaults back."""

    # --- speed -------------------------------------------------------------------------------------------------------
    latency_seconds: float = 0.0
    """Added to every answer, after the work is done. The real thing takes 0.2 to 0.4 s."""

    latency_per_row_seconds: float = 0.0
    """Added for every input of a batch."""

    latency_jitter_seconds: float = 0.0
    """At most so much more, at random (seeded), so that answers overtake each other."""

    # --- limits ------------------------------------------------------------------------------------------------------
    calls_per_10_seconds: int = 100
    """Calls of one token in any 10 s: 100 (Free, Starter), 190 (Professional, Enterprise), 250 (with the add-on)."""

    calls_per_day: int = 250_000
    """Calls of the whole account until midnight in its time zone."""

    searches_per_second: int = 5
    """Searches of the whole account in any second; they do not count against the 10 s window."""

    max_inputs: int = 100
    """Inputs in one batch."""

    max_inputs_with_history: int = 50
    """Inputs in one batch/read that asks for propertiesWithHistory."""

    max_text_characters: int = 65_536
    """Length of a text value."""

    max_unique_properties: int = 10
    """Properties with hasUniqueValue per object, those defined by HubSpot not counted."""

    search_lag_seconds: float = 0.0
    """So long after a write the search still answers from before it. The real thing takes some seconds."""

    # --- who and what ------------------------------------------------------------------------------------------------
    tokens: dict[str, Token] = field(default_factory=lambda: {DEFAULT_TOKEN: Token()})
    """The tokens that are let in; the first one is the one that `Fake.connection` gives."""

    owners: tuple[str, ...] = ("101", "102", "103")
    """The ids that `hubspot_owner_id` takes."""

    versions: tuple[str, ...] = ("v3", "2025-09", "2026-03", "2026-09")
    """API versions that are served; any other is answered 404."""

    portal_id: int = 24_681_357
    time_zone: str = "America/New_York"
    company_currency: str = "USD"
    account_type: str = "STANDARD"
    data_hosting_location: str = "na1"

    # --- behaviour ---------------------------------------------------------------------------------------------------
    strict_values: bool = True
    """A property value or an id that is no JSON string is answered 400; False turns numbers and booleans into text and
    null into the empty string."""

    refuse_missing_inputs: bool = False
    """A batch body without `inputs` is answered 400; False keeps HubSpot's silence: success, and nothing is done."""

    multi_status: tuple[str, ...] = ("create", "update", "upsert")
    """Batch operations that honour unique trace ids with 207. HubSpot promises it for create; the others are observed.
    Leave one out and a single bad row refuses its whole batch."""

    name_missing_trace_ids: bool = False
    """batch/update names the trace ids, too, of records that do not exist. Both have been observed."""

    require_minimum: bool = True
    """Creating needs what HubSpot's guides call required: a contact an email, firstname or lastname; a company a name
    or domain; a deal dealname and dealstage; a ticket subject and hs_pipeline_stage."""

    required_properties: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Validation rules of the portal's admin: object name -> properties that need a value. Enforced from 2026-09 on."""

    conditional_rules: dict[str, tuple[ConditionalRule, ...]] = field(default_factory=dict)
    """Conditional validation rules: object name -> rules. Enforced from 2026-09 on."""

    gzip: bool = True
    """Compress answers for clients that ask for it."""

    seed: int = 7
    """Seeds the order of results and the jitter."""

    clock: Callable[[], float] = time.time
    """Seconds since the epoch; replace it to move through rate windows, search lag and days without waiting."""
