"""The applications: a folder here is a destination, found by its being there."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType


def names() -> list[str]:
    """Return the names of all destinations, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def declaration(name: str) -> ModuleType:
    """Return a destination's folder: its `CONNECTION` and what else it declares as data. Imports no client library.

    :raises LookupError: there is no such destination; the message lists those that there are.
    """
    if name not in names():
        known = ", ".join(repr(known) for known in names())
        message = (
            f"there is no destination {name!r}; use one of {known}, "
            f"or the dotted path of a hook class (for example 'my_company.hooks.CrmHook')"
        )
        raise LookupError(message)
    return importlib.import_module(f"{__name__}.{name}")


def options(name: str) -> Mapping[str, Any] | None:
    """Return the options that a destination declares, or None where a dotted path leaves that to its hook's `check`."""
    return None if "." in name else getattr(declaration(name), "OPTIONS", {})


def load(name: str) -> type[Any]:
    """Return the hook class of a destination.

    :param name: the name of a folder here, or the dotted path of somebody else's hook class.
    :raises LookupError: nothing is found under that name; the message says what there is.
    """
    path = name if "." in name else declaration(name).CONNECTION["hook-class-name"]
    module_name, _, class_name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module_name), class_name)  # type: ignore[no-any-return]  # a dotted path has no type
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        ours = "." in name or str(getattr(error, "name", "")).startswith("airflow_reverse_etl")
        extra = "" if ours else f"; `pip install 'airflow-provider-reverse-etl[{name}]'` brings what it needs"
        message = f"the destination {name!r} cannot be loaded: {error}{extra}"
        raise LookupError(message) from error
