"""Every limit and switch of the Google Sheets sandbox in one place, so that a test can move any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass
class Settings:
    """What the sandbox allows, how fast it answers, and what the default spreadsheet looks like."""

    # The spreadsheet that is there from the start.
    spreadsheet_id: str = "1SandboxSpreadsheetIdForTestsAndDemos00000"
    title: str = "Sandbox"
    time_zone: str = "Etc/UTC"
    locale: str = "en_US"

    # What the service account may do with every spreadsheet: its share as a person would set it in the dialog.
    access: Literal["writer", "reader", "none"] = "writer"

    # Time: seconds that every call takes, and seconds on top for each row read or written.
    latency_seconds: float = 0.0
    seconds_per_row: float = 0.0

    # Quota: requests in a window, for the one user (the service account) and for the project.
    reads_per_minute: int = 60
    writes_per_minute: int = 60
    project_reads_per_minute: int = 300
    project_writes_per_minute: int = 300
    window_seconds: float = 60.0

    # Access tokens: what the token endpoint promises, and how long a token is really accepted (a shorter life than
    # the promised one is how a client meets a 401 in the middle of its work).
    expires_in: int = 3599
    token_seconds: float = 3599.0

    # Size of a spreadsheet and of a cell.
    max_cells: int = 10_000_000
    max_columns: int = 18_278
    max_characters: int = 50_000
    max_metadata_characters: int = 30_000  # keys and values together, per sheet and per spreadsheet

    # Size of a request body in bytes: the advice (counted, not refused) and where the front end says 413.
    advised_body_bytes: int = 2_000_000
    max_body_bytes: int = 10_000_000

    # How much of the past `Fake.requests` remembers.
    kept_requests: int = 1_000
    kept_request_bytes: int = 32_000_000
