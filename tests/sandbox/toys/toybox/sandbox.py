"""A fake as small as can be: toys in boxes, created in batches."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request


@dataclass
class Settings:
    """What can be turned."""

    latency_seconds: float = 0.0
    max_inputs: int = 100
    strict: bool = True
    plan: str | None = None


class Fake:
    """Keeps toys; a toy without a name is a violation."""

    FAULTS: ClassVar[Mapping[str, str]] = {"lose_row": "The last row is missing from the answer; takes `rows`."}
    COVERAGE: ClassVar[Sequence[tuple[str, str, str]]] = [
        ("batch create", "faked", "Up to 100 toys a call."),
        ("search", "not faked", "There is none | and pipes are escaped."),
    ]

    def __init__(self) -> None:
        self.routes = [
            Route("/{box}/batch", self.create, methods=["POST"]),
            Route("/{box}/tokens/{token}", self.create, methods=["POST"]),
            Route("/{box}", self.listing, methods=["GET"]),
            Route("/{box}/bug", self.bug, methods=["POST"]),
            Mount("/v2", routes=[Route("/{box}/many", self.create, methods=["POST"])]),
        ]
        self.reset()

    def reset(self) -> None:
        """Forget all toys."""
        self.settings = Settings()
        self.violations: list[dict[str, object]] = []
        self.boxes: dict[str, list[dict[str, object]]] = {}
        self.bytes_held = 0

    def connection(self, base_url: str) -> dict[str, object]:
        """Return a connection that reaches this fake."""
        return {"conn_type": "http", "host": base_url, "password": "it's", "extra": {"base_url": base_url}}

    def objects(self) -> dict[str, int]:
        """Return the boxes."""
        return {box: len(toys) for box, toys in self.boxes.items()}

    def records(self, object: str) -> list[dict[str, object]]:
        """Return the toys of a box."""
        return self.boxes[object]

    def define(self, object: str, *, colour: str = "red") -> None:
        """Make an empty box."""
        self.boxes[object] = []
        self.settings.plan = colour

    def seed(self, object: str, records: list[dict[str, object]]) -> list[str]:
        """Put toys in by hand."""
        self.boxes.setdefault(object, []).extend(records)
        return [str(number) for number in range(len(records))]

    async def create(self, request: Request) -> Response:
        """Take a batch of toys."""
        inputs = json.loads(await request.body())["inputs"]
        request.scope["sandbox.records"] = len(inputs)
        await asyncio.sleep(self.settings.latency_seconds)
        if len(inputs) > self.settings.max_inputs:
            reason = "too many inputs"
            self.violations.append({"method": "POST", "path": request.url.path, "status": 400, "reason": reason})
            return JSONResponse({"error": reason}, 400)
        toys = self.boxes.setdefault(request.path_params["box"], [])
        results = [{"id": len(toys) + number, "properties": given} for number, given in enumerate(inputs)]
        for toy in results:
            self.bytes_held += len(json.dumps(toy))
            toys.append(toy)
        told = request.scope.get("sandbox.fault")
        if told and told["mode"] == "lose_row":
            results = results[: -told.get("rows", 1)]
        return JSONResponse({"results": results}, 201)

    async def listing(self, request: Request) -> Response:
        """Answer with the toys of a box."""
        return JSONResponse(self.boxes.get(request.path_params["box"], []))

    async def bug(self, request: Request) -> Response:
        """Fail, as a fake may."""
        message = f"a mistake in the fake at {request.url.path}"
        raise RuntimeError(message)
