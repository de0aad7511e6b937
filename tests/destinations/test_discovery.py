"""A folder is a destination by its being there: for the loader, Airflow, the sandbox and the contract tests."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import airflow
import jsonschema
import pyarrow as pa
import pytest
from world import Table

from airflow_reverse_etl import destinations
from airflow_reverse_etl.destinations.base import SyncHook
from airflow_reverse_etl.errors import FatalError
from airflow_reverse_etl.model import Limitations
from airflow_reverse_etl.parameters import validate
from airflow_reverse_etl.provider_info import get_provider_info
from airflow_reverse_etl.sandbox import serve
from airflow_reverse_etl.sync.run import Ended, Sync

HERE = Path(__file__).parent
TOYS = HERE / "toys" / "destinations"
OURS = ["google_sheets", "hubspot", "salesforce"]


@pytest.fixture
def with_toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lay more folders beside the real ones, as whoever adds a destination does; take them away again."""
    monkeypatch.setattr(destinations, "__path__", [*destinations.__path__, str(TOYS)])
    importlib.invalidate_caches()
    yield
    toys = [name for name in sys.modules if name.startswith(f"{destinations.__name__}.") and "toys" in _file(name)]
    for name in toys:
        sys.modules.pop(name)
        if name.count(".") == 2:
            delattr(destinations, name.rpartition(".")[2])


def _file(name: str) -> str:
    return str(getattr(sys.modules[name], "__file__", ""))


# --- the loader ------------------------------------------------------------------------------------------------------


def test_the_destinations_are_the_folders() -> None:
    """Names come in order; modules that are no folders are none."""
    assert destinations.names() == OURS


@pytest.mark.parametrize("name", OURS)
def test_a_name_loads_its_hook(name: str) -> None:
    """Each of ours loads, and is a sync hook."""
    assert issubclass(destinations.load(name), SyncHook)


def test_a_dotted_path_loads_somebody_elses_hook() -> None:
    """Whatever class stands there is taken; its options are its own to check."""
    path = "airflow_reverse_etl.destinations.hubspot.hook.HubSpotSyncHook"
    assert destinations.load(path) is destinations.load("hubspot")
    assert destinations.options(path) is None


@pytest.mark.parametrize("name", ["hubspott", "base", "rest", "", "Hubspot", "../hubspot"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    """A misspelt destination is a sentence with all that there are, and the way to one's own."""
    for ask in (destinations.load, destinations.declaration, destinations.options):
        if "." in name:
            continue
        with pytest.raises(LookupError) as raised:
            ask(name)
        assert all(repr(known) in str(raised.value) for known in OURS)
        assert "dotted path" in str(raised.value)


@pytest.mark.parametrize(
    "path",
    [
        "no_such_package.Hook",
        "airflow_reverse_etl.destinations.hubspot.hook.NoSuchHook",
        "json.",
        ".json",
        ".hooks.CrmHook",
        "a..b",
    ],
)
def test_a_dotted_path_that_leads_nowhere_says_why(path: str) -> None:
    """The sentence names the path; it is a LookupError, which a task ends with without a retry."""
    with pytest.raises(LookupError) as raised:
        destinations.load(path)
    assert path in str(raised.value)


# --- Airflow ---------------------------------------------------------------------------------------------------------


def test_the_provider_info_is_what_airflow_takes() -> None:
    """Airflow's own schema accepts it, and it holds what the package brings."""
    schema = json.loads((Path(airflow.__path__[0]) / "provider_info.schema.json").read_text())
    info = get_provider_info()
    jsonschema.validate(info, schema)
    types = [connection["connection-type"] for connection in info["connection-types"]]
    assert types == ["google_sheets", "hubspot"]
    assert info["package-name"] == "airflow-provider-reverse-etl"
    (decorator,) = info["task-decorators"]
    assert decorator["name"] == "reverse_etl"
    module, _, function = decorator["class-name"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))
    assert set(info["config"]["reverse_etl"]["options"]) == {
        "store_path",
        "keep_runs",
        "max_wait",
        "insecure_hosts",
        "stage_path",
        "stage_memory",
    }


def test_airflow_finds_the_provider_and_shows_its_forms() -> None:
    """Through the entry point: the connection types with their hooks and form fields, and the decorator."""
    from airflow.providers_manager import ProvidersManager
    from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

    manager, runtime = ProvidersManager(), ProvidersManagerTaskRuntime()
    assert "airflow-provider-reverse-etl" in manager.providers
    for name in ("hubspot", "google_sheets"):
        connection = destinations.declaration(name).CONNECTION
        found = runtime.hooks[name]
        assert found is not None
        assert found.hook_class_name == connection["hook-class-name"]
        widgets = manager.connection_form_widgets
        assert {f"extra__{name}__{field}" for field in connection["conn-fields"]} <= set(widgets)
        assert manager.field_behaviours[name]["relabeling"] == connection["ui-field-behaviour"]["relabeling"]
    salesforce = runtime.hooks["salesforce"]
    assert salesforce is not None
    assert salesforce.package_name == "apache-airflow-providers-salesforce"
    assert "reverse_etl" in runtime.taskflow_decorators


def test_asking_for_the_provider_info_loads_no_client() -> None:
    """Airflow asks at every start, before it is configured: no hook, no HTTP client, not even Airflow is loaded."""
    program = (
        "import sys; from airflow_reverse_etl.provider_info import get_provider_info; get_provider_info(); "
        "heavy = {'airflow', 'requests', 'pyarrow', 'duckdb', 'simple_salesforce', 'google', 'starlette'}; "
        "print(sorted(heavy & set(sys.modules)), [m for m in sys.modules if m.endswith('.hook')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"


# --- a folder more ---------------------------------------------------------------------------------------------------


def test_a_new_folder_is_found_by_all(with_toys: None) -> None:
    """Three files make a destination: loader, options, provider info and sandbox have it, and nothing was edited."""
    assert destinations.names() == sorted(["notebook", "forgetful", "bare", *OURS])
    assert destinations.load("notebook").hook_name == "Notebook"
    assert destinations.options("notebook") == destinations.declaration("notebook").OPTIONS
    types = {connection["connection-type"] for connection in get_provider_info()["connection-types"]}
    assert types == {"notebook", "forgetful", "bare", "hubspot", "google_sheets"}
    with serve() as box:
        assert "AIRFLOW_CONN_NOTEBOOK_DEFAULT" in box.connections
        assert box.objects("notebook") == {"diary": 0}


def test_a_good_folder_works_and_a_broken_one_is_stopped(
    with_toys: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine takes no silence for success: a hook that returns too few outcomes ends the run."""
    with serve() as box:
        for variable, connection in box.connections.items():
            monkeypatch.setenv(variable, connection)
        good = _upsert("notebook", tmp_path)
        assert good.error is None
        assert good.report.succeeded["upsert"] == len(box.records("notebook", "diary")) == 8
        bad = _upsert("forgetful", tmp_path)
        assert isinstance(bad.error, FatalError)
        assert "3 outcomes for 4 records" in str(bad.error)
        assert bad.report.succeeded["upsert"] == 0
        assert bad.report.aborted == 8
        assert bad.report.imbalance() == ""


def _upsert(destination: str, store: Path) -> Ended:
    rows = pa.table({"title": [f"note {n}" for n in range(8)], "text": ["x"] * 8})
    values = {"destination": destination, "object": "diary", "job_type": "upsert", "key": "title", "batch_size": 4}
    settings = validate({**values, "sync_id": destination}, options=destinations.options(destination))
    assert settings is not None
    return Sync(
        settings=settings,
        query=lambda: nullcontext(Table(rows)),
        destination=destinations.load(destination)(),
        store=store,
        run="run",
        limits=Limitations(max_wait=5),
        log=lambda message: None,
    ).execute()


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, str]]:
    """Return `contract(destination)`: what became of each contract test, run as it stands with the toys laid beside."""
    results = tmp_path_factory.mktemp("contract") / "results.xml"
    program = [sys.executable, "-m", "pytest", "-p", "found", "-p", "no:cacheprovider", "-q", f"--junitxml={results}"]
    files = [str(HERE / name) for name in ("test_contract.py", "test_contract_declaration.py")]
    paths = os.pathsep.join([str(HERE / "toys"), str(HERE)])
    done = subprocess.run(
        [*program, "--tb=no", "-k", "notebook or forgetful or bare", *files],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr[-2000:]
    cases = list(ET.parse(results).iter("testcase"))  # noqa: S314  pytest wrote it a moment ago

    def became(destination: str) -> dict[str, str]:
        mine = [case for case in cases if destination in case.attrib["name"]]
        return {case.attrib["name"]: _became(case) for case in mine}

    return became


def _became(case: Any) -> str:
    return next((child.tag for child in case if child.tag in ("failure", "error", "skipped")), "passed")


def test_the_contract_tests_run_over_a_new_folder(contract: Callable[[str], dict[str, str]]) -> None:
    """A folder that keeps the contract passes all of them, and none is left out."""
    results = contract("notebook")
    assert len(results) > 50
    assert set(results.values()) == {"passed"}, [name for name, became in results.items() if became != "passed"]


def test_the_contract_tests_catch_a_broken_folder(contract: Callable[[str], dict[str, str]]) -> None:
    """A hook that forgets a record fails wherever records are written, and only there."""
    results = contract("forgetful")
    failed = {name.partition("[")[0] for name, became in results.items() if became == "failure"}
    assert {
        "test_new_records_hold_exactly_what_the_query_says",
        "test_an_update_changes_what_the_query_says_and_nothing_else",
        "test_a_delete_removes_what_the_query_names_and_nothing_else",
        "test_one_bad_row_is_refused_by_name_and_the_others_land",
    } <= failed
    kept = {name.partition("[")[0] for name, became in results.items() if became == "passed"}
    assert "test_its_hook_fits_its_declaration" in kept
    assert "error" not in results.values()


def test_the_contract_tests_hold_a_folder_without_data_to_what_needs_none(
    contract: Callable[[str], dict[str, str]],
) -> None:
    """Declaration, hook and connection are looked at; the rest is skipped, and says what is missing."""
    results = contract("bare")
    kept = {name.partition("[")[0] for name, became in results.items() if became == "passed"}
    assert {"test_its_hook_fits_its_declaration", "test_plain_http_to_another_machine_is_a_sentence"} <= kept
    assert set(results.values()) == {"passed", "skipped"}
