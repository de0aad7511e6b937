"""The four verbs, over HTTP: what lands, and what is said of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from airflow_reverse_etl.model import KIND, Status


def held(box, key="email", object_type="contacts"):
    """Return what HubSpot holds, by a property."""
    return {row[key]: row for row in box.records("hubspot", object_type) if key in row}


def statuses(outcomes):
    """Return key, status and code of each."""
    return [(outcome.key, outcome.status.value, outcome.code) for outcome in outcomes]


def test_upsert_by_email_makes_and_changes_contacts(box, sync):
    """Records that are there are changed, the others made, all in one call, and every outcome names its record."""
    (ann,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com", "city": "Rome", "score": "1"}])
    upsert = sync("upsert", ["email", "SCORE"], key="EMAIL")
    calls = upsert.hook.calls
    outcomes = upsert.send(
        {
            " Ann@Example.com ": {"email": " Ann@Example.com ", "SCORE": Decimal("12.50")},
            "bob@example.com": {"email": "bob@example.com", "SCORE": 7},
        }
    )
    assert statuses(outcomes) == [(" Ann@Example.com ", "succeeded", ""), ("bob@example.com", "succeeded", "")]
    now = held(box)
    assert (now["ann@example.com"]["score"], now["ann@example.com"]["city"]) == ("12.5", "Rome")
    assert now["bob@example.com"]["score"] == "7"
    assert [outcome.destination_id for outcome in outcomes] == [ann, now["bob@example.com"]["id"]]
    assert upsert.hook.calls == calls + 1
    assert box.violations("hubspot") == []


@pytest.mark.parametrize(
    ("verb", "first", "second"),
    [
        ("create", {"properties": {"city": "Rome"}}, {"properties": {"city": ""}}),
        ("update", {"id": "1", "properties": {"city": "Rome"}}, {"id": "2", "properties": {"city": ""}}),
        (
            "upsert",
            {"id": "a@b.de", "idProperty": "email", "properties": {"city": "Rome", "email": "a@b.de"}},
            {"id": "b@b.de", "idProperty": "email", "properties": {"city": "", "email": "b@b.de"}},
        ),
    ],
)
def test_what_goes_over_the_wire(script, scripted, verb, first, second):
    """Each input has a trace id of its own, an upsert carries its key, an update goes by record id, no idProperty."""
    found = [{"id": str(n), "properties": {"email": f"{name}@b.de"}} for n, name in enumerate("ab", 1)]
    script.says("read", 200, {"results": found})
    script.says(verb, 200, lambda body: {"results": [{**one, "id": "1"} for one in body["inputs"]]})
    outcomes = scripted(verb, key=None if verb == "create" else "email").send(
        {"A@b.de": {"city": "Rome"}, "b@b.de": {"city": ""}}
    )
    assert [outcome.status for outcome in outcomes] == [Status.SUCCEEDED] * 2
    (body,) = script.bodies(verb)
    assert body == {"inputs": [{**first, "objectWriteTraceId": "3-0"}, {**second, "objectWriteTraceId": "3-1"}]}


def test_bad_rows_do_not_keep_good_ones_from_landing(box, sync):
    """In one batch of 100, each refused row is named with HubSpot's code, property and words, and 97 land."""
    upsert = sync("upsert", ["email", "plan", "score"], key="email")
    rows = {f"p{n}@example.com": {"email": f"p{n}@example.com", "plan": "pro", "score": "1"} for n in range(100)}
    rows["p7@example.com"]["plan"] = "platinum"
    rows["p8@example.com"]["score"] = "many"
    rows["p9@example.com"] |= {"score": "none", "plan": "tin"}
    outcomes = {outcome.key: outcome for outcome in upsert.send(rows)}
    refused = {key: outcome for key, outcome in outcomes.items() if outcome.status is Status.REJECTED}
    assert list(outcomes) == list(rows)
    assert set(refused) == {"p7@example.com", "p8@example.com", "p9@example.com"}
    assert (refused["p7@example.com"].code, refused["p7@example.com"].fields) == ("INVALID_OPTION", ("plan",))
    assert "platinum was not one of the allowed options" in refused["p7@example.com"].message
    assert refused["p8@example.com"].fields == ("score",)
    assert set(refused["p9@example.com"].fields) == {"plan", "score"}
    assert len(box.records("hubspot", "contacts")) == 97


def test_an_invalid_email_is_that_rows_affair(box, sync):
    """A key that is no e-mail address is refused for its row, with HubSpot's code."""
    outcomes = sync("upsert", ["email"], key="email").send(
        {"nobody": {"email": "nobody"}, "a@b.de": {"email": "a@b.de"}}
    )
    assert statuses(outcomes) == [("nobody", "rejected", "INVALID_EMAIL"), ("a@b.de", "succeeded", "")]
    assert outcomes[0].fields == ("email",)


def test_upsert_by_a_unique_property_of_a_company(box, sync):
    """Any property with unique values is a key, compared exactly: `a-1` and `A-1` are two companies."""
    upsert = sync("upsert", ["name"], object="Company", key="account_key")
    assert upsert.target.object == "companies"
    upsert.send({"a-1": {"name": "small"}, "A-1": {"name": "large"}})
    upsert.send({"a-1": {"name": "smaller"}})
    assert {key: row["name"] for key, row in held(box, "account_key", "companies").items()} == {
        "a-1": "smaller",
        "A-1": "large",
    }


def test_a_custom_object_is_found_by_its_short_name(box, sync):
    """HubSpot's paths refuse the short name of a custom object; the hook turns it into the type id."""
    box.define("hubspot", "cars", [{"name": "vin", "hasUniqueValue": True}, {"name": "color"}])
    upsert = sync("upsert", ["color"], object="CARS", key="vin")
    assert upsert.target.object.startswith("2-")
    assert statuses(upsert.send({"W-1": {"color": "red"}})) == [("W-1", "succeeded", "")]
    assert held(box, "vin", "cars")["W-1"]["color"] == "red"
    assert sync("upsert", ["color"], object=upsert.target.object, key="vin").target.object == upsert.target.object


def test_update_by_record_id_is_the_default(box, sync):
    """Without a key, update goes by the record id; one that is not there is NOT_FOUND, in HubSpot's words."""
    (ann,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com"}])
    update = sync("update", ["firstname"])
    assert (update.target.key, update.target.key_is_written) == ("hs_object_id", False)
    outcomes = update.send({ann: {"firstname": "Ann"}, "99": {"firstname": "x"}, "98": {"firstname": "y"}})
    assert statuses(outcomes) == [
        (ann, "succeeded", ""),
        ("99", "rejected", "NOT_FOUND"),
        ("98", "rejected", "NOT_FOUND"),
    ]
    assert "may be deleted or not exist" in outcomes[1].message
    assert held(box)["ann@example.com"]["firstname"] == "Ann"
    assert box.violations("hubspot") == []


def test_what_is_no_record_id_is_not_sent(box, sync):
    """A key that is no number cannot be a record id: refused for its row, the others are sent."""
    (ann,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com"}])
    outcomes = sync("update", ["firstname"]).send({"ann@example.com": {"firstname": "x"}, ann: {"firstname": "Ann"}})
    assert statuses(outcomes) == [("ann@example.com", "rejected", "NOT_FOUND"), (ann, "succeeded", "")]


def test_update_by_email_never_makes_a_contact(box, sync):
    """E-mail addresses are resolved to ids by an exact read, secondary ones too; an unknown one is NOT_FOUND."""
    box.seed(
        "hubspot",
        "contacts",
        [
            {"email": "ann@example.com"},
            {"email": "bob@example.com", "hs_additional_emails": "bobby@example.com;b@x.de"},
        ],
    )
    update = sync("update", ["firstname"], key="email")
    calls = update.hook.calls
    outcomes = update.send(
        {
            "ANN@example.com": {"firstname": "Ann"},
            "b@x.de": {"firstname": "Bob"},
            "carl@example.com": {"firstname": "Carl"},
        }
    )
    assert statuses(outcomes) == [
        ("ANN@example.com", "succeeded", ""),
        ("b@x.de", "succeeded", ""),
        ("carl@example.com", "rejected", "NOT_FOUND"),
    ]
    assert {email: row["firstname"] for email, row in held(box).items()} == {
        "ann@example.com": "Ann",
        "bob@example.com": "Bob",
    }
    assert update.hook.calls == calls + 2


def test_two_rows_for_one_contact_are_both_refused(box, sync):
    """Two addresses of one contact mean one record: which row is right is not ours to guess, and the others land."""
    box.seed(
        "hubspot",
        "contacts",
        [{"email": "bob@example.com", "hs_additional_emails": "bobby@example.com"}, {"email": "ann@example.com"}],
    )
    rows = {f"{name}@example.com": {"firstname": name} for name in ("bob", "ann", "bobby")}
    outcomes = sync("update", ["firstname"], key="email").send(rows)
    assert [outcome.code for outcome in outcomes] == ["SAME_RECORD", "", "SAME_RECORD"]
    assert held(box)["ann@example.com"]["firstname"] == "ann"
    assert "firstname" not in held(box)["bob@example.com"]
    assert box.violations("hubspot") == []


def test_an_update_may_change_the_property_it_is_found_by(box, sync):
    """Found by the old address, written with the new one."""
    (ann,) = box.seed("hubspot", "contacts", [{"email": "old@example.com"}])
    outcomes = sync("update", ["email"], key="email").send({"old@example.com": {"email": "new@example.com"}})
    assert statuses(outcomes) == [("old@example.com", "succeeded", "")]
    assert held(box)["new@example.com"]["id"] == ann


def test_delete_by_email_and_by_id(box, sync):
    """What is archived is gone, and what was gone already has succeeded; no read is needed for record ids."""
    ann, bob = box.seed("hubspot", "contacts", [{"email": "ann@example.com"}, {"email": "bob@example.com"}])
    by_email = sync("delete", [], key="email").send({"Ann@example.com": {}, "nobody@example.com": {}})
    assert statuses(by_email) == [("Ann@example.com", "succeeded", ""), ("nobody@example.com", "succeeded", "")]
    assert [outcome.destination_id for outcome in by_email] == [ann, None]
    delete = sync("delete", [])
    calls = delete.hook.calls
    assert statuses(delete.send({bob: {}, "99": {}})) == [(bob, "succeeded", ""), ("99", "succeeded", "")]
    assert delete.hook.calls == calls + 1
    assert box.records("hubspot", "contacts") == []


def test_nothing_to_delete_is_no_call(box, sync):
    """If HubSpot has none of the records, nothing is archived, and all have succeeded."""
    delete = sync("delete", [], key="email")
    assert statuses(delete.send({"nobody@example.com": {}})) == [("nobody@example.com", "succeeded", "")]
    assert not [entry for entry in box.log if entry.path.endswith("archive")]


def test_two_addresses_of_one_contact_delete_it_once(script, scripted):
    """Rows that agree that a contact must go do not contradict each other; its id is sent once."""
    bob = {"id": "1", "properties": {"email": "bob@b.de", "hs_additional_emails": "bobby@b.de"}}
    script.says("read", 200, {"results": [bob, bob]})
    script.says("archive", 204)
    outcomes = scripted("delete", key="email").send({"bob@b.de": {}, "bobby@b.de": {}})
    assert [outcome.status for outcome in outcomes] == [Status.SUCCEEDED] * 2
    assert script.bodies("archive") == [{"inputs": [{"id": "1"}]}]


def test_create_without_a_key_makes_a_record_for_each_row(box, sync):
    """The rows' keys are our own names for them and are not sent; the answer is matched all the same."""
    create = sync("create", ["name", "domain"], object="companies")
    assert create.target.key is None
    outcomes = create.send({"row 1": {"name": "A", "domain": "x.de"}, "row 2": {"name": "B", "domain": "x.de"}})
    ids = {row["name"]: row["id"] for row in box.records("hubspot", "companies")}
    assert [(outcome.key, outcome.destination_id) for outcome in outcomes] == [("row 1", ids["A"]), ("row 2", ids["B"])]


def test_a_contact_that_exists_is_not_adopted_by_create(box, sync):
    """Whoever was there before us stays as he is: CONFLICT, in HubSpot's words, without an id."""
    box.seed("hubspot", "contacts", [{"email": "ann@example.com", "firstname": "Ann"}])
    create = sync("create", ["email", "firstname"], key="email")
    outcomes = create.send(
        {name: {"email": name, "firstname": "new"} for name in ("ann@example.com", "bob@example.com")}
    )
    assert statuses(outcomes) == [("ann@example.com", "rejected", "CONFLICT"), ("bob@example.com", "succeeded", "")]
    assert outcomes[0].destination_id is None
    assert "already exists" in outcomes[0].message
    assert held(box)["ann@example.com"]["firstname"] == "Ann"


def test_values_land_as_their_property_wants_them(box, sync):
    """Numbers, flags, days, instants, options and text arrive exactly, whatever type the warehouse gave them."""
    fields = ["score", "vip", "signed_up_on", "last_seen_at", "plan", "interests", "company"]
    upsert = sync("upsert", fields, key="email", options={"timezone": "Europe/Berlin"})
    row = {
        "score": Decimal("9223372036854775807.10"),
        "vip": True,
        "signed_up_on": dt.datetime(2026, 11, 20, tzinfo=dt.UTC),
        "last_seen_at": dt.datetime(2026, 7, 1, 12, 0, 0, 999_999),
        "plan": "pro",
        "interests": ["chess", "opera"],
        "company": "O'Brien \N{SNOWMAN}\n=1+1",
    }
    assert statuses(upsert.send({"a@example.com": row})) == [("a@example.com", "succeeded", "")]
    now = held(box)["a@example.com"]
    assert {name: now[name] for name in fields} == {
        "score": "9223372036854775807.1",
        "vip": "true",
        "signed_up_on": "2026-11-20",
        "last_seen_at": "2026-07-01T10:00:00.999Z",
        "plan": "pro",
        "interests": "chess;opera",
        "company": "O'Brien \N{SNOWMAN}\n=1+1",
    }


def test_null_and_the_empty_text_clear_and_an_absent_field_is_left_alone(box, sync):
    """None and '' empty the property, a field that is skipped keeps its value."""
    email = "ann@example.com"
    box.seed("hubspot", "contacts", [{"email": email, "city": "Rome", "company": "X", "score": "5", "state": "RM"}])
    upsert = sync("upsert", ["city", "company", "score"], key="email")
    schema = pa.schema([("city", pa.string()), ("company", pa.string()), ("score", pa.int64())])
    assert upsert.send({email: {"city": None, "company": "", "score": None}}, schema)[0].status is Status.SUCCEEDED
    assert {"city", "company", "score"}.isdisjoint(held(box)[email])
    assert held(box)[email]["state"] == "RM"


def test_a_list_in_a_json_column_fills_a_property_with_several_options(box, sync):
    """Snowflake's arrays and PostgreSQL's jsonb come as JSON text: a list of options is one there, too."""
    schema = pa.schema([pa.field("interests", pa.string(), metadata={KIND: b"json"})])
    upsert = sync("upsert", ["interests"], key="email")
    outcomes = upsert.send({"a@b.de": {"interests": '["chess","sailing"]'}}, schema)
    assert outcomes[0].status is Status.SUCCEEDED
    assert held(box)["a@b.de"]["interests"] == "chess;sailing"


def test_a_value_that_cannot_be_written_is_refused_for_its_row_only(box, sync):
    """CANNOT_ENCODE names property and type, never the value, and the other rows are sent."""
    upsert = sync("upsert", ["signed_up_on"], key="email")
    midnight, noon = (dt.datetime(2026, 11, 20, hour, tzinfo=dt.UTC) for hour in (0, 12))
    outcomes = upsert.send({"a@b.de": {"signed_up_on": noon}, "b@b.de": {"signed_up_on": midnight}})
    assert statuses(outcomes) == [("a@b.de", "rejected", "CANNOT_ENCODE"), ("b@b.de", "succeeded", "")]
    assert outcomes[0].fields == ("signed_up_on",)
    assert "'signed_up_on' of type date" in outcomes[0].message
    assert "2026" not in outcomes[0].message


def test_if_no_row_can_be_written_there_is_no_call(box, sync):
    """A batch of which nothing is left costs nothing."""
    upsert = sync("upsert", ["score"], key="email")
    calls = upsert.hook.calls
    assert statuses(upsert.send({"a@b.de": {"score": b"1"}})) == [("a@b.de", "rejected", "CANNOT_ENCODE")]
    assert upsert.hook.calls == calls


def test_a_hook_that_made_no_check_reads_the_properties_itself(box, sync, connect):
    """A fresh hook that goes on with a checked target writes values by their type all the same."""
    upsert = sync("upsert", ["vip"], key="email")
    upsert.hook = connect()
    assert upsert.send({"a@b.de": {"vip": 1}})[0].status is Status.SUCCEEDED
    assert held(box)["a@b.de"]["vip"] == "true"


@pytest.mark.parametrize("version", ["v3", "2025-09", "2026-03", "2026-09"])
def test_every_api_version_is_spoken(box, connect, sync, version):
    """Checks, reads and writes go to the paths of the version that the connection names."""
    hook = connect(extra={"api_version": version})
    box.define("hubspot", "cars", [{"name": "vin", "hasUniqueValue": True}, {"name": "color"}])
    for verb in ("upsert", "update", "delete"):
        one = sync(verb, ["color"], by=hook, object="cars", key="vin")
        assert [outcome.status for outcome in one.send({"W-1": {"color": verb}})] == [Status.SUCCEEDED]
    assert all(version in entry.path for entry in box.log)
    assert box.violations("hubspot") == []
