"""The control plane over HTTP, for tests in other processes and languages, and the page for a person."""

from __future__ import annotations

import pytest
import requests


@pytest.fixture
def call(toybox, client):
    """Return `call(method, verb, **arguments)`: it returns status and JSON of the control plane's answer."""

    def call(method, verb, **arguments):
        where = {"params": arguments} if method in ("GET", "DELETE") else {"json": arguments}
        answer = client.request(method, f"{toybox.url}/_sandbox/{verb}", timeout=5, **where)
        return answer.status_code, answer.json()

    return call


def test_records_can_be_put_in_and_read(call):
    """Seed, define, objects and records do what the methods of the same names do; records can be read in parts."""
    assert call("POST", "seed", destination="toybox", object="red", records=[{"id": n} for n in range(5)])[0] == 200
    assert call("POST", "define", destination="toybox", object="blue", colour="azure") == (200, None)
    assert call("GET", "objects", destination="toybox") == (200, {"red": 5, "blue": 0})
    assert call("GET", "records", destination="toybox", object="red", limit=2, offset=1) == (
        200,
        [{"id": 1}, {"id": 2}],
    )
    assert call("GET", "records", destination="toybox", object="red", offset=4) == (200, [{"id": 4}])


def test_connections_can_be_fetched(call, toybox):
    """Another process gets the same connections."""
    assert call("GET", "connections") == (200, toybox.connections)


def test_settings_can_be_read_and_patched(call, toybox):
    """PATCH changes, GET reads."""
    assert call("PATCH", "settings", destination="toybox", max_inputs=3)[1]["max_inputs"] == 3
    assert call("GET", "settings", destination="toybox") == (200, toybox.settings("toybox"))


def test_faults_can_be_set_listed_and_deleted(call, create):
    """A fault from outside strikes like one from inside."""
    status, (fault,) = call("POST", "faults", destination="toybox", mode="status", status=503, nth=[1])
    assert (status, fault["mode"], fault["nth"]) == (200, "status", [1])
    assert [create().status_code for _ in range(2)] == [503, 201]
    call("POST", "faults", destination="toybox", mode="html")
    assert [fault["mode"] for fault in call("GET", "faults")[1]] == ["html"]
    assert call("DELETE", "faults", id=call("GET", "faults")[1][0]["id"]) == (200, None)
    assert call("GET", "faults", destination="toybox") == (200, [])


def test_log_and_violations_can_be_read(call, create, toybox):
    """Both come as lists of objects; the log can be emptied."""
    toybox.settings("toybox", max_inputs=1)
    create(*"ab")
    assert call("GET", "violations")[1][0]["reason"] == "too many inputs"
    status, (entry,) = call("GET", "log", destination="toybox")
    assert (status, entry["path"], entry["status"], entry["records"]) == (200, "/red/batch", 400, 2)
    call("DELETE", "log")
    assert call("GET", "log") == (200, [])


def test_the_overview_is_one_look_at_everything(call, create, toybox):
    """Objects, calls, faults, violations and the newest requests first, as many as asked for."""
    create("ball")
    create("kite")
    toybox.faults("toybox", "html", nth=9)
    overview = call("GET", "overview", requests=1)[1]
    assert overview["destinations"] == [{"name": "toybox", "objects": {"red": 2}, "calls": 2, "violations": 0}]
    assert [fault["mode"] for fault in overview["faults"]] == ["html"]
    assert [entry["time"] for entry in overview["requests"]] == [toybox.log[1].time]


def test_reset_from_outside(call, create, toybox):
    """POST without a body resets everything."""
    create()
    assert requests.post(f"{toybox.url}/_sandbox/reset", timeout=5).status_code == 200
    assert (toybox.objects("toybox"), toybox.log) == ({}, [])


@pytest.mark.parametrize(
    ("request_line", "arguments", "status", "said"),
    [
        ("GET objects", {"destination": "crm"}, 400, "no destination 'crm' in this sandbox; there are: toybox"),
        ("GET objects", {}, 400, "missing a required argument: 'destination'"),
        ("GET records", {"destination": "toybox", "object": "green"}, 404, "green"),
        ("GET records", {"destination": "toybox", "object": "red", "limit": "all"}, 400, "invalid literal"),
        ("GET objects", {"destination": "toybox", "colour": "red"}, 400, "unexpected keyword argument 'colour'"),
        ("POST seed", {"destination": "toybox", "object": "red", "records": {"id": 1}}, 400, "a list of objects"),
        ("POST seed", {"destination": "toybox", "object": "red", "records": [1]}, 400, "a list of objects"),
        ("POST faults", {"destination": "toybox", "mode": "explode"}, 400, "unknown fault 'explode'"),
        ("PATCH settings", {"destination": "toybox", "speed": 1}, 400, "has no setting 'speed'"),
    ],
)
def test_wrong_arguments_are_answered_with_a_sentence(call, request_line, arguments, status, said):
    """400 for what makes no sense, 404 for an object that is not there."""
    answered, body = call(*request_line.split(), **arguments)
    assert answered == status
    assert said in body["error"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(toybox, client, body):
    """The server says so; it does not fall over."""
    answer = client.post(f"{toybox.url}/_sandbox/seed", data=body, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("POST /_sandbox/seed: ")


def test_other_web_sites_cannot_steer_the_sandbox(toybox, client):
    """A browser names the site that asks; any other than the page's own is refused."""
    reset = f"{toybox.url}/_sandbox/reset"
    assert client.post(reset, headers={"Origin": "https://evil.example"}, timeout=5).status_code == 403
    assert client.post(reset, headers={"Origin": "null"}, timeout=5).status_code == 403
    assert client.post(reset, headers={"Origin": toybox.url}, timeout=5).status_code == 200


def test_the_page_is_served_with_all_that_it_needs(toybox, client):
    """Page, style and script come from here, with their types and a policy that lets nothing else run."""
    page = client.get(toybox.url, timeout=5)
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for asset, kind in {"page.css": "text/css", "page.js": "text/javascript"}.items():
        assert f"/_sandbox/static/{asset}" in page.text
        answer = client.get(f"{toybox.url}/_sandbox/static/{asset}", timeout=5)
        assert answer.headers["content-type"].startswith(kind)
    assert client.get(f"{toybox.url}/_sandbox/static/server.py", timeout=5).status_code == 404


def test_the_page_needs_no_other_site_and_parses_no_value(toybox, client):
    """No address in the assets leads elsewhere, and values never become markup."""
    names = ("page.html", "page.css", "page.js")
    assets = "".join(client.get(f"{toybox.url}/_sandbox/static/{name}", timeout=5).text for name in names)
    for forbidden in ("http://", "https://", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert forbidden not in assets
