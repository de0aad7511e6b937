"""sObject Collections of the sandbox's Salesforce: order, partial success, keys, ids, references, limits."""

from __future__ import annotations

import itertools

import pytest
from salesforce_org import Org, collection, errors

from airflow_reverse_etl.destinations.salesforce.sandbox import ids

ROLLED_BACK = "ALL_OR_NONE_OPERATION_ROLLED_BACK"


@pytest.fixture
def org(box):
    """Give the sandbox's org, empty."""
    return Org(box)


def test_results_come_in_order(org):
    """A call answers 200 with one result per record, in order; failed ones have no id."""
    status, results = org.create([{"Name": "a"}, {"Site": "no name"}, {"Name": "c"}])
    assert status == 200
    assert [list(row) for row in results] == [
        ["id", "success", "errors"],
        ["success", "errors"],
        ["id", "success", "errors"],
    ]
    assert [row["Name"] for row in org.records()] == ["a", "c"]
    assert [row["Id"] for row in org.records()] == [results[0]["id"], results[2]["id"]]


def test_ids():
    """Ids carry the vendor's checksum, tell case apart in 15 characters, and survive any case in 18."""
    assert ids.lengthen("001xx000003DGb2") == "001xx000003DGb2AAG"
    assert ids.canonical("001xx000003DGb2") == "001xx000003DGb2AAG"
    assert ids.canonical("001XX000003dgb2aag") == "001xx000003DGb2AAG"
    assert ids.canonical("001xx000003dgb2") != ids.canonical("001xx000003DGb2")
    for wrong in (
        "",
        "001xx000003DGb",
        "001xx000003DGb2A",
        "001xx000003DGb2AA!",
        "001xx000003DGb2AA9",
        "001xx000003DGb2BAG",
        7,
        None,
    ):
        assert ids.canonical(wrong) is None
    made = list(itertools.islice(ids.sequence("001"), 4999))
    assert len(set(made)) == 4999
    assert all(len(each) == 18 and ids.lengthen(each[:15]) == each for each in made)
    # Some ids differ in case alone, as they do on a real org.
    assert len({each[:15].lower() for each in made}) < 4999


def test_update_by_id(org):
    """Both lengths of an id name the record; fields that are not mentioned stay."""
    row_id = org.seed({"Name": "a", "Site": "s"})[0]
    rows = [{"id": row_id[:15], "aps__c": 0.5}, {"Id": row_id, "Rating": "Hot"}, {"ID": row_id}]
    status, results = org.update(rows)
    assert (status, results) == (200, [{"id": row_id, "success": True, "errors": []}] * 3)
    assert org.rows("SELECT Name, Site, aps__c, Rating FROM Account") == [
        {"Name": "a", "Site": "s", "aps__c": 0.5, "Rating": "Hot"}
    ]


def test_update_of_what_is_not_there(org):
    """A missing id, a malformed one, another object's, an unknown one and a deleted one have codes of their own."""
    gone, live = org.seed({"Name": "gone"}, {"Name": "live"})
    org.delete(f"sobjects/Account/{gone}")
    given = [None, "abc", "003Fk0000000001IAA", "001Fk0000009999", gone, live[:14] + live[14].swapcase()]
    results = org.update([{"id": each, "Name": "x"} if each else {"Name": "x"} for each in given])[1]
    assert errors(results) == [
        "MISSING_ARGUMENT",
        "MALFORMED_ID",
        "MALFORMED_ID",
        "INVALID_CROSS_REFERENCE_KEY",
        "ENTITY_IS_DELETED",
        "",
    ]
    assert results[1]["errors"][0] == {
        "statusCode": "MALFORMED_ID",
        "message": "Account ID: id value of incorrect type: abc",
        "fields": ["Id"],
    }
    assert results[3]["errors"][0]["message"] == "invalid cross reference id"
    assert results[0]["errors"][0]["message"] == "Id not specified in an update call"


def test_two_ids_that_differ_in_case(org):
    """Ids of 15 characters that differ in case are two records."""
    made = org.seed(*({"Name": f"n{number}"} for number in range(36)))
    upper, lower = made[9], made[35]
    assert upper[:15].lower() == lower[:15].lower()
    org.update([{"id": upper[:15], "Site": "upper"}, {"id": lower[:15], "Site": "lower"}])
    found = {row["Id"]: row["Site"] for row in org.records() if row.get("Site")}
    assert found == {upper: "upper", lower: "lower"}


def test_one_record_twelve_times(org):
    """The same record may be updated twelve times in one call; the thirteenth is refused."""
    [row_id] = org.seed({"Name": "a"})
    results = org.update([{"id": row_id, "aps__c": number} for number in range(13)])[1]
    assert errors(results) == [""] * 12 + ["DUPLICATE_VALUE"]
    assert org.records()[0]["aps__c"] == 11


def test_upsert_creates_then_updates(org):
    """Upsert says what it did; required fields count on create only; a repeat changes nothing."""
    row = {"External_Id__c": "k1", "Name": "One"}
    first = org.upsert([row])[1]
    assert (first[0]["created"], list(first[0])) == (True, ["id", "success", "errors", "created"])
    again = org.upsert([row])[1]
    assert (again[0]["id"], again[0]["created"]) == (first[0]["id"], False)
    assert org.upsert([{"External_Id__c": "k1", "Site": "s"}])[1][0]["success"] is True
    assert errors(org.upsert([{"External_Id__c": "k2", "Site": "s"}])[1]) == ["REQUIRED_FIELD_MISSING"]
    assert org.rows("SELECT External_Id__c, Name, Site FROM Account") == [{**row, "Site": "s"}]


def test_external_ids_compare(org):
    """Keys ignore case and blanks around them, unless the field is case-sensitive; numbers compare as numbers."""
    org.seed({"Name": "a", "External_Id__c": "Key", "Strict_Id__c": "Key", "Number_Id__c": 7})
    assert [row["created"] for row in org.upsert([{"External_Id__c": " kEY ", "Site": "1"}])[1]] == [False]
    assert [row["created"] for row in org.upsert([{"Strict_Id__c": "Key ", "Site": "2"}], "Strict_Id__c")[1]] == [False]
    created = org.upsert([{"Strict_Id__c": "kEY", "Name": "b"}], "Strict_Id__c")[1]
    assert [row["created"] for row in created] == [True]
    for number in (7, 7.0, "7"):
        assert [row["created"] for row in org.upsert([{"number_id__C": number, "Site": "3"}], "Number_Id__c")[1]] == [
            False
        ]
    assert [row["Strict_Id__c"] for row in org.records()] == ["Key", "kEY"]


def test_same_key_twice(org):
    """All rows that share a key in one call are refused, also when they differ in case; the others land."""
    keys = ["k1", "k2", "K1 ", "k3"]
    results = org.upsert([{"External_Id__c": key, "Name": key} for key in keys])[1]
    assert errors(results) == ["DUPLICATE_VALUE", "", "DUPLICATE_VALUE", ""]
    assert results[0]["errors"][0] == {
        "statusCode": "DUPLICATE_VALUE",
        "message": "Duplicate external id specified: k1",
        "fields": ["External_Id__c"],
    }
    assert [row["Name"] for row in org.records()] == ["k2", "k3"]


def test_key_of_several_records(org):
    """A key that several records have is refused with their ids."""
    found = org.seed({"Name": "a", "Loose_Id__c": "x"}, {"Name": "b", "Loose_Id__c": "X"})
    [error] = org.upsert([{"Loose_Id__c": "x", "Site": "s"}], "Loose_Id__c")[1][0]["errors"]
    assert error == {
        "statusCode": "DUPLICATE_EXTERNAL_ID",
        "message": f"Loose Id: more than one record found for external id field: [{found[0]}, {found[1]}]",
        "fields": ["Loose_Id__c"],
    }


@pytest.mark.parametrize("key", [None, "", "  "])
def test_empty_key(org, key):
    """A row without a key is refused, not created."""
    assert errors(org.upsert([{"External_Id__c": key, "Name": "a"}, {"Name": "b"}])[1]) == ["MISSING_ARGUMENT"] * 2
    assert org.records() == []


def test_upsert_by_email(org):
    """A field that Salesforce looks records up by serves as a key too."""
    org.seed({"LastName": "b", "Email": "ann@example.com"}, object="Contact")
    results = org.upsert([{"Email": "Ann@Example.com", "FirstName": "Ann"}], "Email", "Contact")[1]
    assert [row["created"] for row in results] == [False]


@pytest.mark.parametrize("key", ["Name", "Nope__c", "Id", "aps__c"])
def test_upsert_by_what_is_no_key(org, key):
    """Only external ids and lookup fields are keys; record ids are not."""
    message = f"Provided external ID field does not exist or is not accessible: {key}"
    assert org.upsert([{key: "x"}], key) == (404, [{"message": message, "errorCode": "NOT_FOUND"}])


def test_upsert_refuses_ids_and_other_types(org):
    """A record id or another type in an upsert fails the call."""
    assert org.upsert([{"External_Id__c": "k", "id": "001Fk0000000001"}])[0] == 400
    body = collection([{"External_Id__c": "k", "Name": "a"}], "Contact")
    status, [error] = org.patch("composite/sobjects/Account/External_Id__c", body)
    assert (status, error["errorCode"]) == (400, "INVALID_INPUT")
    assert len(org.violations()) == 2


def test_unique_values(org):
    """A create or update that takes another record's unique value is refused and names that record in 15 characters."""
    first, second = org.seed({"Name": "a", "External_Id__c": "x"}, {"Name": "b", "External_Id__c": "y"})
    message = f"duplicate value found: External_Id__c duplicates value on record with id: {first[:15]}"
    for results in (
        org.create([{"Name": "c", "External_Id__c": "X"}])[1],
        org.update([{"id": second, "External_Id__c": "x "}])[1],
    ):
        assert results[0]["errors"] == [{"statusCode": "DUPLICATE_VALUE", "message": message, "fields": []}]
    assert errors(org.update([{"id": first, "External_Id__c": "X"}])[1]) == [""]
    assert errors(org.update([{"id": first, "External_Id__c": None}])[1]) == [""]
    assert errors(org.create([{"Name": "c", "External_Id__c": "x"}, {"Name": "d", "External_Id__c": "x"}])[1]) == [
        "",
        "DUPLICATE_VALUE",
    ]


def test_a_deleted_record_frees_its_value(org):
    """The unique value of a deleted record can be used again; an upsert then creates."""
    org.upsert([{"External_Id__c": "k", "Name": "a"}])
    org.delete("composite/sobjects", params={"ids": org.records()[0]["Id"]})
    assert [row["created"] for row in org.upsert([{"External_Id__c": "k", "Name": "b"}])[1]] == [True]


def test_create_with_an_id(org):
    """A create that brings an id is refused by row."""
    [error] = org.create([{"id": "001Fk0000000001IAA", "Name": "a"}])[1][0]["errors"]
    assert (error["statusCode"], error["fields"]) == ("INVALID_FIELD_FOR_INSERT_UPDATE", ["Id"])


def test_delete(org):
    """Delete answers with the id of every row, also of those that fail."""
    first, second = org.seed({"Name": "a"}, {"Name": "b"})
    given = [first, second[:15], first, "001Fk0000009999IAA", "zzzFk0000009999", "x"]
    status, results = org.delete("composite/sobjects", params={"ids": ",".join(given)})
    assert status == 200
    assert [row["id"] for row in results] == [first, second, *given[2:]]
    assert errors(results) == [
        "",
        "",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MALFORMED_ID",
    ]
    assert results[2]["errors"] == [{"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}]
    assert org.records() == []


@pytest.mark.parametrize("count", [0, 201])
def test_number_of_records(org, count):
    """A call takes 1 to 200 records; another number is 400 with nothing written."""
    code = {0: "REQUIRED_FIELD_MISSING", 201: "EXCEEDED_ID_LIMIT"}[count]
    rows = [{"Name": f"n{number}", "External_Id__c": f"k{number}"} for number in range(count)]
    answers = [
        org.create(rows),
        org.update(rows),
        org.upsert(rows),
        org.delete("composite/sobjects", params={"ids": ",".join(["001Fk0000000001"] * count)}),
    ]
    assert [(status, body[0]["errorCode"]) for status, body in answers] == [(400, code)] * 4
    assert len(org.violations()) == 4
    assert org.records() == []


def test_two_hundred_records(org):
    """200 records fit into one call, and count as one request."""
    used = org.fake._org.usage.used
    assert errors(org.create([{"Name": f"n{number}"} for number in range(200)])[1]) == [""] * 200
    assert org.fake._org.usage.used == used + 1


def test_chunks(org):
    """Ten runs of one type fit into a call, eleven do not; the results stay in order."""
    rows = [
        {"attributes": {"type": kind}, **{"Account": {"Name": "a"}, "Contact": {"LastName": "c"}}[kind]}
        for kind in ["Account", "Contact"] * 5
    ]
    status, results = org.post("composite/sobjects", {"records": rows})
    assert [row["id"][:3] for row in results] == ["001", "003"] * 5
    rows.append({"attributes": {"type": "account"}, "Name": "b"})
    status, [error] = org.post("composite/sobjects", {"records": rows})
    assert (status, error["errorCode"]) == (400, "LIMIT_EXCEEDED")
    assert "more than 10 chunks" in error["message"]
    rows[-1] = {"attributes": {"type": "CONTACT"}, "LastName": "d"}
    assert org.post("composite/sobjects", {"records": rows})[0] == 200


def test_all_or_none(org):
    """With allOrNone one bad row takes everything back: creates, updates, deletes and the indexes."""
    kept, other = org.seed({"Name": "kept", "External_Id__c": "k"}, {"Name": "other"})
    body = {"allOrNone": True}
    created = org.create([{"Name": "a", "External_Id__c": "n"}, {"Name": None}], body=body)[1]
    assert errors(created) == [ROLLED_BACK, "REQUIRED_FIELD_MISSING"]
    assert "id" not in created[0]
    rows = [{"External_Id__c": "k", "Name": "changed"}, {"External_Id__c": "n", "Name": "new"}, {"External_Id__c": "z"}]
    upserted = org.upsert(rows, body=body)[1]
    assert errors(upserted) == [ROLLED_BACK, ROLLED_BACK, "REQUIRED_FIELD_MISSING"]
    updated = org.update([{"id": kept, "External_Id__c": "moved"}, {"id": other, "Name": ""}], body=body)[1]
    assert errors(updated) == [ROLLED_BACK, "REQUIRED_FIELD_MISSING"]
    assert updated[0]["id"] == kept
    params = {"ids": f"{kept},001Fk0000009999", "allOrNone": "true"}
    assert errors(org.delete("composite/sobjects", params=params)[1]) == [ROLLED_BACK, "INVALID_CROSS_REFERENCE_KEY"]
    assert [(row["Name"], row.get("External_Id__c")) for row in org.records()] == [("kept", "k"), ("other", None)]
    assert org.rows("SELECT Name FROM Account WHERE External_Id__c IN ('moved', 'n')") == []
    recycled = org.get("queryAll", params={"q": "SELECT COUNT() FROM Account WHERE IsDeleted = true"})
    assert recycled[1]["totalSize"] == 0
    good = org.upsert([{"External_Id__c": "k", "Name": "changed"}, {"External_Id__c": "n", "Name": "new"}], body=body)[
        1
    ]
    assert errors(good) == ["", ""]


def test_objects_that_nobody_creates(org):
    """The organization itself cannot be created."""
    assert errors(org.create([{"Name": "x"}], "Organization")[1]) == ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"]


def test_old_versions(org):
    """Collections begin with version 42.0, their upsert with 46.0."""
    org.version = "v41.0"
    assert org.create([{"Name": "a"}])[0] == 404
    assert org.get("composite/sobjects/Account?ids=001Fk0000000001&fields=Name")[0] == 404
    org.version = "v45.0"
    assert org.create([{"Name": "a"}])[0] == 200
    assert org.upsert([{"External_Id__c": "k", "Name": "a"}])[0] == 404
    org.version = "v46.0"
    assert org.upsert([{"External_Id__c": "k", "Name": "a"}])[0] == 200


def test_get_records(org):
    """Records are read by id in the order that was asked for; null stands for what is not there."""
    first, second = org.seed({"Name": "a"}, {"Name": "b"})
    path = f"composite/sobjects/Account?ids={second},001Fk0000009999,{first[:15]}&fields=name,aps__c"
    status, found = org.get(path)
    assert status == 200
    assert found == [
        {
            "attributes": {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{second}"},
            "Name": "b",
            "aps__c": None,
        },
        None,
        {
            "attributes": {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{first}"},
            "Name": "a",
            "aps__c": None,
        },
    ]
    body = {"ids": [first] * 2000, "fields": ["Name"]}
    assert len(org.post("composite/sobjects/Account", body)[1]) == 2000


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"ids": ["001Fk0000000001"] * 2001, "fields": ["Name"]}, "EXCEEDED_ID_LIMIT"),
        ({"ids": [], "fields": ["Name"]}, "REQUIRED_FIELD_MISSING"),
        ({"ids": ["001Fk0000000001"], "fields": []}, "REQUIRED_FIELD_MISSING"),
        ({"ids": "001Fk0000000001", "fields": ["Name"]}, "JSON_PARSER_ERROR"),
        ({"ids": ["001Fk0000000001"], "fields": ["Nope__c"]}, "INVALID_FIELD"),
        ({"ids": ["003Fk0000000001"], "fields": ["Name"]}, "MALFORMED_ID"),
    ],
)
def test_get_records_refuses(org, body, code):
    """A read that asks for too much or for what cannot be is 400."""
    status, [error] = org.post("composite/sobjects/Account", body)
    assert (status, error["errorCode"]) == (400, code)
