"""Keeps the house in order: who may import whom is a table here, and the only way around it is to change the table."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = "airflow_reverse_etl"
ROOT = Path(__file__).parents[1] / PACKAGE


@dataclass(frozen=True)
class Room:
    """Some modules and what they may import besides the standard library.

    :param modules: a pattern of dotted names, without the package's own.
    :param ours: rooms of ours, with all that is in them; `{folder}` is the destination's own folder.
    :param libraries: what others wrote; None: the client or Airflow hook of this destination, whatever it is called.
    :param never: exceptions from both.
    """

    modules: str
    ours: tuple[str, ...] = ()
    libraries: tuple[str, ...] | None = ()
    never: tuple[str, ...] = ()


GROUND = ("model", "errors")
HOOK = ("destinations.base", "destinations.rest")
BELOW_THE_DOORS = (*GROUND, "parameters", "warehouse", "destinations", "sync")
FAKE_LIBRARIES = ("starlette", "msgspec", "jwt", "cryptography")  # HTTP, JSON, signed tokens: Airflow has them all
REST_LIBRARIES = ("airflow.sdk", "airflow.configuration", "airflow.exceptions", "requests", "tenacity")

# The first room that fits a module is its room.
ROOMS = (
    Room("", ours=()),  # Airflow imports the package before it is configured
    Room("model"),
    Room("errors"),
    Room("parameters", ours=GROUND),
    Room(r"warehouse(\..+)?", ours=(*GROUND, "warehouse"), libraries=("airflow", "pyarrow")),
    Room(r"sync(\..+)?", ours=(*GROUND, "sync"), libraries=("duckdb", "pyarrow", "tenacity")),
    Room("destinations", ours=GROUND),
    Room(r"destinations\.(base|rest)", ours=(*GROUND, *HOOK), libraries=REST_LIBRARIES),
    Room(r"destinations\.(?P<folder>\w+)"),  # data only
    Room(
        r"destinations\.(?P<folder>\w+)\.sandbox(\..+)?",
        ours=("destinations.{folder}.sandbox",),
        libraries=FAKE_LIBRARIES,
    ),
    Room(
        r"destinations\.(?P<folder>\w+)\..+",
        ours=(*GROUND, *HOOK, "destinations.{folder}"),
        libraries=None,
        never=("destinations.{folder}.sandbox", "duckdb", "starlette", "uvicorn"),
    ),
    Room(r"sandbox(\..+)?", ours=("destinations", "sandbox"), libraries=("starlette", "uvicorn", "msgspec")),
    Room(r"triggers(\..+)?", ours=(*BELOW_THE_DOORS, "triggers"), libraries=("airflow",)),
    Room(r"operators(\..+)?", ours=(*BELOW_THE_DOORS, "triggers", "operators"), libraries=("airflow",)),
    Room(r"decorators(\..+)?", ours=(*BELOW_THE_DOORS, "operators", "decorators"), libraries=("airflow",)),
    Room(r"ui(\..+)?", ours=(*BELOW_THE_DOORS, "ui"), libraries=("airflow", "fastapi", "starlette")),
    Room("provider_info", ours=("", "destinations")),
)


def modules() -> dict[str, str]:
    """Return every module of the package: dotted name, without the package's own → source."""
    return {_dotted(path): path.read_text() for path in sorted(ROOT.rglob("*.py"))}


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module: str, source: str, known: Mapping[str, str]) -> Iterator[str]:
    """Yield what a module imports, in functions too, but not under `if TYPE_CHECKING`."""
    is_package = any(other.startswith(f"{module}.") for other in known) or not module
    for node in _running_nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, module, is_package=is_package)
            for alias in node.names:
                name = f"{origin}.{alias.name}"
                yield name if not _ours(name) or _inside(name) in known else origin


def _running_nodes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _running_nodes(child)


def _origin(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    above = [PACKAGE, *filter(None, module.split("."))]
    above = above[: len(above) - node.level + is_package]
    return ".".join([*above, *filter(None, [node.module])])


def _ours(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


def _inside(name: str) -> str:
    return name.removeprefix(PACKAGE).removeprefix(".")


def _within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or (room and name.startswith(f"{room}.")) for room in rooms)


def violations(module: str, source: str, known: Mapping[str, str]) -> list[str]:
    """Return a sentence for each import that the module's room does not allow."""
    room, folder = _room(module)
    if room is None:
        return [f"{module}: no room in the table of tests/test_house.py fits it"]
    ours, never = (tuple(name.format(folder=folder) for name in names) for names in (room.ours, room.never))
    found = []
    for name in imports(module, source, known):
        if _ours(name):
            allowed = _within(_inside(name), ours)
        else:
            allowed = room.libraries is None or _within(name, (*room.libraries, *sys.stdlib_module_names))
        if not allowed or _within(_inside(name), never):
            found.append(f"{module or PACKAGE} imports {name}")
    return found


def _room(module: str) -> tuple[Room | None, str]:
    for room in ROOMS:
        if match := re.fullmatch(room.modules, module):
            return room, match.groupdict().get("folder", "")
    return None, ""


def graph(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return module → modules of ours that it imports."""
    return {
        module: {_inside(name) for name in imports(module, source, sources) if _ours(name)} - {module}
        for module, source in sources.items()
    }


def test_every_import_is_one_that_its_room_allows() -> None:
    """No arrow runs up or across: each module imports only what the table grants its room."""
    sources = modules()
    assert [line for module, source in sources.items() for line in violations(module, source, sources)] == []


def test_imports_form_no_circle() -> None:
    """Our modules can be put in an order in which each one only imports earlier ones."""
    TopologicalSorter(graph(modules())).prepare()


def test_the_rooms_that_others_build_on_are_there() -> None:
    """The names that the table speaks of exist, so that a rename cannot empty a rule in silence."""
    sources = modules()
    assert {
        "model",
        "errors",
        "parameters",
        "provider_info",
        "warehouse",
        "destinations.base",
        "destinations.rest",
    } <= set(sources)
    assert (ROOT / "warehouse" / "__init__.py").is_file()
    for room in ("sync", "operators", "decorators", "sandbox"):
        assert any(name.startswith(f"{room}.") for name in sources), room


MADE_UP_HOUSE = """
    model errors parameters warehouse sync sync.plan operators operators.two sandbox
    destinations destinations.base destinations.rest destinations.two destinations.two.hook
    destinations.one destinations.one.hook destinations.one.sandbox destinations.one.sandbox.store
"""
MADE_UP = dict.fromkeys(["", *MADE_UP_HOUSE.split()], "")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("", "from airflow_reverse_etl import model"),
        ("model", "def f():\n    import pyarrow"),
        ("parameters", "from airflow_reverse_etl.sync import plan"),
        ("sync.plan", "import airflow"),
        ("sync.plan", "from airflow_reverse_etl.destinations.one import hook"),
        ("sync.plan", "from ..destinations import base"),
        ("sync", "from . import plan, missing\nfrom .. import warehouse"),
        ("warehouse", "import duckdb"),
        ("destinations.base", "from airflow.providers.http.hooks.http import HttpHook"),
        ("destinations.one", "from airflow_reverse_etl import errors"),
        ("destinations.one.hook", "from airflow_reverse_etl.destinations.two.hook import TwoHook"),
        ("destinations.one.hook", "import airflow_reverse_etl.sync.plan"),
        ("destinations.one.hook", "from airflow_reverse_etl.destinations.one import sandbox"),
        ("destinations.one.sandbox", "from airflow_reverse_etl.destinations.one.hook import LIMIT"),
        ("destinations.one.sandbox.store", "from airflow_reverse_etl import model"),
        ("operators.two", "import snowflake.connector"),
        ("attic", "x = 1"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str) -> None:
    """The rule can fail: each of these made-up modules breaks it exactly once."""
    assert len(violations(module, source, {**MADE_UP, module: source})) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sync.plan", "import json\nimport duckdb\nfrom airflow_reverse_etl.model import Batch"),
        ("sync.plan", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from airflow.sdk import BaseHook"),
        ("destinations.one.hook", "import vendor_client\nfrom airflow_reverse_etl.destinations.base import SyncHook"),
        ("destinations.one.sandbox", "from airflow_reverse_etl.destinations.one.sandbox.store import Store"),
        (
            "operators.two",
            "from airflow_reverse_etl import destinations, warehouse\nfrom airflow.sdk import BaseOperator",
        ),
    ],
)
def test_an_allowed_import_is_left_alone(module: str, source: str) -> None:
    """The rule finds nothing where nothing is wrong."""
    assert violations(module, source, {**MADE_UP, module: source}) == []


def test_a_circle_is_found() -> None:
    """Two modules that import each other are refused, also when one does so in a function."""
    sources = {
        "model": "from airflow_reverse_etl.errors import SyncError",
        "errors": "def f():\n    from airflow_reverse_etl import model",
    }
    with pytest.raises(CycleError):
        TopologicalSorter(graph(sources)).prepare()


def test_parsing_a_dag_loads_no_heavy_library() -> None:
    """A DAG file that imports our operators costs the DAG processor no driver, no HTTP client and no Arrow."""
    doors = [module for module in modules() if module.startswith(("operators.", "decorators."))]
    program = (
        "import importlib, sys\n"
        f"for door in {doors!r}: importlib.import_module('{PACKAGE}.' + door)\n"
        "heavy = {'duckdb', 'pyarrow', 'requests', 'simple_salesforce', 'pandas', 'google.auth', 'starlette'}\n"
        "heavy |= {'airflow.providers.common.sql.hooks', 'airflow.providers.salesforce.hooks'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["[]"]), done.stderr
