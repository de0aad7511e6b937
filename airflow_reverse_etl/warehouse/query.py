"""A query is written by people, who end it with a semicolon: databases that wrap it in a statement need it bare."""

from __future__ import annotations

import re

from airflow_reverse_etl.errors import ConfigurationError

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


READS = frozenset({"select", "values", "table", "from", "show", "describe", "desc", "explain", "pivot", "summarize"})
"""Words that a statement begins with which changes nothing."""
WRITES = frozenset({"insert", "update", "delete", "merge", "replace"})
"""Words that may follow the common table expressions of a `with` and change something."""


def check_reads(query: str) -> None:
    """Refuse what would change the warehouse: whoever may write a query must not thereby be able to empty a table.

    Where the database itself can be told to read only, it is; this is for the others, and for the sentence.

    :raises ConfigurationError: it is not one statement that reads.
    """
    text = "".join(match[0] if _is_plain(match) else " " for match in PLAIN.finditer(query)).lower()
    words = _outside(text)
    if ";" in words:
        message = "the query is more than one statement: write one SELECT"
        raise ConfigurationError(message)
    verb = next(iter(re.findall(r"\w+", text)), "")
    if verb == "with":
        verb = next((word for word in words if word in READS | WRITES), "")
    if verb not in READS:
        message = f"the query must be one SELECT, and this one begins with {verb.upper() or 'nothing'}: it is not run"
        raise ConfigurationError(message)


def _outside(text: str) -> list[str]:
    """Return the words of a statement outside of parentheses, and the semicolons."""
    depth, found = 0, []
    for word in re.findall(r"\w+|[();]", text):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == ";" or (word not in "()" and depth == 0):
            found.append(word)
    return found


def _is_plain(match: re.Match[str]) -> bool:
    return match.lastgroup == "end" or (match.lastgroup is None and len(match[0]) == 1)
