"""What Airflow and the parameter check must know of HubSpot before anything of it is imported: data, nothing else."""

from __future__ import annotations

VERSIONS = ("2026-03", "2026-09", "2025-09", "v3")
"""Versions of HubSpot's API that are spoken; the first is the default. `v3` is served until September 2027."""

CONNECTION = {
    "connection-type": "hubspot",
    "hook-class-name": "airflow_reverse_etl.destinations.hubspot.hook.HubSpotSyncHook",
    "hook-name": "HubSpot",
    "ui-field-behaviour": {
        "hidden-fields": ["login", "port", "schema", "extra"],
        "relabeling": {"password": "Access token", "host": "Base URL"},
        "placeholders": {
            "password": "pat-na1-00000000-0000-0000-0000-000000000000",
            "host": "https://api.hubapi.com",
        },
    },
    "conn-fields": {
        "api_version": {
            "label": "API version",
            "description": "The dated version of HubSpot's API. From 2026-09 on, HubSpot enforces the validation rules "
            "of your account on what is written.",
            "schema": {"type": "string", "enum": list(VERSIONS), "default": VERSIONS[0]},
        },
        "calls_per_10_seconds": {
            "label": "Calls in 10 seconds",
            "description": "What HubSpot allows your account: 100 (Free, Starter), 190 (Professional, Enterprise), "
            "250 (with the API limit increase).",
            "schema": {"type": "integer", "minimum": 1, "default": 100},
        },
        "concurrent_tasks": {
            "label": "Concurrent tasks",
            "description": "How many tasks may use this token at the same time; each takes its share of the calls.",
            "schema": {"type": "integer", "minimum": 1, "default": 1},
        },
    },
}
"""The connection type, as Airflow's provider information takes it."""

OPTIONS = {
    # Zone of timestamps that have none, an IANA name such as "Europe/Berlin"; UTC if not given.
    "timezone": "zone",
}
"""What `options=` takes."""

DEFAULT_KEY_IS_WRITTEN = False
"""The default key is the record id, which HubSpot gives and nobody can write."""
