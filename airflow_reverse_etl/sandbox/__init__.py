"""The sandbox: every destination's fake on one port, to try a DAG offline. Importing it loads no server."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_reverse_etl.sandbox.server import Sandbox, serve

__all__ = ["Sandbox", "serve"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(importlib.import_module("airflow_reverse_etl.sandbox.server"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
