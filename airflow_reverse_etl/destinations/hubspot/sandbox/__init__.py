"""A HubSpot portal in memory, so that a sync can be tested offline against the vendor's own rules.

It shares nothing with the hook: what both get wrong, no test would find.
"""

from airflow_reverse_etl.destinations.hubspot.sandbox.fake import Fake
from airflow_reverse_etl.destinations.hubspot.sandbox.limits import Traffic
from airflow_reverse_etl.destinations.hubspot.sandbox.settings import DEFAULT_TOKEN, ConditionalRule, Settings, Token

__all__ = ["DEFAULT_TOKEN", "ConditionalRule", "Fake", "Settings", "Token", "Traffic"]
