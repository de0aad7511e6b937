"""Which request goes wrong; what happens to it then is in `modes`."""

from __future__ import annotations

import itertools
import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_reverse_etl.sandbox.checks import check_arguments, checked_matching
from airflow_reverse_etl.sandbox.modes import MODES

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Fault:
    """One thing that goes wrong, and how often it did.

    :param path: regular expression, searched in the path below the destination's address; None is every path.
    :param nth: which of the matching requests, counted from 1 since the fault was set; None is each.
    :param times: at most so often; None is no limit.
    :param probability: share of the matching requests, drawn from a generator seeded with `seed`; None is all.
    """

    number: int
    destination: str
    mode: str
    path: re.Pattern[str] | None = None
    method: str | None = None
    nth: frozenset[int] | None = None
    times: int | None = None
    probability: float | None = None
    seed: int = 0
    arguments: Mapping[str, object] = field(default_factory=dict)
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  repeatable on purpose, protects nothing

    def strikes(self, method: str, path: str) -> bool:
        """Count a request if it matches, and tell whether it is one that goes wrong."""
        if self.over or self.method not in (None, method) or (self.path and not self.path.search(path)):
            return False
        self.seen += 1
        drawn = self.probability is None or self._random.random() < self.probability
        return drawn and (self.nth is None or self.seen in self.nth)

    @property
    def over(self) -> bool:
        """True when it can never strike again."""
        used_up = self.times is not None and self.hits >= self.times
        return used_up or (self.nth is not None and self.seen >= max(self.nth))

    def described(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        return {
            "id": self.number,
            "destination": self.destination,
            "mode": self.mode,
            "path": self.path.pattern if self.path else None,
            "method": self.method,
            "nth": sorted(self.nth) if self.nth else None,
            "times": self.times,
            "probability": self.probability,
            "seed": self.seed,
            "arguments": dict(self.arguments),
            "seen": self.seen,
            "hits": self.hits,
        }


class Faults:
    """The faults that are set. Where several match a request, the one that was set first strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)

    def add(self, destination: str, mode: str, vendor_modes: Mapping[str, str], **how: object) -> Fault:
        """Set a fault.

        :param vendor_modes: the destination's own modes; they win over a generic mode of the same name.
        :param how: the fields of `Fault` from `path` to `seed`; all else are arguments of the mode.
        :raises ValueError: an unknown mode or argument, or a value that makes no sense; the message says what would.
        """
        if mode not in vendor_modes and mode not in MODES:
            message = (
                f"unknown fault {mode!r} for {destination}; use one of {', '.join(sorted({*MODES, *vendor_modes}))}"
            )
            raise ValueError(message)
        matching = {
            name: how.pop(name) for name in ("path", "method", "nth", "times", "probability", "seed") if name in how
        }
        if mode not in vendor_modes:
            check_arguments(mode, how)
        fault = Fault(next(self._numbers), destination, mode, arguments=how, **checked_matching(**matching))  # type: ignore[arg-type]
        self._faults.append(fault)
        return fault

    def strike(self, destination: str, method: str, path: str) -> Fault | None:
        """Return the fault that this request meets, if any. Every fault that matches counts the request."""
        if not self._faults:
            return None
        struck = [fault for fault in self._faults if fault.destination == destination and fault.strikes(method, path)]
        if not struck:
            return None
        struck[0].hits += 1
        return struck[0]

    def active(self, destination: str | None = None) -> list[dict[str, object]]:
        """Return the faults that can still strike."""
        return [
            fault.described() for fault in self._faults if destination in (None, fault.destination) and not fault.over
        ]

    def clear(self, destination: str | None = None, number: int | None = None) -> None:
        """Remove one fault, those of a destination, or all."""
        self._faults = [
            fault
            for fault in self._faults
            if destination not in (None, fault.destination) or number not in (None, fault.number)
        ]
