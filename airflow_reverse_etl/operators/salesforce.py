"""Salesforce, with its options as typed parameters."""

from __future__ import annotations

from typing import Any

from airflow_reverse_etl.operators.reverse_etl import ReverseETLOperator, merged


class SalesforceReverseETLOperator(ReverseETLOperator):
    """Make Salesforce records agree with the rows of a warehouse query; see `ReverseETLOperator` for the rest.

    :param allow_duplicates: save records although a duplicate rule that only warns objects to them
        (Salesforce REST API Developer Guide, "Duplicate Rule Header"). Default: they are refused.
    :param assignment_rules: let the active assignment rule choose the owner of leads and cases
        (REST API Developer Guide, "Assignment Rule Header"). Default: the owner stays as written.
    :param timezone: zone of timestamps that have none, an IANA name. Default: UTC.
    """

    def __init__(
        self,
        *,
        allow_duplicates: bool | str | None = None,
        assignment_rules: bool | str | None = None,
        timezone: str | None = None,
        **kwargs: Any,
    ) -> None:
        named = {"allow_duplicates": allow_duplicates, "assignment_rules": assignment_rules, "timezone": timezone}
        super().__init__(**merged("salesforce", named, kwargs))
