"""`make airflow`: a standalone Airflow with the example DAGs, a warehouse and the sandbox, on this machine, to click.

Everything runs until Ctrl-C (or SIGTERM, or the end of the terminal), and nothing of it is left then. Only one can run
at a time, for it begins with an empty `.airflow/standalone`.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil

from demo import home
from demo.home import say

PATIENCE = 240  # seconds for Airflow to start; about 25 on an idle machine
GRACE = 10  # seconds for Airflow to stop by itself
STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(Exception):
    """Somebody wants us to stop."""


def main() -> int:
    """Run Airflow and the sandbox until somebody stops them; return 0, or 1 if Airflow could not start."""
    for number in STOP:
        signal.signal(number, stop)
    try:
        with only_one():
            return run(home.make("standalone"))
    except StoppedError:
        say("Stopped.")
        return 0


def stop(*_: object) -> None:
    """Leave what is going on. A second signal must not interrupt the clearing up."""
    for number in STOP:
        signal.signal(number, signal.SIG_IGN)
    raise StoppedError


@contextmanager
def only_one() -> Iterator[None]:
    """Keep others out of our folder for as long as this process lives."""
    folder = home.ROOT / ".airflow"
    folder.mkdir(exist_ok=True)
    with (folder / "standalone.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit("`make airflow` runs already, in another terminal; stop it there first.")
        yield


def run(folder: Path) -> int:
    """Serve the sandbox from this process and Airflow from its own; wait."""
    from airflow_reverse_etl.sandbox import serve
    from demo.warehouse import fill

    say("Starting the sandbox and Airflow; this takes half a minute ...")
    with serve(free_port(8765)) as box:
        fill(box, home.warehouse(folder))
        port = free_port(8080)
        environment = airflow_environment(folder, port) | box.connections
        with airflow(environment, folder / "airflow.log") as process:
            if not wait_until_healthy(process, f"http://localhost:{port}"):
                say(f"Airflow did not start. The end of {folder / 'airflow.log'}:\n{tail(folder / 'airflow.log')}")
                return 1
            say_where_things_are(folder, port, box.url)
            process.wait()
    say(f"Airflow has ended by itself. The end of {folder / 'airflow.log'}:\n{tail(folder / 'airflow.log')}")
    return 1


def airflow_environment(folder: Path, port: int) -> dict[str, str]:
    """Return an Airflow that asks for no password, and that nobody but this machine can reach."""
    return home.environment(folder) | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # its parts are started by name
        "PYTHONUNBUFFERED": "1",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://localhost:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT": "1",  # DuckDB lets one process at a time into its file
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port(8793)),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port(8794)),
    }


def free_port(wanted: int) -> int:
    """Return the port that is wanted, or any free one if another program has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just ended is no obstacle
        try:
            probe.bind(("", wanted))
        except OSError:
            probe.bind(("", 0))
        return int(probe.getsockname()[1])


@contextmanager
def airflow(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `airflow standalone` in a session of its own: by that, all that it starts can be found again, and ended."""
    command = [sys.executable, "-m", "airflow", "standalone"]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  our own program
            command, env=environment, cwd=home.ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        end_session(process)


def end_session(leader: subprocess.Popen[bytes]) -> None:
    """Ask every process of the session to end; after a while, make it end."""
    say("\nStopping Airflow ...")
    tell(leader, signal.SIGTERM)
    until = time.monotonic() + GRACE
    while members(leader) and time.monotonic() < until:
        time.sleep(0.1)
    while members(leader):
        tell(leader, signal.SIGKILL)
        time.sleep(0.1)


def tell(leader: subprocess.Popen[bytes], what: signal.Signals) -> None:
    """Send a signal to every process of a session."""
    for pid in members(leader):
        with suppress(ProcessLookupError):
            os.kill(pid, what)


def members(leader: subprocess.Popen[bytes]) -> list[int]:
    """Return the living processes of a session; Airflow gives each task a process group of its own within it."""
    leader.poll()  # else its ended process stays as a zombie
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(process.pid) == leader.pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def wait_until_healthy(process: subprocess.Popen[bytes], address: str) -> bool:
    """Return whether every part of Airflow is well and every example DAG is there, within `PATIENCE`."""
    until = time.monotonic() + PATIENCE
    examples = len(list(home.DAGS.glob("*.py")))
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.5)
        try:
            parts = ask(f"{address}/api/v2/monitor/health")
            token = ask(f"{address}/auth/token")["access_token"]
            known = ask(f"{address}/api/v2/dags", token)["total_entries"]
        except OSError:
            continue
        if all(part["status"] == "healthy" for part in parts.values()) and known >= examples:
            return True
    return False


def ask(address: str, token: str = "") -> Any:
    """Return the answer to a GET, as JSON."""
    request = Request(address, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310  our own
    with urlopen(request, timeout=5) as answer:  # noqa: S310
        return json.load(answer)


def tail(path: Path) -> str:
    """Return the last lines of a file."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-20:])


def say_where_things_are(folder: Path, port: int, sandbox: str) -> None:
    """Print the addresses, and what to click first."""
    say(f"""
  Airflow       http://localhost:{port}   (no login: whoever opens it is an admin; this machine only)
  The sandbox   {sandbox}   (what Salesforce, HubSpot and Google Sheets hold now)

Try this: trigger the DAG `account_scoring`, and see the scores arrive in the sandbox; trigger it again, and nothing is
sent. Then trigger `trigger_a_sync` and fill in its form.

Airflow's own messages: {(folder / "airflow.log").relative_to(home.ROOT)}
Ctrl-C ends all of it.""")


if __name__ == "__main__":
    sys.exit(main())
