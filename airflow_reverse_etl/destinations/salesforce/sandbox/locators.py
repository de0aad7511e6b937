"""Keeps the rest of a query's records until the client asks for the next page."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from airflow_reverse_etl.destinations.salesforce.sandbox import ids
from airflow_reverse_etl.destinations.salesforce.sandbox.errors import ApiError

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.sandbox.plan import Found
    from airflow_reverse_etl.destinations.salesforce.sandbox.settings import Settings

_KEPT = 1000


class Locators:
    """The open query locators; the oldest goes when there are too many, each after its time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: OrderedDict[str, tuple[float, Found]] = OrderedDict()
        self._ids = ids.sequence("01g")

    def open(self, found: Found) -> str:
        """Keep what a query found and give its locator."""
        locator = next(self._ids)
        self._open[locator] = (time.monotonic(), found)
        while len(self._open) > _KEPT:
            self._open.popitem(last=False)
        return locator

    def find(self, locator: str) -> Found:
        """Give what the locator stands for.

        :raises ApiError: 400 INVALID_QUERY_LOCATOR, it is unknown or too old.
        """
        opened, found = self._open.get(locator, (float("-inf"), None))
        if found is None or time.monotonic() - opened > self._settings.locator_seconds:
            raise invalid_locator()
        return found


def invalid_locator() -> ApiError:
    """Make the answer to a locator that is unknown or too old."""
    return ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
