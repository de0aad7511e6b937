"""The four job types of the Salesforce hook, against the sandbox over HTTP."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest
from salesforce_batches import make_batch, run_batch

from airflow_reverse_etl.destinations.salesforce.records import columns, encode
from airflow_reverse_etl.destinations.salesforce.shape import read_object
from airflow_reverse_etl.errors import BatchRejectedError
from airflow_reverse_etl.model import Batch, JobType, Limits, Status, Target

S, R = Status.SUCCEEDED, Status.REJECTED


def by(box, field, object="Account"):
    """Return the live records of an object by one of their fields."""
    return {record[field]: record for record in box.records("salesforce", object)}


def paths(box):
    """Return method and path of every request but logins."""
    return [(entry.method, entry.path.rpartition("/v62.0/")[2]) for entry in box.log if "oauth2" not in entry.path]


def test_talk_updates_accounts_by_id(box, sync):
    """The task of the talk: object and field in lower case, the default key, one describe and one call."""
    one, two = box.seed("salesforce", "Account", [{"Name": "One", "aps__c": 1}, {"Name": "Two"}])
    outcomes = sync("update", "account", {one: {"APS__C": 0.25}, two[:15]: {"APS__C": 0.75}})
    assert [(o.key, o.status, o.destination_id) for o in outcomes] == [(one, S, one), (two[:15], S, two)]
    assert {name: r["aps__c"] for name, r in by(box, "Name").items()} == {"One": 0.25, "Two": 0.75}
    assert paths(box) == [("GET", "sobjects/account/describe"), ("PATCH", "composite/sobjects")]


def test_upsert_creates_and_updates(box, sync):
    """An upsert by external id changes the record that is there, without regard to case, and creates the other."""
    (old,) = box.seed("salesforce", "Account", [{"Name": "Old", "External_Id__c": "K-1", "Phone": "1"}])
    outcomes = sync("upsert", "Account", {"k-1": {"Name": "Renamed"}, "k-2": {"Name": "New"}}, key="external_id__c")
    assert [o.status for o in outcomes] == [S, S]
    assert outcomes[0].destination_id == old
    assert {r["Name"]: r.get("Phone") for r in box.records("salesforce", "Account")} == {"Renamed": "1", "New": None}


def test_create_makes_new_records_and_tells_their_ids(box, sync):
    """A create without a key sends the rows as they are and returns the new ids in their order."""
    outcomes = sync("create", "Account", {"row 1": {"Name": "A"}, "row 2": {"Name": "B"}})
    records = by(box, "Id")
    assert [records[o.destination_id]["Name"] for o in outcomes] == ["A", "B"]
    assert [o.key for o in outcomes] == ["row 1", "row 2"]


def test_create_by_a_key_writes_the_key(box, sync):
    """A create with a key carries it, in its canonical text."""
    assert sync("create", "Account", {"7": {"Name": "A"}}, key="Number_Id__c")[0].status is S
    assert by(box, "Name")["A"]["Number_Id__c"] == 7


@pytest.mark.parametrize(
    ("key", "text", "value", "held"),
    [
        ("External_Id__c", "7", Decimal("7.00"), "7"),
        ("Number_Id__c", "7", Decimal("7.00"), 7),
        ("External_Id__c", "0b1e-a", "0B1E-A", "0b1e-a"),
    ],
)
def test_the_key_is_written_in_its_canonical_text(box, hook, *, key, text, value, held):
    """The warehouse's 7.00 is the key 7, and is written so; a UUID is lower-case however it is stored."""
    target = hook.check(Target("salesforce", "Account", key), [JobType.UPSERT], ["Name", key])
    columns = {"key": [text], key: [value], "Name": ["A"]}
    assert hook.send(Batch(JobType.UPSERT, target, pa.table(columns)))[0].status is S
    assert by(box, "Name")["A"][key] == held


def test_delete_by_id_and_what_is_already_gone(box, sync):
    """A delete removes records; one that is gone, or never was, has been deleted all the same."""
    one, two = box.seed("salesforce", "Account", [{"Name": "One"}, {"Name": "Two"}])
    assert [o.status for o in sync("delete", "Account", {one: {}})] == [S]
    outcomes = sync("delete", "Account", {one: {}, two: {}, "001000000000999AAA": {}})
    assert [(o.status, o.key) for o in outcomes] == [(S, one), (S, two), (S, "001000000000999AAA")]
    assert box.records("salesforce", "Account") == []


def test_update_by_external_id(box, sync):
    """Ids are looked up in one query; what matches nothing is NOT_FOUND, and nothing is created."""
    box.seed("salesforce", "Account", [{"Name": "A", "External_Id__c": "O'Brien \\ Söhne 💚"}])
    rows = {" o'brien \\ söhne 💚 ": {"Phone": "1"}, "nobody": {"Phone": "2"}}
    outcomes = sync("update", "Account", rows, key="External_Id__c")
    assert [(o.status, o.code) for o in outcomes] == [(S, ""), (R, "NOT_FOUND")]
    assert by(box, "Name")["A"]["Phone"] == "1"
    assert len(box.records("salesforce", "Account")) == 1


def test_ambiguous_keys_are_refused(box, sync):
    """A key that several records share is refused for update and delete; the message names the records."""
    twins = box.seed("salesforce", "Account", [{"Name": n, "Loose_Id__c": "k"} for n in ("A", "B")])
    for job, row in (("update", {"Phone": "1"}), ("delete", {})):
        (outcome,) = sync(job, "Account", {"K": row}, key="Loose_Id__c")
        assert (outcome.status, outcome.code, outcome.fields) == (R, "AMBIGUOUS_KEY", ("Loose_Id__c",))
        assert all(twin in outcome.message for twin in twins)
    assert len(box.records("salesforce", "Account")) == 2


def test_upsert_of_an_ambiguous_key_is_refused_by_salesforce(box, sync):
    """Salesforce's own refusal of a shared external id arrives in its words."""
    box.seed("salesforce", "Account", [{"Name": n, "Loose_Id__c": "k"} for n in ("A", "B")])
    (outcome,) = sync("upsert", "Account", {"k": {"Name": "C"}}, key="Loose_Id__c")
    assert (outcome.status, outcome.code) == (R, "DUPLICATE_EXTERNAL_ID")
    assert "more than one record found" in outcome.message


def test_delete_by_external_id(box, sync):
    """A delete by external id removes what matches; what matches nothing has succeeded without a call."""
    box.seed("salesforce", "Account", [{"Name": "A", "External_Id__c": "a"}])
    outcomes = sync("delete", "Account", {"A": {}, "gone": {}}, key="External_Id__c")
    assert [o.status for o in outcomes] == [S, S]
    assert box.records("salesforce", "Account") == []
    assert [o.status for o in sync("delete", "Account", {"A": {}}, key="External_Id__c")] == [S]
    assert sum(method == "DELETE" for method, _ in paths(box)) == 1


@pytest.mark.parametrize(
    ("key", "stored", "written", "found"),
    [
        ("External_Id__c", "Ann@X.com", " ann@x.COM ", True),
        ("Strict_Id__c", "Ann", "Ann", True),
        ("Strict_Id__c", "Ann", "ann", False),
        ("Number_Id__c", 7, "7", True),
        ("Number_Id__c", 7, "007.0", True),
        ("Number_Id__c", 7, "seven", False),
        ("NumberOfEmployees", 12, "12", True),
        ("NumberOfEmployees", 12, "12.5", False),
        ("Name", "A", "a", True),
        ("Score_Date__c", "2026-01-31", "2026-01-31", True),
        ("Score_Date__c", "2026-01-31", "31.1.2026", False),
        ("Industry", "Banking", "banking", True),
    ],
)
def test_keys_compare_as_the_field_does(box, sync, *, key, stored, written, found):
    """External ids ignore case and blanks unless told otherwise, numbers compare as numbers, dates exactly."""
    box.seed("salesforce", "Account", [{"Name": "A", key: stored}])
    (outcome,) = sync("update", "Account", {written: {"Phone": "1"}}, key=key)
    assert (outcome.status, outcome.code) == ((S, "") if found else (R, "NOT_FOUND"))


def test_two_ids_that_differ_in_case_are_two_records(box, hook):
    """A record Id is case-sensitive, 15 and 18 characters of it are one key."""
    target = hook.check(Target("salesforce", "Account"), [JobType.UPDATE], ["Phone"])
    form = target.key_form
    assert form.normal("001Fk0000000001IAA") == form.normal("001Fk0000000001")
    assert form.normal("001Fk000000000a") != form.normal("001Fk000000000A")
    assert (target.key, target.key_is_written) == ("Id", False)


def test_an_update_that_matches_no_record_is_not_found(box, sync):
    """An Id that is deleted or unknown is NOT_FOUND in Salesforce's words; one that is no Id never leaves."""
    (gone,) = box.seed("salesforce", "Account", [{"Name": "A"}])
    sync("delete", "Account", {gone: {}})
    rows = {key: {"Phone": "1"} for key in (gone, "001000000000999AAA", "001,x", "12")}
    outcomes = sync("update", "Account", rows)
    assert [o.code for o in outcomes] == ["NOT_FOUND", "NOT_FOUND", "MALFORMED_ID", "MALFORMED_ID"]
    assert "ENTITY_IS_DELETED: entity is deleted" in outcomes[0].message
    assert [o.status for o in sync("delete", "Account", {"001,x": {}})] == [R]


def test_a_delete_keeps_to_its_object(box, sync):
    """The Id of another object's record is refused: Salesforce itself would delete it."""
    (contact,) = box.seed("salesforce", "Contact", [{"LastName": "L"}])
    (outcome,) = sync("delete", "Account", {contact: {}})
    assert (outcome.status, outcome.code) == (R, "MALFORMED_ID")
    assert "no Id of Account" in outcome.message
    assert len(box.records("salesforce", "Contact")) == 1


def test_one_bad_record_leaves_the_others_alone(box, sync):
    """Refusals of Salesforce carry its code, words and fields, each on its own record."""
    rows = {
        "long": {"Name": "A", "AccountNumber": "x" * 41, "Tier__c": None},
        "pick": {"Name": "B", "AccountNumber": None, "Tier__c": "Tin"},
        "good": {"Name": "C", "AccountNumber": "1", "Tier__c": "Gold"},
        "none": {"Name": None, "AccountNumber": None, "Tier__c": None},
    }
    outcomes = sync("upsert", "Account", rows, key="External_Id__c")
    assert [(o.status, o.code, o.fields) for o in outcomes] == [
        (R, "STRING_TOO_LONG", ("AccountNumber",)),
        (R, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ("Tier__c",)),
        (S, "", ()),
        (R, "REQUIRED_FIELD_MISSING", ("Name",)),
    ]
    assert "data value too large" in outcomes[0].message
    assert [r["Name"] for r in box.records("salesforce", "Account")] == ["C"]


def test_what_cannot_be_written_is_refused_and_the_rest_is_sent(box, sync):
    """A value that is none of its field's type is CANNOT_ENCODE; the message names all such fields and no value."""
    rows = {
        "bad": {"Name": "A", "aps__c": "secret score", "NumberOfEmployees": "many"},
        "good": {"Name": "B", "aps__c": "1.5", "NumberOfEmployees": "3"},
    }
    bad, good = sync("upsert", "Account", rows, key="External_Id__c")
    assert (bad.status, bad.code, bad.fields) == (R, "CANNOT_ENCODE", ("aps__c", "NumberOfEmployees"))
    assert "aps__c (double)" in bad.message
    assert "secret" not in bad.message
    assert (good.status, by(box, "Name")["B"]["aps__c"]) == (S, 1.5)


def test_a_batch_of_nothing_but_bad_values_makes_no_call(box, sync, hook):
    """Where every record is refused here, Salesforce is not asked to do nothing."""
    (outcome,) = sync("upsert", "Account", {"a": {"Name": "A", "Active__c": None}}, key="External_Id__c")
    assert (outcome.code, outcome.fields) == ("CANNOT_ENCODE", ("Active__c",))
    assert [method for method, _ in paths(box)] == ["GET"]
    assert hook.calls == 1


def test_absent_null_and_empty(box, hook):
    """A NULL clears a field unless it shall be skipped, '' clears it, and a field that is not sent stays."""
    ids = box.seed("salesforce", "Account", [{"Name": n, "Phone": "1", "Website": "w", "aps__c": 1} for n in "ABC"])
    fields = ["Phone", "aps__c"]
    target = hook.check(Target("salesforce", "Account"), [JobType.UPDATE], fields)
    rows = {ids[0]: {"Phone": None, "aps__c": 2}, ids[1]: {"Phone": "", "aps__c": None}, ids[2]: {"Phone": "9"}}
    batch = make_batch(JobType.UPDATE, target, rows, fields)
    assert {o.status for o in hook.send(batch)} == {S}
    held = [(r.get("Phone"), r["Website"], r.get("aps__c")) for r in box.records("salesforce", "Account")]
    assert held == [(None, "w", 2), (None, "w", None), ("9", "w", None)]
    hook.send(replace(batch, skip_nulls=frozenset({"Phone"})))
    assert by(box, "Id")[ids[0]].get("Phone") is None
    assert by(box, "Id")[ids[2]]["Phone"] == "9"


def test_related_records_by_external_id(box, sync):
    """A lookup is set by the related record's external id; no match is a rejection, NULL empties the lookup."""
    (account,) = box.seed("salesforce", "Account", [{"Name": "A", "External_Id__c": "acc"}])
    box.seed("salesforce", "Contact", [{"LastName": "Three", "External_Id__c": "3", "AccountId": account}])
    rows = {
        "1": {"LastName": "One", "account.external_id__c": "acc"},
        "2": {"LastName": "Two", "account.external_id__c": "nobody"},
        "3": {"LastName": "Three", "account.external_id__c": None},
    }
    outcomes = sync("upsert", "Contact", rows, key="External_Id__c")
    assert [o.status for o in outcomes] == [S, R, S]
    assert outcomes[1].code == "INVALID_FIELD"
    assert "Foreign key external ID: nobody not found" in outcomes[1].message
    assert {n: r.get("AccountId") for n, r in by(box, "LastName", "Contact").items()} == {"One": account, "Three": None}


def test_related_records_by_a_number_and_of_several_kinds(box, sync):
    """A number external id goes as a number, a lookup to several objects names the one that is meant."""
    box.define("salesforce", "Parent__c", [{"name": "No__c", "type": "double", "externalId": True, "unique": True}])
    child = {"name": "Parent__c", "type": "reference", "referenceTo": ["Parent__c"], "relationshipName": "Parent__r"}
    box.define("salesforce", "Child__c", [child])
    (parent,) = box.seed("salesforce", "Parent__c", [{"Name": "P", "No__c": 7}])
    (outcome,) = sync("create", "Child__c", {"c": {"Name": "C", "parent__R.no__C": 7}})
    assert outcome.status is S
    assert by(box, "Name", "Child__c")["C"]["Parent__c"] == parent
    (lead,) = box.seed("salesforce", "Lead", [{"LastName": "L", "Company": "C", "Email": "l@x.com"}])
    (outcome,) = sync("create", "Task", {"t": {"Subject": "Call", "lead:who.email": "L@x.com"}})
    assert outcome.status is S
    assert by(box, "Subject", "Task")["Call"]["WhoId"] == lead


def test_duplicate_rules(box, sync):
    """Records that a duplicate rule objects to are refused, unless the options allow them."""
    box.settings("salesforce", duplicate_rules={"Account": "Phone"})
    box.seed("salesforce", "Account", [{"Name": "A", "Phone": "1"}])
    rows = {"b": {"Name": "B", "Phone": "1"}}
    assert sync("create", "Account", rows)[0].code == "DUPLICATES_DETECTED"
    assert sync("create", "Account", rows, allow_duplicates="true")[0].status is S


def test_batches_larger_than_a_query_can_name(box, sync):
    """200 long keys are looked up in several queries, each within the limit of an address, and each record is found."""
    keys = [f"{number:03d} " + "Ünïcödé+'&" * 20 for number in range(200)]
    box.seed("salesforce", "Account", [{"Name": f"A{n}", "External_Id__c": key} for n, key in enumerate(keys)])
    outcomes = sync("update", "Account", {key: {"Phone": key[:3]} for key in keys}, key="External_Id__c")
    assert {o.status for o in outcomes} == {S}
    assert all(r["Phone"] == r["External_Id__c"][:3] for r in box.records("salesforce", "Account"))
    assert sum(path == "query" for _, path in paths(box)) > 5


def test_all_pages_of_a_query_are_read(box, sync):
    """Matches on a later page count: the ambiguous key is seen although its second record comes last."""
    box.settings("salesforce", query_page=200)
    records = [{"Name": f"A{n}", "Loose_Id__c": f"k{n % 399}"} for n in range(401)]
    box.seed("salesforce", "Account", records)
    outcomes = sync("update", "Account", {f"k{n}": {"Phone": "1"} for n in range(200)}, key="Loose_Id__c")
    assert [o.key for o in outcomes if o.code == "AMBIGUOUS_KEY"] == ["k0", "k1"]
    assert sum(o.status is S for o in outcomes) == 198


def test_too_large_batches_and_records(box, hook, monkeypatch):
    """A body beyond the limit of a call is left to the engine to halve; a single record beyond it is refused."""
    rows = {"1": {"Name": "A", "Description": "x" * 600}, "2": {"Name": "B", "Description": "x" * 600}}
    target = hook.check(Target("salesforce", "Account", "External_Id__c"), [JobType.UPSERT], ["Name", "Description"])
    batch = make_batch(JobType.UPSERT, target, rows, ["Name", "Description"])
    monkeypatch.setattr(type(hook), "capabilities", replace(hook.capabilities, call=Limits(200, 1000)))
    with pytest.raises(BatchRejectedError) as refused:
        hook.send(batch)
    assert refused.value.code == "TOO_LARGE"
    assert hook.send(batch.slice(0, 1))[0].status is S
    monkeypatch.setattr(type(hook), "capabilities", replace(hook.capabilities, call=Limits(200, 500)))
    assert [o.code for o in hook.send(batch)] == ["TOO_LARGE", "TOO_LARGE"]


def test_find_sees_what_exists(box, hook):
    """A look-up tells id, time and number of the records under a key, and nothing of keys without one."""
    before = time.time() - 1
    box.seed("salesforce", "Account", [{"Name": n, "Loose_Id__c": k} for n, k in (("A", "a"), ("B", "b"), ("C", "B"))])
    target = hook.check(Target("salesforce", "Account", "Loose_Id__c"), [JobType.CREATE], ["Name", "Loose_Id__c"])
    found = hook.find(target, ["A", "b", "c"], before)
    ids = {r["Name"]: r["Id"] for r in box.records("salesforce", "Account")}
    assert set(found) == {"A", "b"}
    assert (found["A"].id, found["A"].count) == (ids["A"], 1)
    assert before - 1 <= found["A"].created_at <= time.time()
    assert found["b"].count == 2


def test_200_records_are_one_call(box, hook):
    """The largest batch goes out as one request with allOrNone off."""
    rows = {f"k{n}": {"Name": f"A{n}"} for n in range(200)}
    outcomes = run_batch(hook, "upsert", "Account", rows, key="External_Id__c", options={})
    assert {o.status for o in outcomes} == {S}
    assert hook.calls == 2
    assert hook.capabilities.call.records == 200


def test_usage_is_read_from_every_answer(box, hook, sync):
    """The org's count of API calls is on the hook after every answer."""
    assert hook.api_usage is None
    box.settings("salesforce", daily_api_requests=1000)
    sync("upsert", "Account", {"a": {"Name": "A"}}, key="External_Id__c")
    assert (hook.api_usage.used, hook.api_usage.allowed) == (2, 1000)


def test_connection_says_whose_it_is(box, hook):
    """The button of the connection form names org and host."""
    works, sentence = hook.test_connection()
    assert works, sentence
    assert "00DFk0000000001" in sentence
    assert "acme.my.salesforce.com" in sentence


def test_a_user_who_may_not_read_the_organisation_is_logged_in_all_the_same(box, hook):
    """The name of the org is a kindness, not a condition."""
    refused = [{"errorCode": "INVALID_TYPE", "message": "sObject type 'Organization' is not supported."}]
    box.faults("salesforce", "status", path="query", status=400, body=refused)
    assert hook.test_connection() == (
        True,
        "logged in to the Salesforce organisation 00DFk0000000001 at acme.my.salesforce.com",
    )


def test_text_with_half_a_character_is_refused():
    """What UTF-8 cannot hold is refused for its row; Arrow lets it pass inside JSON only."""
    shape = read_object({"name": "A", "fields": [{"name": "Notes__c", "type": "textarea"}]})
    how = columns(shape, ["Notes__c"], dt.UTC, lambda _name: shape)
    outcome = encode("A", how, "a", {"Notes__c": {"x": "\ud800"}}, None)
    assert (outcome.status, outcome.code) == (R, "CANNOT_ENCODE")
