"""References between records of the sandbox's Salesforce: by id and by the related record's external id."""

from __future__ import annotations

import pytest
from salesforce_org import Org, errors


@pytest.fixture
def org(box):
    """Give the sandbox's org, empty."""
    return Org(box)


def test_relationship_by_external_id(org):
    """A related record is named by its external id in any case; one that is not there refuses the row."""
    parent = org.seed({"Name": "Acme", "External_Id__c": "p1"})[0]
    rows = [
        {"LastName": "a", "Account": {"External_Id__c": "P1 "}},
        {"LastName": "b", "Account": {"External_Id__c": "0116"}},
        {"LastName": "c", "AccountId": parent[:15]},
        {"LastName": "d", "Account": {"Id": parent}},
        {"LastName": "e", "Account": {"Name": "Acme"}},
        {"LastName": "f", "Account": {"External_Id__c": "p1", "Name": "x"}},
        {"LastName": "g", "Account": {"External_Id__c": None}},
        {"LastName": "h", "account": {"attributes": {"type": "account"}, "external_id__c": "p1"}},
    ]
    results = org.create(rows, "Contact")[1]
    assert errors(results) == [
        "", "INVALID_FIELD", "", "", "INVALID_FIELD", "INVALID_FIELD", "INVALID_FIELD", ""
    ]  # fmt: skip
    message = "Foreign key external ID: 0116 not found for field External_Id__c in entity Account"
    assert results[1]["errors"] == [{"statusCode": "INVALID_FIELD", "message": message, "fields": []}]
    assert "does not match an External ID" in results[4]["errors"][0]["message"]
    assert {row["AccountId"] for row in org.records("Contact")} == {parent}
    contact = results[0]["id"]
    assert errors(org.update([{"id": contact, "Account": None}], "Contact")[1]) == [""]
    assert org.rows(f"SELECT AccountId FROM Contact WHERE Id = '{contact}'") == [{"AccountId": None}]


def test_relationship_that_is_ambiguous(org):
    """A related key that several records have refuses the row."""
    org.seed({"Name": "a", "Loose_Id__c": "x"}, {"Name": "b", "Loose_Id__c": "x"})
    assert errors(org.create([{"LastName": "a", "Account": {"Loose_Id__c": "x"}}], "Contact")[1]) == [
        "DUPLICATE_EXTERNAL_ID"
    ]


def test_relationship_within_one_call(org):
    """A reference is followed when its row's turn comes: a parent earlier in the same call is found."""
    rows = [
        {"attributes": {"type": "Account"}, "Name": "Acme", "External_Id__c": "new"},
        {"attributes": {"type": "Contact"}, "LastName": "a", "Account": {"External_Id__c": "new"}},
    ]
    assert errors(org.post("composite/sobjects", {"records": rows})[1]) == ["", ""]
    rows[0]["External_Id__c"] = rows[1]["Account"]["External_Id__c"] = "newer"
    assert errors(org.post("composite/sobjects", {"records": rows[::-1]})[1]) == ["INVALID_FIELD", ""]


def test_polymorphic_relationship(org):
    """A reference to one of several objects needs the type beside the key."""
    org.seed({"LastName": "c", "Email": "c@example.com"}, object="Contact")
    [lead] = org.seed({"LastName": "l", "Company": "x", "Email": "l@example.com"}, object="Lead")
    rows = [
        {"Subject": "a", "Who": {"attributes": {"type": "Lead"}, "Email": "L@example.com"}},
        {"Subject": "b", "Who": {"Email": "l@example.com"}},
        {"Subject": "c", "Who": {"attributes": {"type": "Account"}, "External_Id__c": "x"}},
        {"Subject": "d", "WhoId": lead},
    ]
    assert errors(org.create(rows, "Task")[1]) == ["", "INVALID_FIELD", "INVALID_FIELD", ""]
    assert {row["WhoId"] for row in org.records("Task")} == {lead}


def test_reference_to_what_is_gone(org):
    """An id that names a deleted or unknown record refuses the row."""
    [gone] = org.seed({"Name": "gone"})
    org.delete(f"sobjects/Account/{gone}")
    rows = [{"LastName": "a", "AccountId": gone}, {"LastName": "b", "AccountId": "001Fk0000009999"}]
    assert errors(org.create(rows, "Contact")[1]) == ["ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"]
