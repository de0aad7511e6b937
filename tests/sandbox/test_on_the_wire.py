"""What a client meets when a generic fault strikes, below both of uvicorn's HTTP parsers and both event loops."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from uvicorn.loops import auto as loops
from uvicorn.loops.asyncio import asyncio_loop_factory
from uvicorn.protocols.http import auto as protocols
from uvicorn.protocols.http.h11_impl import H11Protocol

from airflow_reverse_etl import destinations
from airflow_reverse_etl.sandbox import serve
from airflow_reverse_etl.sandbox.modes import MODES

BODY = b'{"inputs": [{"name": "ball"}, {"name": "kite"}]}'


@pytest.fixture(params=["httptools and uvloop", "h11 and asyncio"], scope="module")
def toybox_server(request):
    """Serve once as it is installed here, once as on a machine that has neither httptools nor uvloop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(destinations, "__path__", [str(Path(__file__).parent / "toys")])
        if request.param == "h11 and asyncio":
            patch.setattr(protocols, "AutoHTTPProtocol", H11Protocol)
            patch.setattr(loops, "auto_loop_factory", asyncio_loop_factory)
        with serve() as box:
            yield box


def raw_answer(box) -> bytes:
    """Send a request over a bare socket; return every byte that comes back before the connection ends."""
    address = urlsplit(box.url)
    head = f"POST /toybox/red/batch HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(BODY)}\r\n\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(head.encode() + BODY)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


@pytest.mark.parametrize(("mode", "landed"), [("drop_before", 0), ("drop_after_commit", 2)])
def test_a_dropped_connection_brings_not_one_byte(toybox, held, mode, landed):
    """The client reads the end of the connection, and the fake holds the toys only if the drop came after the work."""
    toybox.faults("toybox", mode)
    assert raw_answer(toybox) == b""
    assert held() == landed
    assert [(entry.status, entry.fault) for entry in toybox.log] == [(None, mode)]


@pytest.mark.parametrize(("mode", "landed"), [("drop_before", 1), ("drop_after_commit", 2)])
def test_a_dropped_connection_is_a_connection_error_for_requests(toybox, create, held, mode, landed):
    """The client cannot tell whether the work was done; the next call gets through."""
    toybox.faults("toybox", mode, nth=1)
    with pytest.raises(requests.ConnectionError):
        create("ball")
    assert create("kite").status_code == 201
    assert held() == landed


def test_a_delay_holds_the_work_back(toybox, create, held):
    """Nothing is written while the request waits, and the work is done although the client has gone."""
    toybox.faults("toybox", "delay", seconds=0.4)
    with pytest.raises(requests.ReadTimeout):
        create("ball", timeout=0.1)
    assert held() == 0
    until(lambda: held() == 1)


def test_a_delay_after_commit_holds_the_answer_back(toybox, create, held):
    """The toys are there before the answer is."""
    toybox.faults("toybox", "delay_after_commit", seconds=0.4)
    with pytest.raises(requests.ReadTimeout):
        create("ball", timeout=0.1)
    assert held() == 1
    until(lambda: [entry.status for entry in toybox.log] == [201])


def test_a_status_comes_with_body_and_headers(toybox, create, held):
    """What was given is answered, and the fake has seen nothing."""
    body = {"category": "RATE_LIMITS"}
    toybox.faults("toybox", "status", status=429, body=body, headers={"Retry-After": 3}, nth=1)
    answer = create()
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (429, body, "3")
    assert answer.headers["content-type"] == "application/json"
    assert held() == 0
    assert create().status_code == 201


def test_a_status_after_commit_hides_the_work(toybox, create, held):
    """The answer says 524, the toy is there."""
    toybox.faults("toybox", "status", status=524, body="a timeout occurred", commit=True)
    answer = create()
    assert (answer.status_code, answer.text, held()) == (524, "a timeout occurred", 1)


@pytest.mark.parametrize(("status", "title"), [(502, "502 Bad Gateway"), (521, "521 Error")])
def test_html_in_place_of_json(toybox, create, held, status, title):
    """A page like a load balancer's is answered, with its content type, also for a status that no standard names."""
    toybox.faults("toybox", "html", status=status)
    answer = create()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html")
    assert f"<h1>{title}</h1>" in answer.text
    assert held() == 0


@pytest.mark.parametrize(("arguments", "landed"), [({}, 1), ({"commit": False, "status": 204}, 0)])
def test_an_empty_body(toybox, create, held, arguments, landed):
    """A good status with nothing in it, after the work or without it."""
    toybox.faults("toybox", "empty_body", **arguments)
    answer = create()
    assert (answer.status_code, answer.content) == (arguments.get("status", 200), b"")
    assert held() == landed


@pytest.mark.parametrize("commit", [True, False])
def test_a_truncated_body_announces_more_than_it_brings(toybox, create, held, commit):
    """The length in the header is the whole one, and half of it arrives."""
    toybox.faults("toybox", "truncated_body", commit=commit)
    head, _, body = raw_answer(toybox).partition(b"\r\n\r\n")
    announced = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert 0 < len(body) < announced
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        create()
    assert held() == (3 if commit else 0)


def test_a_chunked_body_without_its_end(toybox, create, held):
    """Chunks arrive, the last one never does."""
    toybox.faults("toybox", "chunked_cut")
    received = raw_answer(toybox)
    assert b"transfer-encoding: chunked" in received.lower()
    assert not received.endswith(b"0\r\n\r\n")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        create()
    assert held() == 3


def test_a_reset_in_the_middle_of_the_body(toybox, held):
    """The first half arrives, then the read fails with a reset; it does not just end."""
    toybox.faults("toybox", "reset_mid_body")
    with pytest.raises(ConnectionResetError):
        raw_answer(toybox)
    assert held() == 2


@pytest.mark.parametrize("mode", ["invalid_json", "not_json"])
def test_a_well_formed_answer_that_is_no_json(toybox, create, held, mode):
    """The status is the fake's own and all announced bytes arrive, but they cannot be read as JSON."""
    toybox.faults("toybox", mode)
    answer = create()
    assert answer.status_code == 201
    assert len(answer.content) == int(answer.headers["content-length"])
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert held() == 1


def test_a_kept_alive_connection_that_is_closed_while_idle(toybox):
    """The answer promises to keep the connection, then the server closes it."""
    toybox.faults("toybox", "stale_keep_alive", nth=1)
    head, _, body = raw_answer(toybox).partition(b"\r\n\r\n")
    assert b"connection: close" not in head.lower()
    assert len(json.loads(body)["results"]) == 2


def test_a_kept_alive_connection_that_dies_as_it_is_used_again(toybox, held):
    """The next request on that connection gets no byte and reaches nothing; one on a new connection does."""
    toybox.faults("toybox", "stale_keep_alive", when="next", nth=1)
    connection = http.client.HTTPConnection(urlsplit(toybox.url).netloc, timeout=5)
    connection.request("POST", "/toybox/red/batch", BODY)
    assert connection.getresponse().read()
    first = connection.sock
    connection.request("POST", "/toybox/red/batch", BODY)
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    assert held() == 2
    connection.close()
    connection.request("POST", "/toybox/red/batch", BODY)
    assert connection.getresponse().status == 201
    assert connection.sock is not first
    connection.close()
    assert [(entry.status, entry.fault) for entry in toybox.log][1] == (None, "stale_keep_alive")


@pytest.mark.parametrize("path", ["red/batch", "v2/red/many"])
def test_a_request_that_is_delivered_twice(toybox, client, held, path):
    """The fake does the work twice, and the second answer goes out, also below a mounted path."""
    toybox.faults("toybox", "deliver_twice")
    answer = client.post(f"{toybox.url}/toybox/{path}", data=BODY, timeout=5)
    assert [toy["id"] for toy in answer.json()["results"]] == [2, 3]
    assert held() == 4


def test_a_redirect_leads_away_from_the_api(toybox, create, client, held):
    """A client that follows it ends on a page of HTML; one that does not sees the redirect."""
    toybox.faults("toybox", "redirect")
    assert create().headers["content-type"].startswith("text/html")
    seen = client.post(f"{toybox.url}/toybox/red/batch", data=BODY, allow_redirects=False, timeout=5)
    assert (seen.status_code, seen.headers["location"]) == (302, "/_sandbox/elsewhere")
    assert held() == 0


@pytest.mark.parametrize("faults", [[], ["drop_after_commit"]])
def test_a_client_that_hangs_up_in_the_middle_of_its_request(toybox, held, caplog, faults):
    """Nothing is done, the request is in the log without a status, and the server has logged no mistake of its own."""
    for mode in faults:
        toybox.faults("toybox", mode)
    address = urlsplit(toybox.url)
    head = f"POST /toybox/red/batch HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(head.encode() + BODY)
    until(lambda: [entry.status for entry in toybox.log] == [None])
    assert held() == 0
    assert caplog.records == []


@pytest.mark.parametrize("mode", sorted(MODES))
def test_every_mode_leaves_the_server_whole(toybox, create, client, mode, caplog):
    """After any fault the next request is answered, and the server has logged no mistake of its own."""
    toybox.faults("toybox", mode, nth=1, **({"seconds": 0} if mode.startswith("delay") else {}))
    try:
        create()
    except requests.RequestException:
        assert mode.startswith(("drop", "truncated", "chunked", "reset"))
    client.close()  # else a connection that dies just now may be used once more: that is what stale_keep_alive is for
    assert create().status_code == 201
    assert [entry.fault for entry in toybox.log] == [mode, None]
    assert caplog.records == []


def test_the_sandbox_ends_at_once_although_a_client_waits(only_toys, caplog):
    """A request that hangs in a fault is given up when the block ends, without an error in the log."""
    with serve() as box:
        box.faults("toybox", "delay", seconds=60)
        failures = []
        waiting = threading.Thread(target=lambda: failures.append(failure_of(box)))
        waiting.start()
        until(lambda: box.faults()[0]["hits"] == 1)
        started = time.monotonic()
    assert time.monotonic() - started < 3
    waiting.join(5)
    assert failures == [requests.ConnectionError]
    assert caplog.records == []


def failure_of(box):
    """Return the kind of error that a plain request ends with."""
    try:
        requests.post(f"{box.url}/toybox/red/batch", data=BODY, timeout=30)
    except requests.RequestException as error:
        return type(error)
    return None


def until(is_so, seconds=5.0):
    """Wait for something to become true; fail if it does not."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
