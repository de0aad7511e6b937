"""What can go wrong with a call, named by what the engine does about it.

SyncError
├── FatalError                 stop: configuration or authentication, no retry would help
│   └── ConfigurationError     … and the sentence says what to write instead
├── RetryableError             not applied: wait, then send the same again
│   └── PatienceSpentError     … but the waits add up to more than the task may spend
├── UnknownOutcomeError        perhaps applied: again only if sending twice equals sending once
└── BatchRejectedError         nothing applied and no culprit named: halve and send the halves

What goes wrong with a single record is no exception: it is a `RecordOutcome`.
"""

from __future__ import annotations


class SyncError(Exception):
    """The root: everything that this package raises on purpose."""


class FatalError(SyncError):
    """No retry would help. `code` is the application's own word for it, where it has one."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ConfigurationError(FatalError):
    """What the user wrote cannot work; the message says what to write instead."""


class RetryableError(SyncError):
    """The call may be sent again: it was not applied, or sending it again leaves what sending it once does.

    :param retry_after: seconds that the application asked us to wait, if it said so.
    :param perhaps_applied: it may have been applied, and the hook makes sure that a repetition does not double; if
        there is none, creates are in doubt.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, code: str = "", perhaps_applied: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.code = code
        self.perhaps_applied = perhaps_applied


class PatienceSpentError(RetryableError):
    """The application asks for a longer wait than `[reverse_etl] max_wait`, or its quota is spent."""


class UnknownOutcomeError(SyncError):
    """The answer was lost: the call may or may not have been applied."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class BatchRejectedError(SyncError):
    """The application refused a whole batch, applied none of it, and named no record."""

    def __init__(self, message: str, *, code: str = "", fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.fields = fields
