"""What a driver says went wrong may quote a row: here it becomes a sentence that a log may hold."""

from __future__ import annotations

import re

HIDDEN = "…"
DATA_CLASSES = frozenset({"DataError", "IntegrityError", "ArrowException"})
"""Error classes, by name, whose messages are about values: two of PEP 249, and PyArrow's."""
DATA_WORDS = ("Conversion Error", "Out of Range Error", "Invalid Input Error")
"""How DuckDB begins such messages; while rows are read, Arrow passes them on as an OSError."""
DATA_STATES = ("22", "23")
"""Classes of SQLSTATE that are about values: data exceptions and broken constraints."""

QUERY_CLASSES = frozenset({"ParserException", "BinderException", "CatalogException"})
"""DuckDB's errors of the query itself."""
QUERY_STATE = "42"
"""Class of SQLSTATE: syntax error or access rule violation."""
QUERY_WORDS = re.compile(r"no such (table|column|function)|near .*: syntax error|unrecognized token", re.DOTALL)
"""How SQLite says the same."""

QUOTED = (re.compile(r"'.*'", re.DOTALL), re.compile(r'".*"', re.DOTALL), re.compile(r"\(.*\)", re.DOTALL))
NUMBER = re.compile(r"(?<!\w)[-+]?\d[\w.:+-]*")


def quotes_values(error: BaseException) -> bool:
    """Whether the driver calls it an error of the data, so that its message may quote values."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & DATA_CLASSES) or _state(error).startswith(DATA_STATES) or str(error).startswith(DATA_WORDS)


def cannot_work(error: BaseException) -> bool:
    """Whether it is the query that is wrong, so that trying again is in vain."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(
        names & QUERY_CLASSES
        or _state(error).startswith(QUERY_STATE)
        or ("OperationalError" in names and QUERY_WORDS.match(str(error)))
    )


def sentence(error: BaseException) -> str:
    """Return the kind of error and the driver's message; where it may quote values, they are hidden."""
    message = str(getattr(error, "raw_msg", None) or error).strip()
    if quotes_values(error):
        for quoted in QUOTED:
            message = quoted.sub(HIDDEN, message)
        # The lines below the first show the statement or the row.
        message = NUMBER.sub(HIDDEN, message.partition("\n")[0])
    kind = " ".join(filter(None, (type(error).__name__, _state(error))))
    return f"{kind}: {message}" if message else kind


def _state(error: BaseException) -> str:
    """Return the SQLSTATE, which the drivers keep under different names."""
    return str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")
