"""What the sandbox's Salesforce takes as a value of each field type, what it stores, and in which words it refuses."""

from __future__ import annotations

import json

import pytest
from salesforce_org import Org, collection, errors


@pytest.fixture
def org(box):
    """Give the sandbox's org, empty."""
    return Org(box)


@pytest.fixture
def stored(org):
    """Return `stored(field, value, object="Account")`: write it and read it back through the API."""

    def stored(field, value, object="Account"):
        needed = {"Account": {"Name": "a"}, "Contact": {"LastName": "a"}}[object]
        status, results = org.create([{**needed, field: value}], object)
        assert status == 200, results
        assert errors(results) == [""]
        return org.rows(f"SELECT {field} FROM {object} WHERE Id = '{results[0]['id']}'")[0][field]

    return stored


@pytest.fixture
def refused(org):
    """Return `refused(field, value, object="Account")`: the one error of a row."""

    def refused(field, value, object="Account"):
        needed = {"Account": {"Name": "a"}, "Contact": {"LastName": "a"}, "Task": {}}[object]
        status, results = org.create([{**needed, field: value}], object)
        assert status == 200, results
        assert "id" not in results[0]
        assert org.violations() == []
        [error] = results[0]["errors"]
        return error["statusCode"], error["message"], error["fields"]

    return refused


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("Site", "  padded \n", "padded"),
        ("Site", "", None),
        ("Site", "   ", None),
        ("Site", "007", "007"),
        ("Site", "=1+1 O'Brien 🚀", "=1+1 O'Brien 🚀"),
        ("Notes__c", "two\nlines", "two\nlines"),
        ("Notes__c", "x" * 32768, "x" * 32768),
        ("aps__c", 0.5, 0.5),
        ("aps__c", 7, 7.0),
        ("aps__c", "1", 1.0),
        ("aps__c", "-1.5e2", -150.0),
        ("aps__c", 0.12345675, 0.12345675),
        ("aps__c", -0.0000005, -0.0000005),
        ("aps__c", 999999999999, 999999999999.0),
        ("AnnualRevenue", 1234567.5, 1234567.5),
        ("Discount__c", 12.345, 12.345),
        ("NumberOfEmployees", "12", 12),
        ("NumberOfEmployees", -99999999, -99999999),
        ("Active__c", True, True),
        ("Tier__c", "Gold", "Gold"),
        ("Rating", "Lukewarm", "Lukewarm"),
        ("Regions__c", "North;West", "North;West"),
        ("Score_Date__c", "2024-02-29", "2024-02-29"),
        ("Scored_At__c", "2026-01-31T01:02:03.999Z", "2026-01-31T01:02:03.000+0000"),
        ("Scored_At__c", "2026-01-31T01:02:03+02:00", "2026-01-30T23:02:03.000+0000"),
        ("Scored_At__c", "2026-01-31T01:02:03.000+0000", "2026-01-31T01:02:03.000+0000"),
        ("Scored_At__c", "2026-01-31T01:02:03", "2026-01-31T01:02:03.000+0000"),
        ("Opens_At__c", "08:30:00Z", "08:30:00.000Z"),
        ("Website", "https://example.com", "https://example.com"),
        ("Phone", "+1 (555) 0100", "+1 (555) 0100"),
    ],
)
def test_stored(stored, field, value, expected):
    """A good value is stored as Salesforce does: trimmed, with all decimals, in UTC and whole seconds."""
    found = stored(field, value)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Site", "x"),
        ("Tier__c", "Gold"),
        ("aps__c", 1),
        ("NumberOfEmployees", 1),
        ("Score_Date__c", "2026-01-01"),
        ("Scored_At__c", "2026-01-01T00:00:00Z"),
        ("Opens_At__c", "08:00:00Z"),
    ],
)
def test_null_clears(org, field, value):
    """Null empties a field; a field that is not mentioned stays."""
    [row_id] = org.seed({"Name": "a", "Rating": "Hot", field: value})
    org.update([{"id": row_id, field: None}])
    assert org.rows(f"SELECT {field}, Rating FROM Account") == [{field: None, "Rating": "Hot"}]


def test_field_names_ignore_case(org):
    """Objects and fields are matched in any case, and read back under their own names."""
    assert errors(org.create([{"nAME": "a", "APS__C": 0.5, "TIER__c": "Gold"}], "aCCOUNT")[1]) == [""]
    assert org.rows("select name, Aps__c, tier__C from account") == [{"Name": "a", "aps__c": 0.5, "Tier__c": "Gold"}]
    org.seed({"lastname": "b", "EMAIL": " Ann.B@Example.com "}, object="contact")
    assert [row["Email"] for row in org.records("Contact")] == ["Ann.B@Example.com"]


@pytest.mark.parametrize(
    ("field", "value", "code", "message"),
    [
        ("Tier__c", "Platinum", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
         "Tier: bad value for restricted picklist field: Platinum"),
        ("Regions__c", "North;Up", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
         "Regions: bad value for restricted picklist field: Up"),
        ("Active__c", None, "INVALID_TYPE_ON_FIELD_IN_RECORD", "Active: value not of required type: "),
        ("aps__c", 1e12, "NUMBER_OUTSIDE_VALID_RANGE",
         "Account Propensity Score: value outside of valid range on numeric field: 1000000000000.0"),
        ("NumberOfEmployees", 100000000, "NUMBER_OUTSIDE_VALID_RANGE",
         "Employees: value outside of valid range on numeric field: 100000000"),
        ("ParentId", "003Fk0000000001IAA", "MALFORMED_ID",
         "Parent Account ID: id value of incorrect type: 003Fk0000000001IAA"),
        ("ParentId", "", "MALFORMED_ID", "Parent Account ID: id value of incorrect type: "),
    ],
)  # fmt: skip
def test_refused_for_its_value(refused, field, value, code, message):
    """A value that the field does not take fails its row, names the field and quotes the label."""
    assert refused(field, value) == (code, message, [field])


def test_too_long(refused):
    """A text that is too long is refused with the limit; trailing blanks do not count."""
    assert refused("Site", "x" * 81) == (
        "STRING_TOO_LONG",
        f"Site: data value too large: {'x' * 81} (max length=80)",
        ["Site"],
    )
    assert refused("FirstName", "y" * 41, "Contact")[0] == "STRING_TOO_LONG"
    assert refused("Notes__c", "z" * 32769)[0] == "STRING_TOO_LONG"
    assert refused("Rating", "z" * 256)[0] == "STRING_TOO_LONG"


def test_bad_email(refused):
    """Something that is no e-mail address is refused with the vendor's sentence."""
    assert refused("Email", "badone", "Contact") == (
        "INVALID_EMAIL_ADDRESS",
        "Email: invalid email address: badone",
        ["Email"],
    )


def test_unknown_and_read_only_fields(refused):
    """An unknown field and one that may not be written fail the row, each with its own code."""
    assert refused("Nope__c", 1) == ("INVALID_FIELD", "No such column 'Nope__c' on sobject of type Account", [])
    code, message, fields = refused("CreatedDate", "2026-01-01T00:00:00Z")
    assert (code, fields) == ("INVALID_FIELD_FOR_INSERT_UPDATE", ["CreatedDate"])
    assert message.startswith("Unable to create/update fields: CreatedDate. Please check the security settings")
    assert refused("Name", "Ann B", "Contact")[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert refused("BillingAddress", {"city": "Ulm"})[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_first_error_counts(org):
    """Of several errors in one row the first of the vendor's checks is reported, whatever the order of the fields."""
    row = {"Name": "a", "Tier__c": "Tin", "Site": "x" * 99, "CreatedDate": "2026-01-01T00:00:00Z", "Nope__c": 1}
    assert errors(org.create([row])[1]) == ["INVALID_FIELD"]
    del row["Nope__c"]
    assert errors(org.create([row])[1]) == ["INVALID_FIELD_FOR_INSERT_UPDATE"]
    del row["CreatedDate"]
    assert errors(org.create([row])[1]) == ["STRING_TOO_LONG"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("aps__c", "N01", "instance of double from VALUE_STRING value N01"),
        ("aps__c", "", "instance of double from VALUE_STRING value "),
        ("aps__c", "1,5", "instance of double from VALUE_STRING value 1,5"),
        ("aps__c", "NaN", "instance of double from VALUE_STRING value NaN"),
        ("aps__c", True, "instance of double from VALUE_TRUE value true"),
        ("AnnualRevenue", "n/a", "instance of currency from VALUE_STRING value n/a"),
        ("NumberOfEmployees", 1.5, "instance of int from VALUE_NUMBER_FLOAT value 1.5"),
        ("NumberOfEmployees", "forty", "instance of int from VALUE_STRING value forty"),
        ("Active__c", "FALSE", "instance of boolean from VALUE_STRING value FALSE"),
        ("Active__c", 0, "instance of boolean from VALUE_NUMBER_INT value 0"),
        ("Score_Date__c", "2026-02-30", "instance of date from VALUE_STRING value 2026-02-30"),
        ("Score_Date__c", "20260130", "instance of date from VALUE_STRING value 20260130"),
        ("Score_Date__c", "", "instance of date from VALUE_STRING value "),
        ("Scored_At__c", "2026-01-01 00:00:00", "instance of datetime from VALUE_STRING value 2026-01-01 00:00:00"),
        ("Scored_At__c", "2026-01-01", "instance of datetime from VALUE_STRING value 2026-01-01"),
        ("Scored_At__c", "2026-13-01T00:00:00Z", "instance of datetime from VALUE_STRING value 2026-13-01T00:00:00Z"),
        ("Scored_At__c", "0001-01-01T00:00:00+10:00", "instance of datetime from VALUE_STRING"),
        ("Opens_At__c", "25:00:00Z", "instance of time from VALUE_STRING value 25:00:00Z"),
        ("Site", 7, "instance of string from VALUE_NUMBER_INT value 7"),
        ("Site", {"a": 1}, "instance of string from START_OBJECT value {"),
        ("Regions__c", ["North"], "instance of multipicklist from START_ARRAY value ["),
        ("ParentId", 5, "instance of reference from VALUE_NUMBER_INT value 5"),
        ("Parent", "x", "instance of reference from VALUE_STRING value x"),
    ],
)
def test_wrong_json_type_fails_the_call(org, field, value, words):
    """A wrong JSON type is 400 for the whole call with nothing written, points into the body, and is a violation."""
    rows = [{"Name": "good"}, {"Name": "bad", "Nope__c": 1, field: value}]
    status, [error] = org.create(rows)
    assert (status, error["errorCode"]) == (400, "JSON_PARSER_ERROR")
    assert error["message"].startswith(f"Cannot deserialize {words}")
    assert " or request may be missing a required field at [line:1, column:" in error["message"]
    assert org.records() == []
    assert [each["status"] for each in org.violations()] == [400]


def test_the_column_points_at_the_value(org):
    """The column in the parser's message is the place of the value in the body."""
    body = json.dumps(collection([{"Name": "a", "aps__c": "N01"}], "Account"), separators=(",", ":"))
    status, [error] = org.call("POST", "composite/sobjects", data=body, headers={"Content-Type": "application/json"})
    place = body.index('"N01"') + 1
    assert status == 400
    assert error["message"].endswith(f"[line:1, column:{place}]")


def test_wrong_json_type_by_record(org):
    """A switch tries the other theory: the record fails alone."""
    org.fake.settings.per_record_type_errors = True
    status, results = org.create([{"Name": "good"}, {"Name": "bad", "aps__c": "N01"}])
    assert (status, errors(results)) == (200, ["", "JSON_PARSER_ERROR"])
    assert [row["Name"] for row in org.records()] == ["good"]


def test_required_fields(org):
    """All required fields that a create lacks are named in one error; an update may not empty one."""
    [error] = org.create([{"Amount": 1}], "Opportunity")[1][0]["errors"]
    assert error == {
        "statusCode": "REQUIRED_FIELD_MISSING",
        "message": "Required fields are missing: [Name, StageName, CloseDate]",
        "fields": ["Name", "StageName", "CloseDate"],
    }
    [row_id] = org.seed({"Name": "a"})
    assert errors(org.update([{"id": row_id, "Name": None}])[1]) == ["REQUIRED_FIELD_MISSING"]
    assert errors(org.update([{"id": row_id, "Name": "  "}])[1]) == ["REQUIRED_FIELD_MISSING"]
    assert errors(org.update([{"id": row_id, "Rating": "Hot"}])[1]) == [""]


def test_defaults_and_computed_fields(org):
    """A new record has an owner, checkboxes that are false, default picklist values, a number and a full name."""
    org.create([{"Subject": "Help", "Status": None}], "Case")
    found = org.rows("SELECT CaseNumber, Status, Priority, OwnerId FROM Case")[0]
    assert found["CaseNumber"] == "00000001"
    assert (found["Status"], found["Priority"]) == (None, "Medium")
    assert found["OwnerId"].startswith("005")
    org.create([{"FirstName": "Ann", "LastName": "Bo", "OwnerId": None}], "Contact")
    assert org.rows("SELECT Name, DoNotCall FROM Contact") == [{"Name": "Ann Bo", "DoNotCall": False}]
    org.seed({"Name": "o", "StageName": "Closed Won", "CloseDate": "2026-01-01"}, object="Opportunity")
    assert org.rows("SELECT IsWon, IsClosed FROM Opportunity") == [{"IsWon": True, "IsClosed": True}]


def test_validation_rule(org):
    """A rule of the org refuses a record in its own words, on create and on update."""
    org.box.define(
        "salesforce", "Account", rule=lambda row: "Scores end at 1" if (row.get("aps__c") or 0) > 1 else None
    )
    [error] = org.create([{"Name": "a", "aps__c": 2}])[1][0]["errors"]
    assert (error["statusCode"], error["message"]) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Scores end at 1")
    [row_id] = org.seed({"Name": "a", "aps__c": 1})
    assert errors(org.update([{"id": row_id, "aps__c": 1.5}])[1]) == ["FIELD_CUSTOM_VALIDATION_EXCEPTION"]


def test_duplicate_rule(org):
    """A duplicate rule reports a record unless the client sends allowSave=true, from version 52.0 on."""
    org.fake.settings.duplicate_rules = {"Account": "Site"}
    org.seed({"Name": "a", "Site": "x"})
    row = {"Name": "b", "Site": "X"}
    [error] = org.create([row])[1][0]["errors"]
    assert error == {"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}
    header = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false"}
    org.version = "v51.0"
    assert errors(org.create([row], headers=header)[1]) == ["DUPLICATES_DETECTED"]
    org.version = "v52.0"
    assert errors(org.create([row], headers=header)[1]) == [""]
    assert errors(org.create([{"Name": "c", "Site": "y"}])[1]) == [""]
