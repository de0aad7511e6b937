"""The rules of HubSpot's batches, each with the request that shows it."""

from __future__ import annotations

import json

import pytest
import requests

from airflow_reverse_etl.destinations.hubspot.sandbox import DEFAULT_TOKEN

PATHS = ["/crm/v3/objects", "/crm/objects/2026-03", "/crm/objects/2026-09"]


@pytest.fixture
def send(box):
    """Return `send(method, path, body)`: one request to the fake with its token."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {DEFAULT_TOKEN}"
        yield lambda method, path, body=None, **how: session.request(
            method, f"{box.url}/hubspot{path}", json=body, timeout=10, **how
        )


@pytest.fixture
def batch(send):
    """Return `batch(verb, inputs)`: one batch of contacts, 2026-03."""

    def batch(verb, inputs, *, kind="contacts", base="/crm/objects/2026-03", **more):
        return send("POST", f"{base}/{kind}/batch/{verb}", {"inputs": inputs, **more})

    return batch


def upserts(*rows, key="email", traced=True):
    """Return inputs of an upsert by `key`, each with its place as trace id."""
    return [
        {"id": row[key], "idProperty": key, "properties": row} | ({"objectWriteTraceId": str(place)} if traced else {})
        for place, row in enumerate(rows)
    ]


@pytest.mark.parametrize("base", PATHS)
@pytest.mark.parametrize("kind", ["contacts", "contact", "0-1"])
def test_an_upsert_answers_what_it_wrote(box, batch, base, kind):
    """Old and dated paths, names and type ids lead to the same records; results hold written and automatic values."""
    row = {"email": " Ann@Example.com ", "firstname": "Ann", "score": "12.50"}
    answer = batch("upsert", upserts(row), base=base, kind=kind)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"status", "results", "startedAt", "completedAt"}
    assert body["status"] == "COMPLETE"
    (result,) = body["results"]
    values = result["properties"]
    assert (values["email"], values["firstname"], values["score"]) == ("ann@example.com", "Ann", "12.50")
    assert (values["hs_email_domain"], values["lifecyclestage"]) == ("example.com", "lead")
    assert values["hs_object_id"] == result["id"]
    assert values["createdate"] == result["createdAt"]
    assert result["createdAt"].endswith("Z")
    assert len(result["createdAt"]) == len("2026-11-20T07:00:00.000Z")
    assert (result["new"], result["archived"], result["objectWriteTraceId"]) == (True, False, "0")
    assert result["url"].endswith(f"/record/0-1/{result['id']}")
    assert box.violations("hubspot") == []


@pytest.mark.parametrize(("verb", "status"), [("create", 201), ("update", 200), ("upsert", 200), ("read", 200)])
def test_a_good_batch_has_its_verbs_status(box, batch, verb, status):
    """A create answers 201, the others 200; only upsert tells new from old."""
    (ann,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com"}])
    inputs = {
        "create": [{"properties": {"email": "bob@example.com"}}],
        "update": [{"id": ann, "properties": {"firstname": "Ann"}}],
        "upsert": upserts({"email": "ann@example.com", "firstname": "Ann"}),
        "read": [{"id": ann}],
    }[verb]
    answer = batch(verb, inputs)
    assert answer.status_code == status
    assert ("new" in answer.json()["results"][0]) == (verb == "upsert")


def test_archive_answers_204_without_a_body_as_often_as_you_like(box, batch, send):
    """Archiving is idempotent, and so is archiving what never was; the record is gone from reads."""
    (ann,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com"}])
    for _ in range(2):
        answer = batch("archive", [{"id": ann}, {"id": "999"}])
        assert (answer.status_code, answer.content) == (204, b"")
        assert "content-type" not in answer.headers
    assert send("GET", f"/crm/v3/objects/contacts/{ann}").status_code == 404
    assert send("GET", f"/crm/v3/objects/contacts/{ann}?archived=true").json()["archived"] is True
    assert send("DELETE", f"/crm/v3/objects/contacts/{ann}").status_code == 204
    assert send("DELETE", "/crm/v3/objects/contacts/999").status_code == 404


@pytest.mark.parametrize("verb", ["create", "update", "upsert", "archive", "read"])
def test_more_than_100_inputs_are_refused_and_nothing_is_written(box, batch, verb):
    """101 inputs are a broken contract."""
    rows = [{"email": f"p{n}@example.com"} for n in range(101)]
    inputs = {
        "create": [{"properties": row} for row in rows],
        "update": upserts(*rows),
        "upsert": upserts(*rows),
    }.get(verb, [{"id": str(n)} for n in range(101)])
    answer = batch(verb, inputs)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert "maximum number of inputs supported in a batch is 100." in answer.json()["message"]
    assert box.objects("hubspot")["contacts"] == 0
    (violation,) = box.violations("hubspot")
    assert (violation["method"], violation["status"]) == ("POST", 400)
    assert violation["path"].endswith(f"/contacts/batch/{verb}")


def test_history_halves_what_a_read_may_ask(box, batch):
    """51 inputs are too many for a read with propertiesWithHistory."""
    inputs = [{"id": str(n)} for n in range(51)]
    refused = batch("read", inputs, properties=[], propertiesWithHistory=["email"])
    assert refused.json()["message"] == (
        "The maximum number of inputs supported in a batch request for property histories is 50. "
        "Please reduce the number of items and try again"
    )
    (ann,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com"}])
    (result,) = batch("read", [{"id": ann}], propertiesWithHistory=["email"]).json()["results"]
    assert result["propertiesWithHistory"]["email"][0]["value"] == "ann@example.com"


@pytest.mark.parametrize(("verb", "status"), [("create", 201), ("update", 200), ("upsert", 200), ("read", 200)])
def test_a_body_without_inputs_is_a_silent_success(box, send, verb, status):
    """HubSpot answers success and does nothing; the fake does too, and records it. A setting makes it speak."""
    body = {"properties": ["email"] if verb == "read" else {"email": "ann@example.com"}}
    answer = send("POST", f"/crm/v3/objects/contacts/batch/{verb}", body)
    assert (answer.status_code, answer.json()["results"]) == (status, [])
    assert box.objects("hubspot")["contacts"] == 0
    assert len(box.violations("hubspot")) == 1
    box.settings("hubspot", refuse_missing_inputs=True)
    refused = send("POST", f"/crm/v3/objects/contacts/batch/{verb}", body)
    assert (refused.status_code, "[inputs]" in refused.json()["message"]) == (400, True)


def test_no_inputs_is_a_success_that_is_recorded(box, batch):
    """An empty list does nothing, and no client needs it."""
    assert batch("upsert", []).json()["results"] == []
    assert [violation["reason"] for violation in box.violations("hubspot")] == ["`inputs` is empty"]


def test_unknown_keys_are_ignored_and_recorded(box, batch):
    """`id_property` is no `idProperty`: an upsert has no key then, and an update of contacts by e-mail does nothing."""
    box.seed("hubspot", "contacts", [{"email": "ann@example.com"}])
    row = {"id": "ann@example.com", "id_property": "email", "properties": {"firstname": "Ann"}}
    assert batch("upsert", [row]).status_code == 400
    answer = batch("update", [row])
    assert (answer.status_code, answer.json()["results"]) == (200, [])
    assert "firstname" not in box.records("hubspot", "contacts")[0]
    assert batch("update", [row, {**row, "id": "bob@example.com"}]).status_code == 200
    reasons = " ".join(violation["reason"] for violation in box.violations("hubspot"))
    assert reasons.count("ignores the unknown key") == 3
    assert "ignores the unknown key 'id_property' in an input" in reasons
    assert "idProperty is not set" in reasons


BAD_ROWS = (
    {"email": "good@example.com", "firstname": "Good"},
    {"email": "bad@example.com", "missing": "x", "plan": "gold"},
    {"email": "worse", "firstname": "Worse"},
)


@pytest.mark.parametrize("base", PATHS)
def test_without_trace_ids_one_bad_row_refuses_all(box, batch, base):
    """400, nothing written, and every bad value in the message and in `errors`."""
    answer = batch("upsert", upserts(*BAD_ROWS, traced=False), base=base)
    body = answer.json()
    assert (answer.status_code, body["category"]) == (400, "VALIDATION_ERROR")
    head, _, tail = body["message"].partition(": ")
    assert head == "Property values were not valid"
    listed = json.loads(tail)
    assert [(one["name"], one["error"], one["isValid"]) for one in listed] == [
        ("missing", "PROPERTY_DOESNT_EXIST", False),
        ("plan", "INVALID_OPTION", False),
        ("email", "INVALID_EMAIL", False),
    ]
    assert body["errors"][0] == {
        "message": 'Property "missing" does not exist',
        "code": "PROPERTY_DOESNT_EXIST",
        "context": {"propertyName": ["missing"]},
    }
    assert box.objects("hubspot")["contacts"] == 0
    assert box.violations("hubspot") == []


@pytest.mark.parametrize("base", PATHS)
def test_with_trace_ids_good_rows_land_and_bad_ones_are_named(box, batch, base):
    """207: status stays COMPLETE, each error names its row and carries neither `errors` nor `links`."""
    answer = batch("upsert", upserts(*BAD_ROWS), base=base)
    body = answer.json()
    assert (answer.status_code, body["status"], body["numErrors"]) == (207, "COMPLETE", 2)
    assert [result["objectWriteTraceId"] for result in body["results"]] == ["0"]
    assert [set(error) for error in body["errors"]] == [{"status", "category", "message", "context"}] * 2
    by_row = {error["context"]["objectWriteTraceId"][0]: error["message"] for error in body["errors"]}
    assert '"error":"PROPERTY_DOESNT_EXIST"' in by_row["1"]
    assert "Email address worse is invalid" in by_row["2"]
    assert [record["email"] for record in box.records("hubspot", "contacts")] == ["good@example.com"]


@pytest.mark.parametrize("traces", [["0", "0", "1"], ["0", None, "2"]])
def test_a_trace_id_that_repeats_or_lacks_makes_it_all_or_nothing(box, batch, traces):
    """Every input needs a trace id of its own."""
    inputs = upserts(*BAD_ROWS)
    for one, trace in zip(inputs, traces, strict=True):
        one["objectWriteTraceId"] = trace
    assert batch("upsert", inputs).status_code == 400
    assert box.objects("hubspot")["contacts"] == 0


def test_all_rows_bad_is_still_multi_status(batch):
    """With trace ids there is a 207 without results, not a 400."""
    answer = batch("upsert", upserts({"email": "a"}, {"email": "b"}))
    assert (answer.status_code, answer.json()["results"], answer.json()["numErrors"]) == (207, [], 2)


def test_a_portal_may_honour_trace_ids_for_create_only(box, batch):
    """The setting takes an operation out of multi-status: then trace ids do not help it."""
    box.settings("hubspot", multi_status=("create",))
    assert batch("upsert", upserts(*BAD_ROWS)).status_code == 400
    inputs = [{"properties": row, "objectWriteTraceId": str(place)} for place, row in enumerate(BAD_ROWS)]
    assert batch("create", inputs).status_code == 207


def test_a_create_of_an_email_that_is_there_conflicts(box, batch):
    """With trace ids the row is named with the id of the contact that has it; without, the whole batch is a 409."""
    (ann,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com", "hs_additional_emails": "a@b.com"}])
    rows = [{"email": "new@example.com"}, {"email": "A@B.com"}]
    untraced = batch("create", [{"properties": row} for row in rows])
    assert (untraced.status_code, untraced.json()["category"]) == (409, "CONFLICT")
    assert untraced.json()["message"] == f"Contact already exists. Existing ID: {ann}"
    assert box.objects("hubspot")["contacts"] == 1
    traced = batch("create", [{"properties": row, "objectWriteTraceId": str(n)} for n, row in enumerate(rows)])
    assert traced.status_code == 207
    assert traced.json()["errors"] == [
        {
            "status": "error",
            "category": "CONFLICT",
            "message": f"Contact already exists. Existing ID: {ann}",
            "context": {"objectWriteTraceId": ["1"], "existingId": [ann]},
        }
    ]
    assert box.objects("hubspot")["contacts"] == 2


def test_two_creates_of_one_email_in_a_batch_conflict(box, batch):
    """The first row takes the e-mail, or, without trace ids, nobody does."""
    inputs = [{"properties": {"email": "ann@example.com"}}, {"properties": {"email": "Ann@example.com"}}]
    assert batch("create", inputs).status_code == 409
    assert box.objects("hubspot")["contacts"] == 0
    traced = [{**one, "objectWriteTraceId": str(place)} for place, one in enumerate(inputs)]
    answer = batch("create", traced).json()
    assert [result["objectWriteTraceId"] for result in answer["results"]] == ["0"]
    assert answer["errors"][0]["context"]["objectWriteTraceId"] == ["1"]


def test_an_update_names_all_missing_records_in_one_error(box, batch):
    """Unknown ids are a 207 with or without trace ids; the good rows land."""
    (ann,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com"}])
    inputs = [{"id": one, "properties": {"firstname": "Ann"}} for one in (ann, "98765", "87654")]
    answer = batch("update", inputs)
    assert answer.status_code == 207
    assert [result["id"] for result in answer.json()["results"]] == [ann]
    missing = {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.",
        "context": {"ids": ["98765", "87654"]},
    }
    assert answer.json()["errors"] == [missing]
    box.settings("hubspot", name_missing_trace_ids=True)
    traced = [{**one, "objectWriteTraceId": f"t{place}"} for place, one in enumerate(inputs)]
    assert batch("update", traced).json()["errors"][0]["context"]["objectWriteTraceId"] == ["t1", "t2"]


def test_a_read_answers_null_for_empty_and_207_for_missing(box, batch):
    """Asked-for properties without a value are null; ids that nobody has are named."""
    box.seed("hubspot", "contacts", [{"email": "ann@example.com", "firstname": "Ann"}])
    answer = batch(
        "read",
        [{"id": "ANN@example.com"}, {"id": "bob@example.com"}],
        idProperty="email",
        properties=["firstname", "lastname", "no_such_property"],
    )
    assert answer.status_code == 207
    (result,) = answer.json()["results"]
    assert (result["properties"]["firstname"], result["properties"]["lastname"]) == ("Ann", None)
    assert "no_such_property" not in result["properties"]
    assert answer.json()["errors"][0]["context"] == {"ids": ["bob@example.com"]}


def test_results_come_in_another_order_and_the_same_one_each_time(box, batch):
    """Who maps results by position is found out; a run can be repeated."""
    orders = []
    for _ in range(2):
        box.reset("hubspot")
        rows = [{"email": f"p{n}@example.com"} for n in range(20)]
        orders.append([result["objectWriteTraceId"] for result in batch("upsert", upserts(*rows)).json()["results"]])
    assert orders[0] == orders[1]
    assert orders[0] != [str(n) for n in range(20)]
    assert sorted(orders[0], key=int) == [str(n) for n in range(20)]
