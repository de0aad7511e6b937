"""A query is written by people, who end it with a semicolon: databases that wrap it in a statement need it bare."""

from __future__ import annotations

import re

PIECE = r"""
    (?P<blank> \s+ | --[^\n]* | /\*.*?\*/ )
  | (?P<end> ; )
  | '(?: %s | '' | [^'] )*' | "(?: "" | [^"] )*" | `[^`]*` | (?P<quote>\$\w*\$).*?(?P=quote)
  | .
"""
PLAIN = re.compile(PIECE % "(?!)", re.DOTALL | re.VERBOSE)
ESCAPED = re.compile(PIECE % r"\\.", re.DOTALL | re.VERBOSE)


def bare(query: str) -> str:
    """Return the query without the semicolon at its end, and without what white space and comments follow it.

    Some databases take a backslash in a text literal for an escape and some do not: where the two readings differ,
    the query is left as it is.
    """
    ends = {_end(query, token) for token in (PLAIN, ESCAPED)}
    return query[: ends.pop()] if len(ends) == 1 else query


def _end(query: str, token: re.Pattern[str]) -> int | None:
    """Return where the semicolon stands that nothing but white space, comments and semicolons follows."""
    end = None
    for match in token.finditer(query):
        if match.lastgroup == "end":
            end = match.start() if end is None else end
        elif match.lastgroup != "blank":
            end = None
    return end
