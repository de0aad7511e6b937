"""A notebook for which nobody wrote data: it is held to the promises that need none."""

from __future__ import annotations

CONNECTION = {
    "connection-type": "bare",
    "hook-class-name": "airflow_reverse_etl.destinations.bare.hook.BareSyncHook",
    "hook-name": "Bare notebook",
    "ui-field-behaviour": {"relabeling": {"password": "Token", "host": "Base URL"}},
    "conn-fields": {},
}

OPTIONS = {"timezone": "zone"}

DEFAULT_KEY_IS_WRITTEN = False
