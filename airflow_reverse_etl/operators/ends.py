"""How a task ends: whether Airflow's retries help is in the class of the exception."""

from __future__ import annotations

from airflow_reverse_etl.errors import ConfigurationError, FatalError, SyncError

try:
    from airflow.sdk.exceptions import AirflowException, AirflowFailException
except ImportError:  # Airflow 3.1 has them elsewhere only
    from airflow.exceptions import (  # type: ignore[attr-defined,no-redef]
        AirflowException,
        AirflowFailException,
    )

__all__ = ["AirflowException", "AirflowFailException", "ParameterError", "as_airflow"]


class ParameterError(ConfigurationError, AirflowFailException):
    """A parameter cannot work. Raised when a DAG is parsed, and when a mapped task gets its arguments."""


def as_airflow(error: BaseException) -> BaseException:
    """Return the exception that tells Airflow whether its retries help; what is not ours stays as it is."""
    if isinstance(error, FatalError):
        return AirflowFailException(str(error))
    if isinstance(error, SyncError):
        return AirflowException(str(error))
    return error
