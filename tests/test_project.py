"""The files around the package: what a user installs, starts with Compose or Astro, or calls by make, fits the code."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
ASTRO = yaml.safe_load((ROOT / "astro" / "docker-compose.override.yml").read_text())
SETTINGS = yaml.safe_load((ROOT / "astro" / "airflow_settings.yaml").read_text())
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
AIRFLOW_PARTS = ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")
ONE_SHOTS = {"airflow-init", "seed"}
EXAMPLES = sorted((ROOT / "example_dags").glob("*.py"))


def compose_connections() -> dict[str, dict[str, Any]]:
    """Return conn id → connection, as the Compose file gives them to Airflow."""
    environment = COMPOSE["services"]["airflow-scheduler"]["environment"]
    prefix = "AIRFLOW_CONN_"
    return {name.removeprefix(prefix).lower(): json.loads(text) for name, text in environment.items() if prefix in name}


def astro_connections() -> dict[str, dict[str, Any]]:
    """Return conn id → connection, as the Astro CLI writes them into Airflow; in the words of the Compose file."""
    found = {}
    for entry in SETTINGS["airflow"]["connections"]:
        words = {name.removeprefix("conn_"): value for name, value in entry.items() if value is not None}
        conn_id = words.pop("id")
        words["conn_type"] = words.pop("type")
        if "extra" in words:
            words["extra"] = json.loads(words["extra"])
        found[conn_id] = words
    return found


def without_blanks(connection: dict[str, Any]) -> dict[str, Any]:
    """Return a connection without the fields that say nothing."""
    return {name: value for name, value in connection.items() if value not in ("", {}, None)}


def test_docker_itself_accepts_the_compose_file() -> None:
    """Where Docker Compose is installed, it reads the file; elsewhere the tests below stand for it."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        subprocess.run([docker, "compose", "config", "--quiet"], cwd=ROOT, check=True)
    assert set(COMPOSE) - {"name", "services", "volumes"} == {"x-image", "x-airflow"}


@pytest.mark.parametrize("services", [COMPOSE["services"], ASTRO["services"]], ids=["compose", "astro"])
def test_services_wait_for_services_that_are_there(services: dict[str, Any]) -> None:
    """Whoever waits names a service of the file: healthy if it keeps running, completed if it ends."""
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            ends = other in ONE_SHOTS
            assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy"), (name, other)
            assert ends or "healthcheck" in services[other], other


def test_every_service_that_keeps_running_says_whether_it_is_well() -> None:
    """`docker compose up --wait` returns when all is ready, for each part can be asked."""
    services = COMPOSE["services"]
    assert set(AIRFLOW_PARTS) | ONE_SHOTS | {"postgres", "sandbox", "warehouse"} == set(services)
    assert {name for name, service in services.items() if "healthcheck" not in service} == ONE_SHOTS


@pytest.mark.parametrize("services", [COMPOSE["services"], ASTRO["services"]], ids=["compose", "astro"])
def test_nothing_is_published_beyond_this_machine(services: dict[str, Any]) -> None:
    """The sandbox guards nothing and Airflow asks for no login: both are on loopback only."""
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published["sandbox"] == ["127.0.0.1:8765:8765"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_all_parts_of_airflow_share_one_store() -> None:
    """State that one container writes, another one reads: the store is a volume that all of them mount."""
    for name in AIRFLOW_PARTS:
        service = COMPOSE["services"][name]
        path = service["environment"]["AIRFLOW__REVERSE_ETL__STORE_PATH"].removeprefix("file://")
        assert f"store:{path}" in service["volumes"]
        assert re.search(rf"^RUN mkdir -p .*{path}\b", (ROOT / "docker" / "Dockerfile").read_text(), re.MULTILINE)
    for name in ("scheduler", "triggerer"):
        service = ASTRO["services"][name]
        path = service["environment"]["AIRFLOW__REVERSE_ETL__STORE_PATH"].removeprefix("file://")
        assert f"reverse_etl_store:{path}" in service["volumes"]
        assert re.search(rf"^RUN mkdir -p .*{path}\b", (ROOT / "astro" / "Dockerfile").read_text(), re.MULTILINE)


def test_volumes_and_mounted_files_exist() -> None:
    """A path that is not there would be made by Docker, as an empty folder of root's."""
    for folder, file in ((ROOT, COMPOSE), (ROOT / "astro", ASTRO)):
        for service in file["services"].values():
            for source in (volume.partition(":")[0] for volume in service.get("volumes", [])):
                assert (folder / source).exists() if source.startswith(".") else source in file["volumes"], source


def test_the_connections_are_those_that_the_sandbox_gives() -> None:
    """Compose presets, for every destination, the connection that the sandbox itself would print."""
    from airflow_reverse_etl.sandbox import serve

    with serve(public_url="http://sandbox:8765") as box:
        printed = {
            name.removeprefix("AIRFLOW_CONN_").lower(): json.loads(text) for name, text in box.connections.items()
        }
    preset = compose_connections()
    assert set(preset) == {*printed, "warehouse"}
    for conn_id, connection in printed.items():
        if "keyfile_dict" in connection["extra"]:  # made anew at each start: the seed leaves it in a file
            connection["extra"] = {"key_path": COMPOSE["services"]["seed"]["environment"]["GOOGLE_KEY"]}
        assert without_blanks(preset[conn_id]) == without_blanks(connection), conn_id


def test_astro_has_the_connections_of_compose() -> None:
    """Both ways of starting give the example DAGs the same connections; only the path of the key differs."""
    astro, compose = astro_connections(), compose_connections()
    assert (
        astro["google_sheets_default"].pop("extra")["key_path"]
        == ASTRO["services"]["seed"]["environment"]["GOOGLE_KEY"]
    )
    compose["google_sheets_default"].pop("extra")
    assert astro == compose


def test_the_connections_lead_to_services() -> None:
    """The hosts are services of the file, and the sandbox is the one that plain http is allowed to."""
    warehouse = compose_connections()["warehouse"]
    for services in (COMPOSE["services"], ASTRO["services"]):
        made = services[warehouse["host"]]["environment"]
        assert made["POSTGRES_USER"] == warehouse["login"]
        assert made["POSTGRES_PASSWORD"] == warehouse["password"]
        assert made["POSTGRES_DB"] == warehouse["schema"]
    for service in (COMPOSE["services"]["airflow-scheduler"], ASTRO["services"]["scheduler"]):
        assert service["environment"]["AIRFLOW__REVERSE_ETL__INSECURE_HOSTS"] == "sandbox"


def test_the_example_dags_use_connections_that_are_preset() -> None:
    """Each connection that an example names exists in Compose and in Astro."""
    named = {conn_id for path in EXAMPLES for conn_id in re.findall(r'conn_id="(\w+)"', path.read_text())}
    assert named
    assert named <= set(compose_connections())


def test_images_run_the_airflow_that_we_develop_on() -> None:
    """The image of Compose, the one of Astro, and constraints.txt are of one Airflow."""
    (ours,) = re.findall(r"^apache-airflow==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert f"FROM apache/airflow:{ours}-" in (ROOT / "docker" / "Dockerfile").read_text()
    (image,) = re.findall(r"^FROM (\S+)$", (ROOT / "astro" / "Dockerfile").read_text(), re.MULTILINE)
    assert image.rpartition(":")[2].startswith(ours.rpartition(".")[0] + "-")
    assert {ASTRO["services"][name]["image"] for name in ("sandbox", "seed")} == {image}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built as `make astro` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("airflow_provider_reverse_etl-*-py3-none-any.whl")
    return built


def test_the_wheel_holds_what_is_promised(wheel: Path) -> None:
    """The wheel brings types, example DAGs, the sandbox's page and the licence, and neither tests nor tools."""
    names = set(ZipFile(wheel).namelist())
    promised = {
        "py.typed",
        "provider_info.py",
        "sandbox/static/page.html",
        *(f"example_dags/{path.name}" for path in EXAMPLES),
    }
    assert {f"airflow_reverse_etl/{name}" for name in promised} <= names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    roots = {name.partition("/")[0].partition("-")[0] for name in names}
    assert roots == {"airflow_reverse_etl", "airflow_provider_reverse_etl"}


def test_astro_finds_every_example_dag(wheel: Path, tmp_path: Path) -> None:
    """With the wheel installed, the loader in astro/dags shows Airflow the DAGs of all packaged examples."""
    ZipFile(wheel).extractall(tmp_path)
    program = (
        "import json, sys; from airflow.dag_processing.dagbag import DagBag\n"
        "DagBag(dag_folder=sys.argv[1]); found = DagBag(dag_folder=sys.argv[1])\n"  # the modules are loaded by now
        "print(json.dumps([found.import_errors, sorted(found.dags)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT / "astro" / "dags")],
        cwd=tmp_path,  # first on the path, before the editable install
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [{}, [path.stem for path in EXAMPLES]]


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-oldest.txt"])
def test_constraints_name_no_package_index(name: str) -> None:
    """Only names and exact versions: where packages come from is the machine's business."""
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[\w.\[\]-]+==[\w.+!]+( ; .+)?", line)] == []


def test_the_oldest_constraints_are_the_lower_bounds() -> None:
    """`make test-oldest` tests what pyproject.toml promises: each direct dependency at the lowest version allowed."""
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints-oldest.txt").read_text(), re.MULTILINE))
    promised = [*PYPROJECT["project"]["dependencies"], *PYPROJECT["project"]["optional-dependencies"]["salesforce"]]
    for requirement in promised:
        name, bound = re.fullmatch(r"([\w.-]+)>=([\d.]+)", requirement).groups()
        assert pinned[name].startswith(bound), requirement


def test_what_the_package_says_of_itself() -> None:
    """Package indexes and Airflow find a provider by these marks."""
    said = metadata.metadata("airflow-provider-reverse-etl")
    assert {"Framework :: Apache Airflow", "Framework :: Apache Airflow :: Provider", "Typing :: Typed"} <= set(
        said.get_all("Classifier")
    )
    assert said["License-Expression"] == "Apache-2.0"
    (entry,) = [
        entry
        for entry in metadata.entry_points(group="apache_airflow_provider")
        if entry.dist.name == "airflow-provider-reverse-etl"
    ]
    info = entry.load()()
    assert info["package-name"] == "airflow-provider-reverse-etl"
    assert info["versions"] == [said["Version"]]


def test_make_alone_explains_every_target() -> None:
    """`make` prints a line for each target that the Makefile has."""
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    shown = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert {line.split()[0] for line in shown.stdout.splitlines()} == set(phony.split())


def test_continuous_integration_does_what_a_user_does() -> None:
    """`.ci/run` calls `make lint` and `make test`, and nothing that a user would not have."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if line.startswith("make")] == ["make lint", "make test"]
    assert len([line for line in lines if line and not line.startswith(("#", "set ", "cd "))]) == len(["lint", "test"])
