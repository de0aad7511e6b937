"""A Google Sheets in memory, so that a sync can be tested offline against the vendor's own rules.

It shares nothing with the hook: what both get wrong, no test would find.
"""

from airflow_reverse_etl.destinations.google_sheets.sandbox.fake import Fake
from airflow_reverse_etl.destinations.google_sheets.sandbox.service import Recorded
from airflow_reverse_etl.destinations.google_sheets.sandbox.settings import Settings

__all__ = ["Fake", "Recorded", "Settings"]
