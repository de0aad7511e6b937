"""Which records exist under which keys: exact SOQL, never a search index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

from airflow_reverse_etl.destinations.rest import Rest
from airflow_reverse_etl.destinations.salesforce.encode import CannotEncodeError, number
from airflow_reverse_etl.destinations.salesforce.shape import IDS, NUMBERS, FieldShape
from airflow_reverse_etl.errors import BatchRejectedError, RetryableError
from airflow_reverse_etl.model import KeyForm, plain_number

QUERY_BYTES = 12_000
"""Salesforce takes 16,384 bytes of address and headers together (414 and 431 beyond); tokens can be 2 kB long."""
ID_FORM = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
SEARCHABLE = IDS | NUMBERS | frozenset({"combobox", "date", "email", "encryptedstring", "phone", "picklist"})
SEARCHABLE |= frozenset({"string", "textarea", "url"})
"""Types of fields that can be a key."""


@dataclass(frozen=True)
class Lookup:
    """Finds the records of one object by one field.

    :param rest: the org.
    :param path: of the query resource, `services/data/v62.0/query`.
    :param extra: further fields to read.
    """

    rest: Rest
    path: str
    object: str
    field: FieldShape
    extra: tuple[str, ...] = ()

    def records(self, keys: Sequence[str]) -> Mapping[str, list[Mapping[str, Any]]]:
        """Return the records that exist under each key, by key; a key without records is absent.

        :raises FatalError, RetryableError, BatchRejectedError: from the queries.
        """
        form = self.field.key_form()
        wanted = {form.normal(key): key for key in keys}
        literals = [literal for key in keys if (literal := self._literal(key)) is not None]
        found: dict[str, list[Mapping[str, Any]]] = {}
        for query in self._queries(literals):
            for row in self._rows(query):
                key = wanted.get(form.normal(_as_text(row.get(self.field.name))))
                if key is not None:
                    found.setdefault(key, []).append(row)
        return found

    def _queries(self, literals: Iterable[str]) -> Iterator[str]:
        """Put as many literals into each query as an address can hold."""
        columns = ", ".join(dict.fromkeys(("Id", self.field.name, *self.extra)))
        head = f"SELECT {columns} FROM {self.object} WHERE {self.field.name} IN ("  # noqa: S608  names are those of describe
        group: list[str] = []
        size = room = QUERY_BYTES - len(quote_plus(f"{head})"))
        for literal in literals:
            needed = len(quote_plus(f"{literal},"))
            if group and needed > room:
                yield f"{head}{','.join(group)})"
                group, room = [], size
            group.append(literal)
            room -= needed
        if group:
            yield f"{head}{','.join(group)})"

    def _rows(self, query: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of a query, page after page."""
        page = self._page(self.path, {"q": query})
        yield from page["records"]
        while not page.get("done", True):
            # the address is given from the root of the org, which may stand behind a base_url
            further = re.search(r"services/\S+", str(page.get("nextRecordsUrl")))
            if further is None:
                raise RetryableError("Salesforce has more records to a query and does not say where", code="NO_RESULT")
            page = self._page(further[0])
            yield from page["records"]

    def _page(self, path: str, params: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        try:
            body = self.rest.read("GET", path, params=params).body
        except BatchRejectedError as error:
            # only the code: Salesforce's words quote the query, and with it the keys
            said = f"Salesforce refused the query that looks up {self.object} by {self.field.name}: {error.code}"
            if error.code == "INVALID_QUERY_LOCATOR":  # the pages are gone: ask for the first one anew
                raise RetryableError(said, code=error.code) from None
            raise BatchRejectedError(said, code=error.code) from None
        if not isinstance(body, dict) or not isinstance(body.get("records"), list):
            raise RetryableError("Salesforce answered a query with something that is no result", code="NO_RESULT")
        return body

    def _literal(self, key: str) -> str | None:
        """Return a key as SOQL; None for what no record can hold, so that it needs no query."""
        field = self.field
        if field.type in IDS:
            return f"'{key}'" if ID_FORM.fullmatch(key) else None
        if field.type in NUMBERS:
            return _number_literal(key, whole=field.type in ("int", "long"))
        if field.type == "date":
            return key if DATE.fullmatch(key) else None
        key = key.strip(KeyForm.WHITE_SPACE)
        return None if field.length and len(key) > field.length else f"'{_escaped(key)}'"


def _number_literal(key: str, *, whole: bool) -> str | None:
    try:
        exact = Decimal(number(key))
    except CannotEncodeError:
        return None
    return plain_number(format(exact, "f")) if not whole or exact == exact.to_integral_value() else None


def _escaped(text: str) -> str:
    """Escape a text for a SOQL literal (SOQL and SOSL Reference, "Quoted String Escape Sequences")."""
    for character, escape in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(character, escape)
    return text


def _as_text(value: Any) -> str:
    """Return a value of an answer as the text of a key."""
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return "" if value is None else str(value)
