"""What a client asks before and beside writing: properties, schemas, search; and what a test does by hand."""

from __future__ import annotations

import pytest
import requests

from airflow_reverse_etl.destinations.hubspot.sandbox import DEFAULT_TOKEN, Fake

PROPERTIES = "/crm/properties/2026-03/contacts"
SEARCH = "/crm/objects/2026-03/contacts/search"


@pytest.fixture
def send(box):
    """Return `send(method, path, body)`: one request to the fake with its token."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {DEFAULT_TOKEN}"
        yield lambda method, path, body=None, **how: session.request(
            method, f"{box.url}/hubspot{path}", json=body, timeout=10, **how
        )


def definition(name, **more):
    """Return the body that creates a text property."""
    return {
        "name": name,
        "label": name,
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
        **more,
    }


def test_properties_say_what_can_be_written(send):
    """Type, choices, uniqueness and who may write, for the kinds of properties that there are."""
    listed = {one["name"]: one for one in send("GET", f"{PROPERTIES}?archived=false").json()["results"]}
    facts = {
        name: (one["type"], one["fieldType"], one["hasUniqueValue"], one["modificationMetadata"]["readOnlyValue"])
        for name, one in listed.items()
    }
    assert facts["email"] == ("string", "text", False, False)
    assert facts["customer_id"] == ("string", "text", True, False)
    assert facts["score"] == ("number", "number", False, False)
    assert facts["vip"] == ("bool", "booleancheckbox", False, False)
    assert facts["plan"] == ("enumeration", "select", False, False)
    assert facts["interests"] == ("enumeration", "checkbox", False, False)
    assert facts["signed_up_on"] == ("date", "date", False, False)
    assert facts["last_seen_at"] == ("datetime", "date", False, False)
    assert facts["hs_object_id"] == ("number", "number", False, True)
    assert listed["hs_email_domain"]["calculated"] is True
    assert [option["value"] for option in listed["plan"]["options"]] == ["free", "pro", "enterprise"]
    assert listed["hubspot_owner_id"]["externalOptions"] is True
    assert listed["hubspot_owner_id"]["referencedObjectType"] == "OWNER"
    assert (listed["score"]["hubspotDefined"], listed["email"]["hubspotDefined"]) == (False, True)


def test_the_life_of_a_property(send, box):
    """201, 409 when it is there, 200 for a change, 204 for the archive, 404 after, 201 again."""
    assert send("POST", PROPERTIES, definition("tier")).status_code == 201
    again = send("POST", PROPERTIES, definition("tier"))
    assert (again.status_code, again.json()["category"]) == (409, "OBJECT_ALREADY_EXISTS")
    assert again.json()["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"
    assert again.json()["message"] == "A property named 'tier' already exists."
    changed = send("PATCH", f"{PROPERTIES}/tier", {"label": "Tier"})
    assert (changed.status_code, changed.json()["label"]) == (200, "Tier")
    assert send("DELETE", f"{PROPERTIES}/tier").status_code == 204
    gone = send("GET", f"{PROPERTIES}/tier")
    assert (gone.status_code, gone.json()["category"]) == (404, "OBJECT_NOT_FOUND")
    assert [one["name"] for one in send("GET", f"{PROPERTIES}?archived=true").json()["results"]] == ["tier"]
    body = {"properties": {"email": "ann@example.com", "tier": "x"}}
    assert send("POST", "/crm/v3/objects/contacts", body).json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    assert send("POST", PROPERTIES, definition("tier")).status_code == 201
    assert send("POST", "/crm/v3/objects/contacts", body).status_code == 201
    assert box.violations("hubspot") == []


def test_a_change_of_options_replaces_them_and_holds_at_once(send):
    """Old choices are refused, new ones are taken."""
    options = [{"label": "Gold", "value": "gold"}]
    assert send("PATCH", f"{PROPERTIES}/plan", {"options": options}).status_code == 200
    old = send("POST", "/crm/v3/objects/contacts", {"properties": {"email": "a@x.com", "plan": "pro"}})
    new = send("POST", "/crm/v3/objects/contacts", {"properties": {"email": "a@x.com", "plan": "gold"}})
    assert (old.status_code, new.status_code) == (400, 201)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("contacts", {"name": "x"}),
        ("contacts", definition("x", options="a")),
        ("contacts", definition("Upper")),
        ("contacts", definition("x", type="json")),
        ("contacts", definition("x", type="number", fieldType="select")),
        ("contacts", definition("x", type="enumeration", fieldType="select", options=[{"value": "a"}, {"value": "a"}])),
        ("products", definition("x", hasUniqueValue=True)),
    ],
)
def test_a_definition_that_makes_no_sense(send, kind, body):
    """400, and no such property afterwards."""
    assert send("POST", f"/crm/v3/properties/{kind}", body).status_code == 400
    assert send("GET", f"/crm/v3/properties/{kind}/{body['name']}").status_code == 404


def test_ten_unique_properties_are_enough(send):
    """The eleventh is refused; a property cannot become unique later, and HubSpot's own cannot be changed."""
    answers = [send("POST", PROPERTIES, definition(f"u{n}", hasUniqueValue=True)).status_code for n in range(10)]
    assert answers == [201] * 9 + [400]  # customer_id is the first one
    assert send("PATCH", f"{PROPERTIES}/score", {"hasUniqueValue": True}).status_code == 400
    assert send("PATCH", f"{PROPERTIES}/email", {"label": "x"}).status_code == 400
    assert send("DELETE", f"{PROPERTIES}/email").status_code == 400


def test_properties_can_be_read_in_a_batch(send):
    """Those that are there come, those that are not are named in a 207."""
    body = {"inputs": [{"name": "email"}, {"name": "nothing"}], "archived": False}
    answer = send("POST", f"{PROPERTIES}/batch/read", body)
    assert answer.status_code == 207
    assert [one["name"] for one in answer.json()["results"]] == ["email"]
    assert answer.json()["errors"][0]["context"] == {"name": ["nothing"]}


def test_schemas_list_custom_objects_only(send, box):
    """Type id, full name and properties of what a test has defined; a single schema by either name."""
    assert send("GET", "/crm-object-schemas/2026-03/schemas").json() == {"results": []}
    box.define("hubspot", "pets", [{"name": "chip", "hasUniqueValue": True}], singular="pet", shown=["chip"])
    (schema,) = send("GET", "/crm-object-schemas/2026-03/schemas").json()["results"]
    assert schema["fullyQualifiedName"] == "p24681357_pets"
    assert (schema["objectTypeId"][:2], schema["name"], schema["primaryDisplayProperty"]) == ("2-", "pets", "chip")
    for name in (schema["objectTypeId"], schema["fullyQualifiedName"]):
        assert send("GET", f"/crm-object-schemas/2026-03/schemas/{name}").json() == schema
    body = {"inputs": [{"id": "7", "idProperty": "chip", "properties": {"chip": "7"}}]}
    answer = send("POST", f"/crm/objects/2026-03/{schema['objectTypeId']}/batch/upsert", body)
    assert answer.json()["results"][0]["url"].split("/")[-2] == schema["objectTypeId"]
    missing = send("POST", f"/crm/objects/2026-03/{schema['objectTypeId']}/batch/read", {"inputs": [{"id": "1"}]})
    assert missing.status_code == 207


def test_define_adds_to_an_object_that_is_there(box):
    """A short definition is enough: choices as plain values, field types that fit."""
    box.define("hubspot", "companies", [{"name": "tier", "type": "enumeration", "options": ["gold", "iron"]}])
    box.define("hubspot", "companies", [{"name": "churned", "type": "bool"}])
    row = {"name": "Acme", "tier": "gold", "churned": True, "aps": 1.5, "domain": None}
    box.seed("hubspot", "companies", [row])
    (held,) = box.records("hubspot", "companies")
    assert (held["tier"], held["churned"], held["aps"], "domain" in held) == ("gold", "true", "1.5", False)
    assert list(box.objects("hubspot")) == ["contacts", "companies", "deals", "tickets", "products", "line_items"]


def test_seed_refuses_what_cannot_be():
    """Unknown objects and properties, and unique values that are there, are errors in a sentence."""
    fake = Fake()
    assert fake.seed("contacts", [{"hs_object_id": "77", "email": "Ann@example.com"}]) == ["77"]
    with pytest.raises(LookupError, match=r"no object 'people'; there are contacts, companies"):
        fake.seed("people", [{}])
    with pytest.raises(LookupError, match=r"contacts has no property tier; `define` adds it"):
        fake.seed("contacts", [{"tier": "gold"}])
    with pytest.raises(ValueError, match=r"contacts has it already: email=ann@example.com"):
        fake.seed("contacts", [{"email": " ann@example.com"}])
    with pytest.raises(ValueError, match="contacts has it already: 77"):
        fake.seed("contacts", [{"hs_object_id": "77"}])


def one_filter(name, operator, **more):
    """Return a search for one condition."""
    return {"filterGroups": [{"filters": [{"propertyName": name, "operator": operator, **more}]}]}


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({}, "abc"),
        ({"query": "ann example"}, "a"),
        (one_filter("email", "EQ", value="ANN@example.com"), "a"),
        (one_filter("email", "NEQ", value="ann@example.com"), "bc"),
        (one_filter("score", "GT", value="9"), "b"),
        (one_filter("score", "LTE", value="9.0"), "a"),
        (one_filter("score", "BETWEEN", value="9", highValue="10"), "ab"),
        (one_filter("score", "HAS_PROPERTY"), "ab"),
        (one_filter("score", "NOT_HAS_PROPERTY"), "c"),
        (one_filter("plan", "IN", values=["pro", "free"]), "ab"),
        (one_filter("plan", "NOT_IN", values=["pro"]), "bc"),
        (one_filter("firstname", "CONTAINS_TOKEN", value="an*"), "a"),
        (one_filter("signed_up_on", "LT", value="1764547200000"), "a"),
        (one_filter("signed_up_on", "GTE", value="2025-12-01"), "b"),
        ({"filterGroups": one_filter("plan", "EQ", value="pro")["filterGroups"] * 2}, "a"),
    ],
)
def test_search_filters(send, box, search, found):
    """Numbers and times compare as such, text without regard to case."""
    people = [
        {"email": "ann@example.com", "firstname": "Ann", "score": "9", "plan": "pro", "signed_up_on": "2025-11-30"},
        {"email": "bob@example.com", "score": "10", "plan": "free", "signed_up_on": "2025-12-01"},
        {"email": "cid@example.com"},
    ]
    box.seed("hubspot", "contacts", people)
    answer = send("POST", SEARCH, search)
    assert "".join(sorted(one["properties"]["email"][0] for one in answer.json()["results"])) == found
    assert answer.json()["total"] == len(found)


def test_search_sorts_and_pages(send, box):
    """A sorted search in pages of two gives everything once; records without a value come last."""
    box.seed("hubspot", "contacts", [{"email": f"p{n}@x.com", "score": n} for n in (2, 10, 1)])
    box.seed("hubspot", "contacts", [{"email": "none@x.com"}])
    search = {"sorts": [{"propertyName": "score", "direction": "ASCENDING"}], "properties": ["score"], "limit": 2}
    first = send("POST", SEARCH, search).json()
    second = send("POST", SEARCH, {**search, "after": first["paging"]["next"]["after"]}).json()
    scores = [one["properties"]["score"] for one in (*first["results"], *second["results"])]
    assert scores == ["1", "2", "10", None]
    assert "paging" not in second


@pytest.mark.parametrize(
    "search",
    [
        {"limit": 201},
        {"limit": 200, "after": "9801"},
        {"after": "x"},
        one_filter("no_such", "EQ", value="1"),
        one_filter("score", "ABOUT", value="1"),
        one_filter("score", "EQ", value=1),
        one_filter("score", "EQ", value="many"),
        one_filter("signed_up_on", "EQ", value="today"),
        {"filterGroups": one_filter("score", "HAS_PROPERTY")["filterGroups"] * 6},
        {"filterGroups": [{"filters": one_filter("score", "HAS_PROPERTY")["filterGroups"][0]["filters"] * 7}]},
        {"sorts": ["no_such"]},
    ],
)
def test_searches_that_are_refused(send, box, search):
    """Too far, too many, unknown or misspelt: 400 and a violation."""
    box.seed("hubspot", "contacts", [{"email": "a@x.com", "score": 1, "signed_up_on": "2026-01-01"}])
    assert send("POST", SEARCH, search).status_code == 400
    assert len(box.violations("hubspot")) == 1


def test_search_lags_behind_writes_and_reads_do_not(send, box):
    """For so many seconds a search sees the state before the write; batch/read sees the write at once."""
    now = [1_800_000_000.0]
    settings = box.fake("hubspot").settings
    settings.clock, settings.search_lag_seconds = lambda: now[0], 5.0
    made = send("POST", "/crm/v3/objects/contacts", {"properties": {"email": "a@x.com", "score": "1"}}).json()["id"]
    assert send("POST", SEARCH, {}).json() == {"total": 0, "results": []}
    read = send("POST", "/crm/v3/objects/contacts/batch/read", {"inputs": [{"id": made}], "properties": ["score"]})
    assert read.json()["results"][0]["properties"]["score"] == "1"
    now[0] += 5
    assert send("POST", SEARCH, {"properties": ["score"]}).json()["total"] == 1
    send("PATCH", f"/crm/v3/objects/contacts/{made}", {"properties": {"score": "2"}})
    assert send("POST", SEARCH, {"properties": ["score"]}).json()["results"][0]["properties"]["score"] == "1"
    send("DELETE", f"/crm/v3/objects/contacts/{made}")
    assert send("POST", SEARCH, {}).json()["total"] == 1
    now[0] += 5
    assert send("POST", SEARCH, {}).json()["total"] == 0
