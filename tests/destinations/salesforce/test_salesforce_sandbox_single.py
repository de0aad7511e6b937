"""Single records of the sandbox's Salesforce: the statuses and bodies of each path."""

from __future__ import annotations

import pytest
from salesforce_org import Org

NOT_THERE = [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]


@pytest.fixture
def org(box):
    """Give the sandbox's org, empty."""
    return Org(box)


def test_create(org):
    """A create answers 201 with the place of the new record."""
    status, body = org.post("sobjects/account/", {"Name": "a"})
    assert (status, list(body)) == (201, ["id", "success", "errors"])
    assert org.last.headers["Location"] == f"/services/data/v62.0/sobjects/Account/{body['id']}"


def test_errors_name_their_fields(org):
    """A refused record is 400 with an `errorCode` and the fields."""
    assert org.post("sobjects/Account", {"Site": "x"}) == (
        400,
        [
            {
                "message": "Required fields are missing: [Name]",
                "errorCode": "REQUIRED_FIELD_MISSING",
                "fields": ["Name"],
            }
        ],
    )
    status, [error] = org.post("sobjects/Account", {"Name": "x", "aps__c": "N01"})
    assert (status, error["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert "fields" not in error
    status, [error] = org.post("sobjects/Account", {"Name": "x", "id": "001Fk0000000001"})
    assert error == {
        "message": "The id field should not be specified in the sobject data.",
        "errorCode": "INVALID_FIELD",
    }


def test_by_id(org):
    """A record is read, changed and deleted by either length of its id."""
    [row_id] = org.seed({"Name": "a"})
    assert org.patch(f"sobjects/Account/{row_id[:15]}", {"aps__c": 0.5}) == (204, None)
    status, body = org.get(f"sobjects/Account/{row_id}?fields=Name,aps__c")
    assert (status, body["Name"], body["aps__c"]) == (200, "a", 0.5)
    whole = org.get(f"sobjects/Account/{row_id}")[1]
    assert (whole["Id"], whole["IsDeleted"], whole["Score_Date__c"]) == (row_id, False, None)
    assert org.delete(f"sobjects/Account/{row_id}") == (204, None)
    assert org.delete(f"sobjects/Account/{row_id}") == (
        404,
        [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}],
    )


def test_what_is_not_there(org):
    """An unknown id is 404, and so is something that is no id."""
    assert org.get("sobjects/Account/001Fk0000009999") == (404, NOT_THERE)
    message = "Provided external ID field does not exist or is not accessible: nonsense"
    assert org.get("sobjects/Account/nonsense") == (404, [{"message": message, "errorCode": "NOT_FOUND"}])
    message = "Provided external ID field does not exist or is not accessible: Name"
    assert org.get("sobjects/Account/Name/x") == (404, [{"message": message, "errorCode": "NOT_FOUND"}])
    assert org.get("sobjects/Account/External_Id__c/x") == (404, NOT_THERE)
    assert org.get("sobjects/Account/001Fk0000009999?fields=Nope")[0] == 404


def test_upsert(org):
    """An upsert is 201 when it creates and 200 when it updates, and says so."""
    path = "sobjects/Account/External_Id__c/k%201"
    status, body = org.patch(path, {"Name": "a"})
    assert (status, body["created"]) == (201, True)
    assert org.patch(path, {"Site": "s"}) == (200, {**body, "created": False})
    assert org.rows("SELECT Name, Site, External_Id__c FROM Account") == [
        {"Name": "a", "Site": "s", "External_Id__c": "k 1"}
    ]


def test_upsert_before_46(org):
    """Before version 46.0 an upsert that updates is 204, and a create has no `created`."""
    org.version = "v45.0"
    assert "created" not in org.patch("sobjects/Account/External_Id__c/k", {"Name": "a"})[1]
    assert org.patch("sobjects/Account/External_Id__c/k", {"Name": "b"}) == (204, None)


def test_upsert_that_only_updates(org):
    """With updateOnly nothing is created."""
    assert org.patch("sobjects/Account/External_Id__c/k?updateOnly=true", {"Name": "a"}) == (404, NOT_THERE)
    org.seed({"Name": "a", "External_Id__c": "k"})
    assert org.patch("sobjects/Account/External_Id__c/K?updateOnly=true", {"Name": "b"})[0] == 200
    assert [row["Name"] for row in org.records()] == ["b"]


def test_upsert_keys(org):
    """The key stands in the path only; a slash in it is quoted; a number is compared as one."""
    status, [error] = org.patch("sobjects/Account/External_Id__c/k", {"External_Id__c": "k", "Name": "a"})
    assert (status, error["message"]) == (400, "The External_Id__c field should not be specified in the sobject data.")
    assert org.patch("sobjects/Account/External_Id__c/a%2Fb%3F", {"Name": "a"})[0] == 201
    assert org.records()[0]["External_Id__c"] == "a/b?"
    assert org.patch("sobjects/Account/Number_Id__c/7", {"Name": "n"})[0] == 201
    assert org.patch("sobjects/Account/number_id__c/7.0", {"Name": "n"})[0] == 200


def test_upsert_without_a_value(org):
    """A path that ends behind the field, or in blanks, is 405 and creates nothing."""
    for path in ("sobjects/Account/External_Id__c/", "sobjects/Account/External_Id__c/%20"):
        status, [error] = org.patch(path, {"Name": "a"})
        assert (status, error["errorCode"]) == (405, "METHOD_NOT_ALLOWED")
    assert org.records() == []


def test_ambiguous_key(org):
    """Several matches are 300 with the paths of the records, for every verb, and nothing is changed."""
    found = org.seed({"Name": "a", "Loose_Id__c": "x"}, {"Name": "b", "Loose_Id__c": "X"})
    expected = [f"/services/data/v62.0/sobjects/Account/{row_id}" for row_id in found]
    path = "sobjects/Account/Loose_Id__c/x"
    assert org.get(path) == (300, expected)
    assert org.patch(path, {"Name": "c"}) == (300, expected)
    assert org.delete(path) == (300, expected)
    assert [row["Name"] for row in org.records()] == ["a", "b"]


def test_by_key(org):
    """A record is read and deleted by its external id; `Id` as the field is the record's id."""
    [row_id] = org.seed({"Name": "a", "External_Id__c": "k"})
    assert org.get("sobjects/Account/External_Id__c/K")[1]["Id"] == row_id
    assert org.patch(f"sobjects/Account/Id/{row_id}", {"Name": "b"}) == (204, None)
    assert org.delete("sobjects/Account/External_Id__c/k") == (204, None)
    assert org.records() == []
