"""The command that serves the sandbox until it is stopped."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from airflow_reverse_etl.sandbox.__main__ import main

TOYS = str(Path(__file__).parent / "toys")

# The command itself, with the toy as the only destination.
COMMAND = f"""
import sys
from airflow_reverse_etl import destinations
destinations.__path__ = [{TOYS!r}]
from airflow_reverse_etl.sandbox.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def start():
    """Return `start(*options)`: it starts the command and returns the process and the lines that it has printed."""
    started = []

    def start(*options):
        process = subprocess.Popen([sys.executable, "-c", COMMAND, *options], stdout=subprocess.PIPE, text=True)
        started.append(process)
        lines = []
        while not lines or lines[-1] != "set +a":
            line = process.stdout.readline()
            assert line, f"the command ended after {lines}"
            lines.append(line.rstrip("\n"))
        return process, lines

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(start, number):
    """Ctrl-C and SIGTERM end it in good order."""
    process, lines = start("--port", "0")
    address = lines[0].split()[3]
    assert requests.get(f"{address}/toybox/red", timeout=5).json() == []
    process.send_signal(number)
    assert process.wait(10) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=5)


def test_a_shell_takes_the_printed_lines_as_they_are(start):
    """After pasting them, a program that the shell starts has the connection, quotes and all."""
    _, lines = start("--port", "0")
    script = "\n".join([*lines, f"{sys.executable} -c 'import os; print(os.environ[\"AIRFLOW_CONN_TOYBOX_DEFAULT\"])'"])
    shell = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True)
    connection = json.loads(shell.stdout)
    assert connection["password"] == "it's"
    assert connection["extra"]["base_url"] == f"{lines[0].split()[3]}/toybox"
    assert [line for line in lines if line.startswith("AIRFLOW_CONN_")] == [lines[3]]


def test_another_host_must_be_allowed_on_the_other_side(start):
    """With a public address the line that lets Airflow use plain http to it is printed too."""
    _, lines = start("--port", "0", "--host", "127.0.0.1", "--public-url", "http://sandbox:8765")
    assert "AIRFLOW__REVERSE_ETL__INSECURE_HOSTS=sandbox" in lines
    assert "http://sandbox:8765/toybox" in lines[3]


def test_a_taken_port_is_one_sentence_and_exit_code_1(capsys, only_toys):
    """Nothing but the sentence is printed."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    reason = f"{os.strerror(errno.EADDRINUSE)}. Give another port or host."
    assert printed.err == f"The sandbox cannot listen on 127.0.0.1 port {port}: {reason}\n"


@pytest.mark.parametrize("port", ["http", "-1", "70000", "1.5"])
def test_a_wrong_port_is_refused(capsys, port):
    """The option's own error says what a port is."""
    with pytest.raises(SystemExit, match="2"):
        main([f"--port={port}"])
    assert f"{port!r} is not a port: give a number from 0 to 65535" in capsys.readouterr().err
