"""Carries a query out: which records it means, and in which order."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_reverse_etl.destinations.salesforce.sandbox import ids, soql
from airflow_reverse_etl.destinations.salesforce.sandbox.checks import date_text, datetime_text
from airflow_reverse_etl.destinations.salesforce.sandbox.columns import Column, Columns, Project
from airflow_reverse_etl.destinations.salesforce.sandbox.fields import IDS, NUMBERS, QUOTED
from airflow_reverse_etl.destinations.salesforce.sandbox.table import Row

if TYPE_CHECKING:
    from airflow_reverse_etl.destinations.salesforce.sandbox.store import Store

Test = Callable[[Row], bool]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LITERAL_OF = {"boolean": "boolean", "date": "date", "datetime": "datetime", "time": "time"}
_CALLED = {"datetime": "dateTime", "currency": "double", "percent": "double"}


@dataclass(frozen=True)
class Found:
    """What a query found; records are made from `rows` page by page. `counted` is true for SELECT COUNT()."""

    rows: Sequence[Row]
    project: Project
    counted: bool


def run(store: Store, statement: soql.Statement, base: str, *, deleted: bool) -> Found:
    """Find the records of a statement.

    :param base: path of the API version, for the `url` in the attributes of each record.
    :param deleted: whether the records in the recycle bin count (queryAll).
    :raises ApiError: 400, the statement names what is not there or compares what cannot be compared.
    """
    return _Plan(statement, Columns(store, statement, base)).found(deleted=deleted)


class _Plan:
    def __init__(self, statement: soql.Statement, columns: Columns) -> None:
        self._statement = statement
        self._columns = columns

    def found(self, *, deleted: bool) -> Found:
        statement = self._statement
        project = self._columns.projection(statement.paths)
        test = self._test(statement.where) if statement.where else None
        terms = [(self._sorted_by(term.path), term) for term in statement.order]
        rows = self._candidates(deleted=deleted)
        if test is not None:
            rows = [row for row in rows if test(row)]
        for column, term in reversed(terms):
            rows = _in_order(rows, column, term)
        stop = None if statement.limit is None else statement.offset + statement.limit
        return Found(rows[statement.offset : stop], project, counted=not statement.paths)

    def _candidates(self, *, deleted: bool) -> list[Row]:
        table = self._columns.table
        meant = self._narrowed(self._statement.where)
        if meant is None:
            rows = list(table.live.values())
        else:
            rows = [table.live[row_id] for row_id in meant if row_id in table.live]
        return rows + list(table.deleted.values()) if deleted else rows

    def _narrowed(self, condition: soql.Condition | None) -> list[str] | None:
        """Give the ids that an index allows, or None where no index helps."""
        if isinstance(condition, soql.Combined) and condition.operator == "AND":
            found = (self._narrowed(part) for part in condition.parts)
            return next((each for each in found if each is not None), None)
        if not isinstance(condition, soql.Comparison) or condition.operator not in {"=", "IN"}:
            return None
        column = self._columns.find(condition.path)
        values = [self._value(column, literal) for literal in condition.values]
        table = self._columns.table
        if not column.direct or None in values:
            return None
        if column.field.type == "id":
            return list(dict.fromkeys(values))
        if column.field.name not in table.indexes:
            return None
        return list(dict.fromkeys(row_id for value in values for row_id in table.find(column.field, value)))

    def _sorted_by(self, path: soql.Path) -> Column:
        column = self._columns.find(path)
        if not column.field.filterable or column.field.type == "multipicklist":
            self._refuse(path.place, f"field '{column.field.name}' can not be sorted in a query call")
        return column

    def _refuse(self, place: int, message: str, code: str = "INVALID_FIELD") -> None:
        soql.refuse(self._statement.text, place, message, code)

    def _test(self, condition: soql.Condition) -> Test:
        if isinstance(condition, soql.Negated):
            test = self._test(condition.part)
            return lambda row: not test(row)
        if isinstance(condition, soql.Combined):
            tests = [self._test(part) for part in condition.parts]
            together = all if condition.operator == "AND" else any
            return lambda row: together(test(row) for test in tests)
        return self._comparison(condition)

    def _comparison(self, condition: soql.Comparison) -> Test:
        column = self._columns.find(condition.path)
        field, read = column.field, column.read
        if not field.filterable:
            self._refuse(condition.path.place, f"field '{field.name}' can not be filtered in a query call")
        keys = [field.key(self._value(column, literal)) for literal in condition.values]
        if condition.operator in _COMPARE:
            compare, key = _COMPARE[condition.operator], keys[0]

            def ordered(row: Row) -> bool:
                value = read(row)
                return value is not None and key is not None and compare(field.key(value), key)

            return ordered
        allowed = frozenset(keys)
        if condition.operator in {"=", "IN"}:
            return lambda row: field.key(read(row)) in allowed
        return lambda row: field.key(read(row)) not in allowed

    def _value(self, column: Column, literal: soql.Literal) -> Any:
        field = column.field
        if literal.kind == "null":
            return None
        if field.type in QUOTED:
            expected, words = "string", "string and should be enclosed in quotes"
        else:
            expected = "number" if field.type in NUMBERS else _LITERAL_OF.get(field.type, "nothing")
            words = f"{_CALLED.get(field.type, field.type)} and should not be enclosed in quotes"
        if literal.kind != expected:
            self._refuse(literal.place, f"value of filter criterion for field '{field.name}' must be of type {words}")
        value = _stored(field.type, literal.text)
        if value is None:
            code, what = (
                ("INVALID_QUERY_FILTER_OPERATOR", "ID field") if field.type in IDS else ("MALFORMED_QUERY", "value")
            )
            self._refuse(literal.place, f"invalid {what}: {literal.text}", code)
        return value


def _stored(kind: str, text: str) -> Any:
    """Give a literal as a field of this type stores it, or None if it is no such value."""
    if kind in IDS:
        return ids.canonical(text)
    if kind == "boolean":
        return text == "true"
    if kind in NUMBERS:
        return float(text)
    if kind == "date":
        return date_text(text)
    return datetime_text(text) if kind == "datetime" else text


def _in_order(rows: list[Row], column: Column, term: soql.Order) -> list[Row]:
    nulls = [row for row in rows if column.read(row) is None]
    others = [row for row in rows if column.read(row) is not None]
    others.sort(key=lambda row: column.field.key(column.read(row)), reverse=term.descending)
    return others + nulls if term.nulls_last else nulls + others
