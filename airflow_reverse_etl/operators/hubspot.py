"""HubSpot, with its options as typed parameters."""

from __future__ import annotations

from typing import Any

from airflow_reverse_etl.operators.reverse_etl import ReverseETLOperator, merged


class HubSpotReverseETLOperator(ReverseETLOperator):
    """Make HubSpot records agree with the rows of a warehouse query; see `ReverseETLOperator` for the rest.

    :param timezone: zone of timestamps that have none, an IANA name. Default: UTC.
    """

    def __init__(self, *, timezone: str | None = None, **kwargs: Any) -> None:
        super().__init__(**merged("hubspot", {"timezone": timezone}, kwargs))
