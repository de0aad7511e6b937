"""Reads a SOQL statement. Grammar: "SOQL SELECT Syntax" in the vendor's SOQL and SOSL Reference.

Salesforce refuses what it cannot read with MALFORMED_QUERY and a caret under the place; so does this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar

from airflow_reverse_etl.destinations.salesforce.sandbox.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)
    | (?P<date>\d{4}-\d\d-\d\d)(?![\d-])
    | (?P<time>\d\d:\d\d:\d\d(?:\.\d+)?Z)
    | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w])
    | (?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    | (?P<mark><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\", "_": "_", "%": "%"}
_ESCAPE = re.compile(r"\\(?:[uU]([0-9a-fA-F]{4})|(.))", re.DOTALL)
_OPERATORS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_CONTEXT = 60
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Token:
    """A word of the statement and where it begins; kind "end" is behind the last."""

    kind: str
    text: str
    place: int

    def says(self, word: str) -> bool:
        """Tell whether it is this keyword or mark."""
        return self.kind in {"name", "mark"} and self.text.upper() == word


@dataclass(frozen=True)
class Path:
    """A field, perhaps of a related record: ("Account", "Name")."""

    names: tuple[str, ...]
    place: int


@dataclass(frozen=True)
class Literal:
    """A value in a condition; kind is one of string, number, boolean, null, date, datetime, time."""

    kind: str
    text: str
    place: int


@dataclass(frozen=True)
class Comparison:
    """`path operator values`; the operator is one of = != < <= > >= IN, NOT IN."""

    path: Path
    operator: str
    values: tuple[Literal, ...]


@dataclass(frozen=True)
class Combined:
    """Conditions joined by AND or OR."""

    operator: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Negated:
    """NOT condition."""

    part: Condition


Condition = Comparison | Combined | Negated


@dataclass(frozen=True)
class Order:
    """One term of ORDER BY."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Statement:
    """A whole query; `paths` is empty for SELECT COUNT()."""

    text: str
    paths: tuple[Path, ...]
    object: Path
    where: Condition | None
    order: tuple[Order, ...]
    limit: int | None
    offset: int


def parse(text: str, longest_string: int) -> Statement:
    """Read a statement.

    :param longest_string: characters that a string literal may have.
    :raises ApiError: 400 MALFORMED_QUERY.
    """
    return _Reader(text, longest_string).statement()


def refuse(text: str, place: int, message: str, code: str = "MALFORMED_QUERY") -> NoReturn:
    """Refuse a statement, with the vendor's caret under the place."""
    line = text[:place].count("\n") + 1
    column = place - text.rfind("\n", 0, place)
    start = max(0, place - _CONTEXT)
    around = text[start : place + _CONTEXT].replace("\n", " ")
    pointed = f"\n{around}\n{'^':>{place - start + 1}}\nERROR at Row:{line}:Column:{column}\n{message}"
    raise ApiError(400, code, pointed, violation=True)


class _Reader:
    def __init__(self, text: str, longest_string: int) -> None:
        self._text = text
        self._longest_string = longest_string
        self._tokens = list(self._split())
        self._next = 0

    def _split(self) -> Iterator[Token]:
        place = 0
        end = len(self._text.rstrip())
        while place < end:
            match = _TOKEN.match(self._text, place)
            if match is None:
                place += len(self._text[place:]) - len(self._text[place:].lstrip())
                refuse(self._text, place, f"unexpected token: '{self._text[place]}'")
            kind = match.lastgroup or ""
            yield Token(kind, match[kind], match.start(kind))
            place = match.end()
        yield Token("end", "<EOF>", end)

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _unexpected(self) -> NoReturn:
        refuse(self._text, self._token.place, f"unexpected token: '{self._token.text}'")

    def _take(self, word: str) -> bool:
        if self._token.says(word):
            self._next += 1
            return True
        return False

    def _need(self, *words: str) -> None:
        for word in words:
            if not self._take(word):
                self._unexpected()

    def statement(self) -> Statement:
        self._need("SELECT")
        paths = self._selected()
        self._need("FROM")
        source = self._path()
        where = self._condition() if self._take("WHERE") else None
        order: tuple[Order, ...] = ()
        if self._take("ORDER"):
            self._need("BY")
            order = tuple(self._list(self._order))
        limit = self._count() if self._take("LIMIT") else None
        offset = self._count() if self._take("OFFSET") else 0
        if self._token.kind != "end":
            self._unexpected()
        return Statement(self._text, paths, source, where, order, limit, offset)

    def _selected(self) -> tuple[Path, ...]:
        if self._take("COUNT"):
            self._need("(", ")")
            return ()
        return tuple(self._list(self._path))

    def _list(self, read: Callable[[], _Item]) -> Iterator[_Item]:
        yield read()
        while self._take(","):
            yield read()

    def _path(self) -> Path:
        token = self._token
        if token.kind != "name":
            self._unexpected()
        self._next += 1
        return Path(tuple(token.text.split(".")), token.place)

    def _condition(self) -> Condition:
        first = self._single()
        for operator in ("AND", "OR"):
            if self._token.says(operator):
                parts = [first]
                while self._take(operator):
                    parts.append(self._single())
                # AND and OR do not mix without parentheses: the other one is an unexpected token.
                return Combined(operator, tuple(parts))
        return first

    def _single(self) -> Condition:
        if self._take("NOT"):
            return Negated(self._single())
        if self._take("("):
            inner = self._condition()
            self._need(")")
            return inner
        path = self._path()
        if self._take("NOT"):
            self._need("IN")
            return Comparison(path, "NOT IN", self._values())
        if self._take("IN"):
            return Comparison(path, "IN", self._values())
        operator = {"<>": "!="}.get(self._token.text, self._token.text)
        if operator not in _OPERATORS:
            self._unexpected()
        self._next += 1
        return Comparison(path, operator, (self._literal(),))

    def _values(self) -> tuple[Literal, ...]:
        self._need("(")
        values = tuple(self._list(self._literal))
        self._need(")")
        return values

    def _literal(self) -> Literal:
        token = self._token
        kind, text = token.kind, token.text
        if kind == "name" and text.upper() in {"TRUE", "FALSE", "NULL"}:
            kind, text = ("null", "null") if text.upper() == "NULL" else ("boolean", text.lower())
        elif kind in {"name", "mark", "end"}:
            self._unexpected()
        elif kind == "string":
            text = self._unescaped(token)
        self._next += 1
        return Literal(kind, text, token.place)

    def _unescaped(self, token: Token) -> str:
        def replaced(match: re.Match[str]) -> str:
            code, letter = match[1], match[2]
            if code:
                return chr(int(code, 16))
            if letter not in _ESCAPES and letter.lower() not in "nrtbf":
                message = (
                    f"Invalid string literal {token.text}. Illegal character sequence '\\{letter}' in string literal."
                )
                refuse(self._text, token.place, message)
            return _ESCAPES[letter if letter in _ESCAPES else letter.lower()]

        text = _ESCAPE.sub(replaced, token.text[1:-1])
        if len(text) > self._longest_string:
            refuse(self._text, token.place, f"a string in a condition is longer than {self._longest_string} characters")
        return text

    def _order(self) -> Order:
        path = self._path()
        descending = self._take("DESC")
        if not descending:
            self._take("ASC")
        nulls_last = False
        if self._take("NULLS"):
            nulls_last = self._take("LAST")
            if not nulls_last:
                self._need("FIRST")
        return Order(path, descending, nulls_last)

    def _count(self) -> int:
        token = self._token
        if token.kind != "number" or not token.text.isdigit():
            self._unexpected()
        self._next += 1
        return int(token.text)
