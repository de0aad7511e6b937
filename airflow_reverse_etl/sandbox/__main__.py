"""The command: serve the sandbox until it is stopped, and print the connections that lead to it."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from airflow_reverse_etl.sandbox.server import Sandbox

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    from airflow_reverse_etl.sandbox.server import serve

    options = _parser().parse_args(arguments)
    try:
        with serve(options.port, options.host, public_url=options.public_url) as box:
            stop = threading.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stop.set())
            print("\n".join(greeting(box)), flush=True)
            stop.wait()
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def greeting(box: Sandbox) -> list[str]:
    """Return the lines that the command prints: a shell can take them as they are."""
    host = urlsplit(box.url).hostname or ""
    lines = [
        f"# Sandbox at {box.url} (open it in a browser); Ctrl-C ends it.",
        "# Paste this where Airflow is started:",
    ]
    lines += ["set -a", *(f"{name}={shlex.quote(connection)}" for name, connection in box.connections.items())]
    if host not in _LOOPBACK:
        # Plain http carries the connection's secret: Airflow's side must be told that this host is meant.
        lines.append(f"AIRFLOW__REVERSE_ETL__INSECURE_HOSTS={shlex.quote(host)}")
    return [*lines, "set +a"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m airflow_reverse_etl.sandbox", description=__doc__)
    parser.add_argument(
        "--port", type=_port, default=8765, help="port to listen on; 0 takes a free one (default: 8765)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; others than loopback let other machines in"
    )
    parser.add_argument("--public-url", help="address in the printed connections, if clients dial another one")
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        message = f"{text!r} is not a port: give a number from 0 to 65535"
        raise argparse.ArgumentTypeError(message)
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
