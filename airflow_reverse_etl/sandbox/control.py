"""What can be done to a running sandbox: fill it, look into it, turn its knobs, break it; on the server's loop only."""

from __future__ import annotations

import dataclasses
import inspect
import json
from typing import TYPE_CHECKING, Any, cast

from airflow_reverse_etl.sandbox.faults import Faults
from airflow_reverse_etl.sandbox.log import Log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_reverse_etl.sandbox.fakes import Fake

Json = dict[str, object]


class Control:
    """Every verb of the sandbox, once: `Sandbox` offers them to other threads, `api` to other processes.

    :param base_url: where clients reach the server, for example "http://127.0.0.1:8765".

    All verbs raise `ValueError`, in a sentence that says what there is, for an unknown destination, setting or fault.
    """

    def __init__(self, fakes: Mapping[str, Fake], base_url: str) -> None:
        self.fakes = fakes
        self.base_url = base_url
        self.log = Log()
        self.active_faults = Faults()

    def fake(self, destination: str) -> Fake:
        if destination not in self.fakes:
            message = f"no destination {destination!r} in this sandbox; there are: {', '.join(self.fakes) or 'none'}"
            raise ValueError(message)
        return self.fakes[destination]

    def connections(self) -> dict[str, str]:
        """Return what to put into the environment so that Airflow's default connections reach the fakes."""
        return {
            f"AIRFLOW_CONN_{name.upper()}_DEFAULT": json.dumps(fake.connection(f"{self.base_url}/{name}"))
            for name, fake in self.fakes.items()
        }

    def reset(self, destination: str | None = None) -> None:
        """Forget records, settings, violations, faults and log, of one destination or of all."""
        for fake in [self.fake(destination)] if destination else self.fakes.values():
            fake.reset()
        self.active_faults.clear(destination)
        self.log.clear(destination)

    def seed(self, destination: str, object: str, records: list[dict[str, object]]) -> list[str]:
        """Put records into an object; return their ids in the same order."""
        if not _are_records(records):
            message = "records are a list of objects, each field with its value"
            raise ValueError(message)
        return self.fake(destination).seed(object, records)

    def define(self, destination: str, object: str, *args: object, **arguments: object) -> object:
        """Create an object, a field or a tab; arguments and result are the destination's own."""
        define = self.fake(destination).define
        _bind(define, object, *args, **arguments)
        return define(object, *args, **arguments)

    def objects(self, destination: str) -> dict[str, int]:
        """Return how many live records each object holds."""
        return dict(self.fake(destination).objects())

    def records(
        self,
        destination: str,
        object: str,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[dict[str, object]]:
        """Return a copy of what an object holds now; later requests do not change it."""
        held = self.fake(destination).records(object)
        chosen = held[offset:] if limit is None else held[offset : offset + limit]
        return [cast("Json", _copied(record)) for record in chosen]

    def settings(self, destination: str, **changes: object) -> Json:
        """Change some settings of a fake; return all of them."""
        settings = self.fake(destination).settings
        current = {field.name: getattr(settings, field.name) for field in dataclasses.fields(cast("Any", settings))}
        for name, value in changes.items():
            _check_setting(destination, name, value, current)
        for name, value in changes.items():
            setattr(settings, name, value)
        return cast("Json", _copied({**current, **changes}))

    def faults(self, destination: str | None = None, mode: str | None = None, **how: object) -> list[Json]:
        """Set a fault if a mode is given; return those that can still strike."""
        if destination is not None and mode is not None:
            self.active_faults.add(destination, mode, self.fake(destination).FAULTS, **how)
            return self.active_faults.active()
        if mode is not None or how:
            message = "a fault takes a destination and a mode, for example 'hubspot', 'drop_after_commit'"
            raise ValueError(message)
        if destination is not None:
            self.fake(destination)
        return self.active_faults.active(destination)

    def clear_faults(self, destination: str | None = None, id: int | None = None) -> None:  # noqa: A002  as listed
        """Remove faults: one by its id, those of a destination, or all."""
        self.active_faults.clear(destination, id)

    def violations(self, destination: str | None = None) -> list[Json]:
        """Return the requests that a vendor would refuse as malformed."""
        chosen = {destination: self.fake(destination)} if destination else self.fakes
        return [{"destination": name, **violation} for name, fake in chosen.items() for violation in fake.violations]

    def overview(self, requests: int = 100) -> Json:
        """Return what the page shows, but for the records: one look at everything."""
        return {
            "url": self.base_url,
            "destinations": [
                {
                    "name": name,
                    "objects": fake.objects(),
                    "calls": self.log.calls.get(name, 0),
                    "violations": len(fake.violations),
                }
                for name, fake in self.fakes.items()
            ],
            "faults": self.active_faults.active(),
            "violations": self.violations()[-requests:][::-1],
            "requests": [dataclasses.asdict(entry) for entry in self.log.last(requests)],
        }


def _bind(function: Any, *args: object, **arguments: object) -> None:
    # Arguments that do not fit are the caller's mistake; a TypeError from inside the fake is the fake's.
    try:
        inspect.signature(function).bind(*args, **arguments)
    except TypeError as error:
        message = f"{function.__qualname__} takes {inspect.signature(function)}: {error}"
        raise ValueError(message) from error


def _are_records(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(record, dict) for record in value)


def _copied(value: object) -> object:
    # Four times as fast as deepcopy; what a fake holds is JSON, so these are all the containers that there are.
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(part) for part in value]
    return value


def _check_setting(destination: str, name: str, value: object, current: Mapping[str, object]) -> None:
    if name not in current:
        message = f"{destination} has no setting {name!r}; there are: {', '.join(current)}"
        raise ValueError(message)
    if _kind(value) != _kind(current[name]) and value is not None and current[name] is not None:
        message = f"the setting {name!r} of {destination} is a {_kind(current[name])}, for example {current[name]!r}"
        raise ValueError(message)


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "switch"
    return "number" if isinstance(value, int | float) else type(value).__name__
