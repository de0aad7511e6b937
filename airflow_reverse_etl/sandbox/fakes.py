"""Finds the fake of every destination by its being there, so that a new folder is served without a list to edit."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute

DESTINATIONS = "airflow_reverse_etl.destinations"


class Fake(Protocol):
    """What the sandbox knows of a fake: the class `Fake` in `destinations/<name>/sandbox`.

    `routes` are relative to `/<name>`; `settings` is a mutable dataclass; `violations` holds every request that the
    vendor would refuse as malformed. `FAULTS` names the faults that only the fake can act out, `COVERAGE` says what is
    faked: (area, "faked" | "partly" | "not faked", one sentence).
    """

    FAULTS: ClassVar[Mapping[str, str]]
    COVERAGE: ClassVar[Sequence[tuple[str, str, str]]]
    routes: list[BaseRoute]
    settings: object

    @property
    def violations(self) -> list[dict[str, object]]:
        """Return the list itself."""

    def connection(self, base_url: str) -> dict[str, object]:
        """Return an Airflow connection, as a dictionary, that reaches this fake at `base_url`."""

    def objects(self) -> dict[str, int]:
        """Return how many live records each object holds."""

    def records(self, object: str) -> list[dict[str, object]]:
        """Return what an object holds now, without what was deleted."""

    def seed(self, object: str, records: list[dict[str, object]]) -> list[str]:
        """Put records in by hand; return their ids."""

    def define(self, object: str, *args: object, **arguments: object) -> object:
        """Create an object, a field or a tab, in the vendor's terms."""

    def reset(self) -> None:
        """Go back to the initial state: no records, default settings, no violations."""


def fake_classes() -> dict[str, type[Fake]]:
    """Return the class `Fake` of every destination that has one, by the name of its folder, in alphabetical order.

    :raises ImportError: a fake cannot be imported, or its module has no `Fake`; it is never left out in silence.
    """
    package = importlib.import_module(DESTINATIONS)
    folders = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.ispkg)
    modules = {name: f"{DESTINATIONS}.{name}.sandbox" for name in folders}
    return {name: _fake_in(module) for name, module in modules.items() if importlib.util.find_spec(module) is not None}


def _fake_in(module: str) -> type[Fake]:
    try:
        return cast("type[Fake]", importlib.import_module(module).Fake)
    except AttributeError as error:
        message = f"{module} has no class Fake; the sandbox cannot serve it"
        raise ImportError(message) from error
