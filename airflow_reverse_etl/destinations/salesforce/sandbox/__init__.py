"""A Salesforce org to try things on: REST API and logins with the vendor's rules, limits and words."""

from __future__ import annotations

from airflow_reverse_etl.destinations.salesforce.sandbox.fake import Fake

__all__ = ["Fake"]
