"""The sandbox as a test of a user sees it: found fakes, connections, records, settings, log, its end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from airflow_reverse_etl import destinations
from airflow_reverse_etl.sandbox import serve
from airflow_reverse_etl.sandbox.fakes import fake_classes

TOYS = str(Path(__file__).parent / "toys")


def test_a_folder_is_served_because_it_is_there(monkeypatch, tmp_path, only_toys):
    """Folders come from the path of the package; a folder without a fake is no destination of the sandbox."""
    (tmp_path / "silent").mkdir()
    (tmp_path / "silent" / "__init__.py").write_text("")
    monkeypatch.setattr(destinations, "__path__", [TOYS, str(tmp_path)])
    with serve() as box:
        assert list(box.connections) == ["AIRFLOW_CONN_TOYBOX_DEFAULT"]
        assert requests.get(f"{box.url}/toybox/red", timeout=5).json() == []


@pytest.mark.parametrize(("code", "said"), [("import no_such_module", "no_such_module"), ("", "has no class Fake")])
def test_a_broken_fake_is_never_left_out_in_silence(monkeypatch, tmp_path, code, said):
    """A fake that cannot be imported, or has no class `Fake`, stops the sandbox with the reason."""
    folder = tmp_path / f"broken{len(code)}"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "sandbox.py").write_text(code)
    monkeypatch.setattr(destinations, "__path__", [str(tmp_path)])
    with pytest.raises(ImportError, match=said):
        fake_classes()


def test_the_connections_reach_the_fakes(toybox):
    """Each is JSON text with a nested extra, under the name that Airflow reads for the default connection."""
    connection = json.loads(toybox.connections["AIRFLOW_CONN_TOYBOX_DEFAULT"])
    assert connection["host"] == f"{toybox.url}/toybox"
    assert connection["extra"] == {"base_url": f"{toybox.url}/toybox"}
    assert requests.get(f"{connection['host']}/red", timeout=5).status_code == 200


def test_a_public_url_goes_into_the_connections(only_toys):
    """Where clients dial another address than the one listened on, it is theirs that is handed out."""
    with serve(public_url="http://sandbox:8765/") as box:
        connection = json.loads(box.connections["AIRFLOW_CONN_TOYBOX_DEFAULT"])
    assert (box.url, connection["host"]) == ("http://sandbox:8765", "http://sandbox:8765/toybox")


def test_an_address_that_means_all_interfaces_is_not_handed_out(only_toys):
    """A client cannot dial 0.0.0.0, so the connections name loopback."""
    with serve(host="0.0.0.0") as box:  # noqa: S104  for the length of one request
        assert box.url.startswith("http://127.0.0.1:")
        assert requests.get(f"{box.url}/toybox/red", timeout=5).status_code == 200


def test_a_taken_port_is_one_sentence(only_toys, toybox):
    """The error names the host, the port and the way out."""
    port = int(toybox.url.rpartition(":")[2])
    with pytest.raises(
        OSError, match=rf"cannot listen on 127\.0\.0\.1 port {port}: Address already in use\. Give another"
    ):
        serve(port).__enter__()


def test_small_answers_do_not_wait_for_acknowledgements(toybox):
    """The listening socket, from which every connection inherits, has Nagle's algorithm off."""
    listener = toybox._runner._listener
    assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_seeded_and_written_records_are_there(toybox, create):
    """What was put in by hand and what came by HTTP is held together, counted, and copied out."""
    assert toybox.seed("toybox", "red", [{"id": "seeded"}]) == ["0"]
    create("ball")
    before = toybox.records("toybox", "red")
    assert before == [{"id": "seeded"}, {"id": 1, "properties": {"name": "ball"}}]
    toybox.fake("toybox").boxes["red"][1]["properties"]["name"] = "changed later"
    assert before[1]["properties"] == {"name": "ball"}
    assert toybox.objects("toybox") == {"red": 2}


def test_objects_are_defined_in_the_terms_of_the_destination(toybox):
    """Arguments reach the fake; one that it does not take is refused in a sentence."""
    toybox.define("toybox", "blue", colour="azure")
    assert toybox.objects("toybox") == {"blue": 0}
    assert toybox.settings("toybox")["plan"] == "azure"
    with pytest.raises(ValueError, match=r"define takes .*unexpected keyword argument 'size'"):
        toybox.define("toybox", "green", size=3)


def test_settings_change_what_the_fake_does(toybox, create):
    """A limit that is turned down holds for the next request."""
    assert create("a", "b").status_code == 201
    assert toybox.settings("toybox", max_inputs=1)["max_inputs"] == 1
    assert create("a", "b").status_code == 400
    assert toybox.violations("toybox") == [
        {
            "destination": "toybox",
            "method": "POST",
            "path": "/toybox/red/batch",
            "status": 400,
            "reason": "too many inputs",
        }
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"max_input": 1}, "toybox has no setting 'max_input'; there are: latency_seconds, max_inputs, strict, plan"),
        ({"max_inputs": "1"}, "'max_inputs' of toybox is a number, for example 100"),
        ({"strict": 1}, "'strict' of toybox is a switch, for example True"),
        ({"latency_seconds": 1, "strict": "no"}, "is a switch"),
    ],
)
def test_a_setting_that_makes_no_sense_changes_nothing(toybox, changes, said):
    """The sentence says what there is, and no setting of that call is changed."""
    before = toybox.settings("toybox")
    with pytest.raises(ValueError, match=said):
        toybox.settings("toybox", **changes)
    assert toybox.settings("toybox") == before


def test_a_setting_may_be_unset_or_first_set(toybox):
    """Where one of both is None there is no kind to compare."""
    assert toybox.settings("toybox", plan="pro")["plan"] == "pro"
    assert toybox.settings("toybox", plan=None)["plan"] is None


def test_reset_forgets_everything(toybox, create):
    """Records, settings, violations, faults and log are as at the start, and the connections are the same."""
    connections = toybox.connections
    create(*"ab")
    toybox.settings("toybox", max_inputs=0)
    create()
    toybox.faults("toybox", "html")
    toybox.reset()
    assert (toybox.objects("toybox"), toybox.violations(), toybox.faults(), toybox.log) == ({}, [], [], [])
    assert toybox.settings("toybox")["max_inputs"] == 100
    assert toybox.connections == connections
    create()
    toybox.reset("toybox")
    assert (toybox.objects("toybox"), toybox.log) == ({}, [])
    with pytest.raises(ValueError, match="no destination 'crm'"):
        toybox.reset("crm")


def test_a_request_is_in_the_log_when_its_answer_arrives(toybox, create):
    """Destination, method, path, status, time, size and records of each request are kept, in order."""
    create("ball", "kite")
    toybox.settings("toybox", latency_seconds=0.05)
    create("ball")
    first, second = toybox.log
    assert (first.destination, first.method, first.path, first.status) == ("toybox", "POST", "/red/batch", 201)
    assert (first.records, first.fault, first.request_bytes) == (
        2,
        None,
        len('{"inputs": [{"name": "ball"}, {"name": "kite"}]}'),
    )
    assert second.milliseconds >= 50 > first.milliseconds
    assert second.time > first.time


def test_the_length_of_a_chunked_request_is_unknown(toybox, client):
    """A client that announces no length gets None in the log, one that sends no body gets 0."""
    client.post(f"{toybox.url}/toybox/red/batch", data=iter([b'{"inputs": []}']), timeout=5)
    client.get(f"{toybox.url}/toybox/red", timeout=5)
    assert [entry.request_bytes for entry in toybox.log] == [None, 0]


def test_the_log_of_the_process_is_left_alone(toybox, create, caplog):
    """No line is written for a request, at the usual level: a test's own output stays readable."""
    caplog.set_level("INFO")
    caplog.set_level("INFO", "uvicorn.access")
    create()
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_no_secret_enters_the_log(toybox, client):
    """Neither header, query string, body nor a token in the path is kept."""
    client.post(
        f"{toybox.url}/toybox/red/tokens/s3cret?access_token=s3cret",
        json={"inputs": [{"password": "s3cret"}]},
        headers={"Authorization": "Bearer s3cret"},
        timeout=5,
    )
    assert [entry.path for entry in toybox.log] == ["/red/tokens/…"]
    assert "s3cret" not in repr(toybox.log)


def test_an_endpoint_that_is_not_faked_is_a_violation(toybox, client):
    """It is answered 404 and counted, so that a test does not pass by accident."""
    answer = client.put(f"{toybox.url}/toybox/red/green/blue", timeout=5)
    assert (answer.status_code, answer.json()) == (404, {"error": "the sandbox fakes no such endpoint"})
    assert [(entry["method"], entry["status"]) for entry in toybox.violations()] == [("PUT", 404)]
    assert [entry.status for entry in toybox.log] == [404]


def test_a_method_that_is_not_faked_is_logged_and_can_be_struck(toybox, client):
    """What routing refuses passes through faults and log like any answer."""
    assert client.delete(f"{toybox.url}/toybox/red/batch", timeout=5).status_code == 405
    toybox.faults("toybox", "drop_after_commit", method="DELETE")
    with pytest.raises(requests.ConnectionError):
        client.delete(f"{toybox.url}/toybox/red/batch", timeout=5)
    assert [entry.status for entry in toybox.log] == [405, None]


def test_a_path_is_not_redirected_to_its_neighbour(toybox, client):
    """A slash too many is another path, as it is for the vendors."""
    assert client.get(f"{toybox.url}/toybox/red/", timeout=5, allow_redirects=False).status_code == 404


def test_a_mistake_in_a_fake_is_seen(toybox, client, caplog):
    """It is answered 500, in the log as 500, and its traceback goes to the server's logger."""
    assert client.post(f"{toybox.url}/toybox/red/bug", timeout=5).status_code == 500
    assert [entry.status for entry in toybox.log] == [500]
    assert "a mistake in the fake" in caplog.text


def test_a_wrong_address_says_what_there_is(toybox, client):
    """A base URL with a typing error in it leads to a sentence that lists the right ones."""
    answer = client.post(f"{toybox.url}/toyboxx/red", timeout=5)
    assert answer.status_code == 404
    assert "the destinations are at /toybox" in answer.json()["error"]


@pytest.fixture
def hasty_threads():
    """Let threads take turns a thousand times as often as usual, so that a race shows."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 1000)
    yield
    sys.setswitchinterval(usual)


def test_state_is_whole_while_requests_run(toybox, hasty_threads):
    """Readers in other threads never see half of a batch, and no request is lost."""
    seen, finished = [], threading.Event()

    def read():
        while not finished.is_set():
            seen.append(toybox.objects("toybox")["red"])

    def write():
        with requests.Session() as session:
            for _ in range(25):
                session.post(f"{toybox.url}/toybox/red/batch", json={"inputs": [{}] * 100}, timeout=5)

    toybox.seed("toybox", "red", [])
    reader, writers = threading.Thread(target=read), [threading.Thread(target=write) for _ in range(4)]
    for thread in [reader, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    finished.set()
    reader.join()
    assert toybox.objects("toybox") == {"red": 10_000}
    assert len(toybox.log) == 100
    assert seen == sorted(seen)
    assert all(count % 100 == 0 for count in seen)


def test_what_was_held_can_be_read_after_the_end(only_toys):
    """A test may look at the records when the server has stopped, and the port is free again."""
    with serve() as box:
        requests.post(f"{box.url}/toybox/red/batch", json={"inputs": [{}]}, timeout=5)
    assert box.objects("toybox") == {"red": 1}
    with serve(int(box.url.rpartition(":")[2])) as again:
        assert again.objects("toybox") == {}


def test_two_sandboxes_do_not_meet(only_toys, toybox, create):
    """Each `serve` has records, faults and log of its own."""
    with serve() as other:
        create("ball")
        toybox.faults("toybox", "html")
        assert (other.objects("toybox"), other.log, other.faults()) == ({}, [], [])


def test_importing_the_sandbox_loads_no_server():
    """The package is light: the web framework is loaded when something is served."""
    code = "import sys, airflow_reverse_etl.sandbox; print({'uvicorn', 'starlette'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "set()\n"


def test_the_package_has_only_the_names_that_it_promises():
    """A wrong name is the usual error."""
    from airflow_reverse_etl import sandbox

    assert sandbox.Sandbox.__name__ == "Sandbox"
    with pytest.raises(AttributeError, match="no attribute 'server_of_dreams'"):
        _ = sandbox.server_of_dreams
