"""One request as the handlers see it: what was asked, of which portal, and the fault that was ordered for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.datastructures import QueryParams

    from airflow_reverse_etl.destinations.hubspot.sandbox.answers import Answer
    from airflow_reverse_etl.destinations.hubspot.sandbox.portal import ObjectType, Portal

    Handler = Callable[["Call"], Answer]


@dataclass(slots=True)
class Call:
    """Made by the gate, once it has let a request in.

    :param kind: the object that the path names; handlers that need none get an arbitrary one.
    :param tail: what the path says last: a record id or the name of a property.
    :param fault: `{"mode": <name>, ...}` or empty.
    """

    portal: Portal
    method: str
    path: str
    version: str
    kind: ObjectType
    tail: str
    query: QueryParams
    body: bytes
    fault: Mapping[str, Any] = field(default_factory=dict)
    rows: int = 0

    @property
    def mode(self) -> str:
        """The name of the fault that was ordered for this call; "" for none."""
        return str(self.fault.get("mode", ""))

    @property
    def modern(self) -> bool:
        """Whether the rules of version 2026-09 hold."""
        return self.version.startswith("20") and self.version >= "2026-09"

    def violate(self, reason: str, status: int) -> None:
        """Record that this request breaks the contract."""
        self.portal.violations.append({"method": self.method, "path": self.path, "status": status, "reason": reason})
