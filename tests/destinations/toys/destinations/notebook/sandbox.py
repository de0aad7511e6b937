"""A notebook in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

TOKEN = "notebook-token-0815"
FIELDS = ("title", "text", "place", "mood")


@dataclass
class Settings:
    """What can be turned."""

    latency_seconds: float = 0.0
    owner: str = "Ann"


class Fake:
    """One notebook with one page."""

    FAULTS: ClassVar[Mapping[str, str]] = {}
    COVERAGE: ClassVar[Sequence[tuple[str, str, str]]] = [("Notes", "faked", "There is nothing else.")]

    def __init__(self) -> None:
        self.routes = [Route("/about", self.about), Route("/pages/{page}/{verb}", self.write, methods=["POST"])]
        self.reset()

    def reset(self) -> None:
        """Forget all notes."""
        self.settings = Settings()
        self.violations: list[dict[str, object]] = []
        self.notes: dict[str, dict[str, Any]] = {}
        self.given = 0

    def connection(self, base_url: str) -> dict[str, object]:
        """Return a connection that reaches this fake."""
        return {"conn_type": "notebook", "host": base_url, "password": TOKEN, "extra": {}}

    def objects(self) -> dict[str, int]:
        """Return the page."""
        return {"diary": len(self.notes)}

    def records(self, object: str) -> list[dict[str, Any]]:
        """Return the notes."""
        if object != "diary":
            raise LookupError(object)
        return list(self.notes.values())

    def define(self, object: str) -> None:
        """Nothing can be made."""

    def seed(self, object: str, records: list[dict[str, Any]]) -> list[str]:
        """Add notes by hand."""
        return [self._add(record) for record in records]

    async def about(self, request: Request) -> JSONResponse:
        """Say whose notebook it is, and what is in it."""
        refused = self._refused(request)
        return refused or JSONResponse({"owner": self.settings.owner, "pages": {"diary": FIELDS}})

    async def write(self, request: Request) -> JSONResponse:
        """Carry out a job on some notes."""
        body = json.loads(await request.body())
        await asyncio.sleep(self.settings.latency_seconds)
        verb = request.path_params["verb"]
        refused = self._refused(request)
        return refused or JSONResponse({"results": [self._one(verb, body["key"], note) for note in body["notes"]]})

    def _refused(self, request: Request) -> JSONResponse | None:
        good = request.headers.get("authorization") == f"Bearer {TOKEN}"
        return None if good else JSONResponse({"error": "who are you?"}, 401)

    def _one(self, verb: str, by: str, note: dict[str, Any]) -> dict[str, Any]:
        key, fields = note["key"], note["fields"]
        found = next((found for found, held in self.notes.items() if str(held.get(by)) == key), None)
        if fields.get("mood") == "awful":
            return {"key": key, "code": "BAD_MOOD", "why": "nobody is in that mood", "fields": ["mood"]}
        if verb == "create" and found:
            return {"key": key, "code": "EXISTS", "why": "there is such a note"}
        if verb == "update" and not found:
            return {"key": key, "code": "NOT_FOUND", "why": "there is no such note"}
        if verb == "delete":
            self.notes.pop(found or "", None)
        elif found:
            self.notes[found] |= fields
        else:
            found = self._add(fields)
        return {"key": key, "id": found}

    def _add(self, fields: dict[str, Any]) -> str:
        self.given += 1
        self.notes[str(self.given)] = {"id": str(self.given), **fields}
        return str(self.given)
