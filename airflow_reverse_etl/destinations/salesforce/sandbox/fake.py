"""The door of the sandbox org: its routes, its connection, and what a test may look at or change from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from starlette.routing import BaseRoute, Route

from airflow_reverse_etl.destinations.salesforce.sandbox import coverage, faults
from airflow_reverse_etl.destinations.salesforce.sandbox.catalog import system_fields
from airflow_reverse_etl.destinations.salesforce.sandbox.errors import RowError, WrongTypeError
from airflow_reverse_etl.destinations.salesforce.sandbox.fields import from_describe
from airflow_reverse_etl.destinations.salesforce.sandbox.gate import Gate
from airflow_reverse_etl.destinations.salesforce.sandbox.login import OAuth
from airflow_reverse_etl.destinations.salesforce.sandbox.org import Org
from airflow_reverse_etl.destinations.salesforce.sandbox.soap import Soap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from airflow_reverse_etl.destinations.salesforce.sandbox.settings import Settings
    from airflow_reverse_etl.destinations.salesforce.sandbox.table import Row, Table

_SYSTEM_FIELDS = tuple(field.name for field in system_fields() if field.type != "id")
_VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Fake:
    """A Salesforce org with its own data, users, limits and rules, served by the routes in `routes`."""

    FAULTS: ClassVar[Mapping[str, str]] = faults.FAULTS
    COVERAGE: ClassVar[Sequence[tuple[str, str, str]]] = coverage.COVERAGE

    def __init__(self) -> None:
        self._org = Org()
        gate, oauth, soap = Gate(self._org), OAuth(self._org), Soap(self._org)
        self.routes: list[BaseRoute] = [
            Route("/services/data", gate.endpoint, methods=_VERBS),
            Route("/services/data/{path:path}", gate.endpoint, methods=_VERBS),
            Route("/services/oauth2/token", oauth.token, methods=["POST"]),
            Route("/services/oauth2/userinfo", oauth.user_info, methods=["GET"]),
            Route("/services/oauth2/revoke", oauth.revoke, methods=["POST"]),
            Route("/services/Soap/u/{version}", soap.login, methods=["POST"]),
            Route("/{path:path}", gate.nowhere, methods=_VERBS),
        ]

    @property
    def settings(self) -> Settings:
        """Limits and switches; `reset` brings the defaults back."""
        return self._org.settings

    @property
    def violations(self) -> list[dict[str, object]]:
        """Every request that no correct client sends: method, path, status, reason."""
        return self._org.violations

    def connection(self, base_url: str) -> dict[str, object]:
        """Give an Airflow connection that logs in here with the client credentials flow.

        :param base_url: where the routes are mounted, for example `http://127.0.0.1:8765/salesforce`.
        """
        settings = self.settings
        extra = {
            "consumer_key": settings.consumer_key,
            "consumer_secret": settings.consumer_secret,
            "domain": f"{settings.my_domain}.my",
            "base_url": base_url,
        }
        return {"conn_type": "salesforce", "extra": extra}

    def objects(self) -> dict[str, int]:
        """Give the number of live records of each object."""
        return {table.name: len(table.live) for table in self._org.store.tables.values()}

    def records(self, object: str) -> list[dict[str, object]]:
        """Give the live records of an object, oldest first: `Id`, what was ever written to it, then system fields.

        :raises LookupError: there is no such object.
        """
        # Ids are handed out in the order of their characters.
        return [_in_reading_order(row) for _, row in sorted(self._table(object).live.items())]

    def seed(self, object: str, records: Iterable[Mapping[str, Any]]) -> list[str]:
        """Create records by hand and give their ids.

        :param records: JSON values by field; names in any case. Fields that only Salesforce writes may be given too,
            except `Id`. Values and references are checked as the API checks them.
        :raises LookupError: there is no such object.
        :raises ValueError: a record that the API would refuse; those before it stay.
        """
        table = self._table(object)
        return [self._seed(table, record) for record in records]

    def _seed(self, table: Table, record: Mapping[str, Any]) -> str:
        store = self._org.store
        given: Row = {}
        fixed: Row = {}
        for name, value in record.items():
            field = table.fields.get(name.casefold())
            if field is not None and not field.createable and field.type != "id":
                fixed[field.name] = value
            else:
                given[name] = value
        try:
            values, links = table.parse(given, store.setters(table, creating=True))
            return store.insert(table, ({**values, **fixed}, links), allow_duplicates=True)
        except (RowError, WrongTypeError) as error:
            message = f"{table.name} {dict(record)!r}: {error}"
            raise ValueError(message) from error

    def define(
        self,
        object: str,
        fields: Iterable[Mapping[str, Any]] = (),
        *,
        rule: Callable[[Mapping[str, Any]], str | None] | None = None,
        key_prefix: str | None = None,
    ) -> None:
        """Make a custom object, or add to one that there is.

        :param object: API name; `Invoice__c` becomes a custom object with `Name` and `OwnerId`.
        :param fields: in the words of describe, for example `{"name": "Ext__c", "type": "string", "length": 40,
            "externalId": True, "unique": True}`; a field of the same name is replaced. `"accessible": False` hides a
            field from the API user.
        :param rule: a validation rule: gets the whole record as it would be saved, and gives the sentence that refuses
            it, or None.
        :param key_prefix: the first three characters of the ids of a new object; by default the next free `a..`.
        :raises ValueError: a field or prefix that cannot be.
        """
        made = [from_describe(field) for field in fields]
        table = self._org.store.define(object, made, key_prefix)
        if rule is not None:
            table.rules.append(rule)
        self._org.schema_changed()

    def reset(self) -> None:
        """Go back to a new org: no records, default settings, no sessions, no violations."""
        self._org.reset()

    def _table(self, name: str) -> Table:
        table = self._org.store.table(name)
        if table is None:
            known = ", ".join(table.name for table in self._org.store.tables.values())
            message = f"the sandbox org has no object {name!r}; it has {known}"
            raise LookupError(message)
        return table


def _in_reading_order(row: Row) -> dict[str, object]:
    own = {name: value for name, value in row.items() if name not in _SYSTEM_FIELDS}
    return own | {name: row[name] for name in _SYSTEM_FIELDS if name in row}
