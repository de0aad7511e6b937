"""SOQL on the sandbox's Salesforce: what it finds, how it pages, and what it refuses."""

from __future__ import annotations

import pytest
from salesforce_org import Org


@pytest.fixture
def org(box):
    """Give the sandbox's org, empty."""
    return Org(box)


@pytest.fixture
def filled(org):
    """Give an org with four accounts and a contact."""
    org.seed(
        {"Name": "Alpha", "External_Id__c": "A-1", "Strict_Id__c": "s", "Number_Id__c": 1, "aps__c": 0.9, "Site": "x",
         "Active__c": True, "Score_Date__c": "2026-01-01", "Scored_At__c": "2026-01-01T10:00:00Z", "Tier__c": "Gold"},
        {"Name": "beta", "External_Id__c": "b-2", "Strict_Id__c": "S", "Number_Id__c": 2, "aps__c": 0.1, "Site": "X",
         "Score_Date__c": "2026-02-01", "Scored_At__c": "2026-02-01T10:00:00Z", "NumberOfEmployees": 10},
        {"Name": "O'Brien \\ Co", "External_Id__c": "line\nend", "aps__c": 0.5, "Opens_At__c": "08:00:00Z"},
        {"Name": "Delta"},
    )  # fmt: skip
    [parent] = [row["Id"] for row in org.records() if row["Name"] == "Alpha"]
    org.seed({"LastName": "Ann", "AccountId": parent, "Email": "ann@example.com"}, object="Contact")
    return org


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("Name = 'ALPHA'", "Alpha"),
        ("External_Id__c = 'a-1'", "Alpha"),
        ("External_Id__c IN ('a-1', 'B-2', 'nope')", "Alpha beta"),
        ("External_Id__c NOT IN ('a-1')", "beta O'Brien Delta"),
        ("Strict_Id__c = 'S'", "beta"),
        ("Strict_Id__c IN ('s')", "Alpha"),
        ("Number_Id__c IN (1, 2.0)", "Alpha beta"),
        ("Number_Id__c = 1e0", "Alpha"),
        ("NumberOfEmployees = 10", "beta"),
        ("aps__c > 0.1 AND aps__c <= 0.9", "Alpha O'Brien"),
        ("aps__c < 0.5", "beta"),
        ("aps__c >= 0.5", "Alpha O'Brien"),
        ("aps__c = null", "Delta"),
        ("aps__c != null AND Site != 'x'", "O'Brien"),
        ("Site <> 'x'", "O'Brien Delta"),
        ("Active__c = true", "Alpha"),
        ("Active__c = FALSE", "beta O'Brien Delta"),
        ("Score_Date__c = 2026-01-01", "Alpha"),
        ("Score_Date__c > 2026-01-01", "beta"),
        ("Scored_At__c >= 2026-01-01T10:00:00Z", "Alpha beta"),
        ("Scored_At__c > 2026-01-01T10:00:00.000+00:00", "beta"),
        ("Scored_At__c = 2026-02-01T11:00:00+01:00", "beta"),
        ("Opens_At__c = 08:00:00.000Z", "O'Brien"),
        ("Name = 'O\\'Brien \\\\ Co'", "O'Brien"),
        ("External_Id__c = 'line\\nend'", "O'Brien"),
        ("Name = '\\u0041lpha'", "Alpha"),
        ("(Name = 'alpha' OR Name = 'beta') AND NOT aps__c = 0.1", "Alpha"),
        ("Tier__c IN ('Gold', null)", "Alpha beta O'Brien Delta"),
        ("Owner.Alias = 'integ' AND Account.Name = 'delta'", "Delta"),
        ("Name > 'alpha' AND Name < 'E'", "beta Delta"),
    ],
)
def test_conditions(filled, where, expected):
    """A condition finds the records that Salesforce would find; text ignores case, unless the field does not."""
    found = filled.rows(f"SELECT Name FROM Account WHERE {where}")
    assert " ".join(row["Name"].removesuffix(" \\ Co") for row in found) == expected
    assert filled.violations() == []


def test_ids_in_conditions(filled):
    """Ids compare in either length and tell case apart; deleted ones are not found."""
    row_id = filled.records()[0]["Id"]
    for given in (row_id, row_id[:15]):
        assert filled.rows(f"SELECT Name FROM Account WHERE Id = '{given}'") == [{"Name": "Alpha"}]
        assert filled.rows(f"SELECT LastName FROM Contact WHERE AccountId IN ('{given}')") == [{"LastName": "Ann"}]
    filled.delete(f"sobjects/Account/{row_id}")
    assert filled.rows(f"SELECT Name FROM Account WHERE Id = '{row_id}'") == []
    assert filled.rows("SELECT Name FROM Account WHERE External_Id__c = 'a-1'") == []


def test_references_tell_case_apart(org):
    """Two ids that differ in case alone are two parents."""
    made = org.seed(*({"Name": f"n{number}"} for number in range(36)))
    org.seed(
        {"LastName": "upper", "AccountId": made[9]}, {"LastName": "lower", "AccountId": made[35]}, object="Contact"
    )
    assert made[9][:15].lower() == made[35][:15].lower()
    for soql in (
        f"SELECT LastName FROM Contact WHERE AccountId = '{made[9][:15]}'",
        f"SELECT LastName FROM Contact WHERE Account.Id = '{made[9][:15]}'",
    ):
        assert org.rows(soql) == [{"LastName": "upper"}]


def test_many_keys_in_one_query(org):
    """A list of 800 keys fits into one query and finds each record once."""
    keys = [f"k{number:03d}" for number in range(800)]
    org.seed(*({"Name": key, "External_Id__c": key} for key in keys))
    listed = ",".join(f"'{key}'" for key in [*keys, "K001"])
    found = org.rows(f"SELECT External_Id__c FROM Account WHERE External_Id__c IN ({listed})")
    assert [row["External_Id__c"] for row in found] == keys


def test_parent_fields(filled):
    """Fields of a related record come in an object of their own, with attributes, or as null."""
    filled.seed({"LastName": "Bob"}, object="Contact")
    soql = (
        "SELECT Id, LastName, Account.Name, Account.External_Id__c, Account.Owner.Name FROM Contact ORDER BY LastName"
    )
    ann, bob = filled.query(soql)[1]["records"]
    assert ann["attributes"] == {"type": "Contact", "url": f"/services/data/v62.0/sobjects/Contact/{ann['Id']}"}
    assert (ann["Account"]["Name"], ann["Account"]["External_Id__c"]) == ("Alpha", "A-1")
    assert ann["Account"]["Owner"]["Name"] == "Integration User"
    assert ann["Account"]["attributes"]["type"] == "Account"
    assert (list(bob), bob["Account"]) == (["attributes", "Id", "LastName", "Account"], None)
    assert filled.rows("SELECT Id FROM Contact WHERE Account.External_Id__c = 'a-1'") == [{"Id": ann["Id"]}]


def test_polymorphic_parent(org):
    """The name of a related record is read whichever object it belongs to."""
    [lead] = org.seed({"LastName": "L", "FirstName": "F", "Company": "x"}, object="Lead")
    org.seed({"Subject": "a", "WhoId": lead}, object="Task")
    [row] = org.query("SELECT Subject, Who.Name FROM Task")[1]["records"]
    assert (row["Who"]["Name"], row["Who"]["attributes"]["type"]) == ("F L", "Lead")
    assert org.rows("SELECT Subject FROM Task WHERE Who.Name = 'f l'") == [{"Subject": "a"}]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("Name", "Alpha beta Delta O'Brien"),
        ("Name DESC", "O'Brien Delta beta Alpha"),
        ("aps__c", "Delta beta O'Brien Alpha"),
        ("aps__c DESC NULLS LAST", "Alpha O'Brien beta Delta"),
        ("aps__c ASC NULLS FIRST", "Delta beta O'Brien Alpha"),
        ("Active__c DESC, Name", "Alpha beta Delta O'Brien"),
        ("Name LIMIT 2", "Alpha beta"),
        ("Name LIMIT 2 OFFSET 1", "beta Delta"),
        ("Name LIMIT 0", ""),
    ],
)
def test_order_and_limit(filled, order, expected):
    """Records come in the order that is asked for, nulls first unless told otherwise."""
    found = filled.rows(f"SELECT Name FROM Account ORDER BY {order}")
    assert " ".join(row["Name"].removesuffix(" \\ Co") for row in found) == expected


def test_count(filled):
    """SELECT COUNT() gives a number and no records."""
    expected = {"totalSize": 2, "done": True, "records": []}
    assert filled.query("SELECT COUNT() FROM Account WHERE aps__c > 0.2") == (200, expected)


def test_values_that_were_never_written(filled):
    """An empty field is null and an unticked box is false, never absent."""
    assert filled.rows("SELECT Name, aps__c, Active__c, BillingAddress FROM Account WHERE Name = 'Delta'") == [
        {"Name": "Delta", "aps__c": None, "Active__c": False, "BillingAddress": None}
    ]


def test_pages(org):
    """A long result comes in pages of 2000 that the locator continues, also after a record is gone."""
    org.seed(*({"Name": f"n{number}"} for number in range(4001)))
    status, page = org.query("SELECT Id, Name FROM Account")
    assert (status, len(page["records"]), page["done"], page["totalSize"]) == (200, 2000, False, 4001)
    org.delete(f"sobjects/Account/{org.records()[3000]['Id']}")
    names = [row["Name"] for row in page["records"]]
    while not page["done"]:
        assert page["nextRecordsUrl"].startswith("/services/data/v62.0/query/01g")
        page = org.get(page["nextRecordsUrl"])[1]
        names += [row["Name"] for row in page["records"]]
    assert names == [f"n{number}" for number in range(4001)]


def test_a_full_page_is_the_last(org):
    """A result that fills one page to the last row has no next page."""
    org.fake.settings.query_page = 200
    org.seed(*({"Name": f"n{number}"} for number in range(200)))
    page = org.query("SELECT Id FROM Account")[1]
    assert (len(page["records"]), page["done"], "nextRecordsUrl" in page) == (200, True, False)


def test_page_size(org):
    """A client may ask for pages of 200 to 2000 records."""
    org.seed(*({"Name": f"n{number}"} for number in range(500)))
    for asked, expected in ((300, 300), (10, 200), (9000, 500)):
        page = org.query("SELECT Id FROM Account", headers={"Sforce-Query-Options": f"batchSize={asked}"})[1]
        assert len(page["records"]) == expected


def test_locators_end(org):
    """A locator that is unknown or too old is 400 INVALID_QUERY_LOCATOR."""
    org.fake.settings.query_page = 200
    org.seed(*({"Name": f"n{number}"} for number in range(201)))
    page = org.query("SELECT Id FROM Account")[1]
    refused = (400, [{"message": "invalid query locator", "errorCode": "INVALID_QUERY_LOCATOR"}])
    assert org.get("query/01gFk0000009999IAA-200") == refused
    assert org.get("query/nonsense") == refused
    assert len(org.get(page["nextRecordsUrl"])[1]["records"]) == 1
    org.fake.settings.locator_seconds = 0.0
    assert org.get(page["nextRecordsUrl"]) == refused


def test_query_all_sees_the_recycle_bin(filled):
    """Deleted records are in queryAll only, and say that they are deleted."""
    filled.delete(f"sobjects/Account/{filled.records()[0]['Id']}")
    assert "Alpha" not in [row["Name"] for row in filled.rows("SELECT Name FROM Account")]
    body = filled.get("queryAll", params={"q": "SELECT Name FROM Account WHERE IsDeleted = true"})[1]
    assert [row["Name"] for row in body["records"]] == ["Alpha"]
    body = filled.get("queryAll", params={"q": "SELECT Name FROM Account WHERE External_Id__c = 'a-1'"})[1]
    assert body["totalSize"] == 1


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("", "MALFORMED_QUERY", "A query string has to be specified"),
        ("SELECT", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name LIKE 'a%'", "MALFORMED_QUERY", "unexpected token: 'LIKE'"),
        ('SELECT Id FROM Account WHERE Name = "a"', "MALFORMED_QUERY", "unexpected token: '\"'"),
        ("SELECT Id FROM Account WHERE Name = 'it's'", "MALFORMED_QUERY", "Row:1:Column:42"),
        ("SELECT Id FROM Account WHERE Name = 'a\\qb'", "MALFORMED_QUERY", "Illegal character sequence '\\q'"),
        ("SELECT Id FROM Account WHERE Name = Site", "MALFORMED_QUERY", "unexpected token: 'Site'"),
        ("SELECT Id FROM Account WHERE Name IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
        ("SELECT Id FROM Account WHERE a = 1 AND b = 2 OR c = 3", "MALFORMED_QUERY", "unexpected token: 'OR'"),
        ("SELECT Id FROM Account LIMIT 1.5", "MALFORMED_QUERY", "unexpected token: '1.5'"),
        ("SELECT Id, id FROM Account", "MALFORMED_QUERY", "duplicate field selected: id"),
        ("SELECT Id FROM Account GROUP BY Id", "MALFORMED_QUERY", "unexpected token: 'GROUP'"),
        ("SELECT * FROM Account", "MALFORMED_QUERY", "unexpected token: '*'"),
        ("SELECT Id FROM Nothing__c", "INVALID_TYPE", "sObject type 'Nothing__c' is not supported."),
        ("SELECT Foo FROM Account", "INVALID_FIELD", "No such column 'Foo' on entity 'Account'."),
        ("SELECT Id FROM Account WHERE Foo = 1", "INVALID_FIELD", "No such column 'Foo'"),
        ("SELECT Id FROM Account ORDER BY Foo", "INVALID_FIELD", "No such column 'Foo'"),
        ("SELECT Boss.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT Owner.Foo FROM Account", "INVALID_FIELD", "No such column 'Foo' on entity 'User'"),
        ("SELECT Id FROM Account WHERE Notes__c = 'x'", "INVALID_FIELD", "field 'Notes__c' can not be filtered"),
        ("SELECT Id FROM Account ORDER BY Notes__c", "INVALID_FIELD", "field 'Notes__c' can not be sorted"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "of type string and should be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE Number_Id__c = '5'", "INVALID_FIELD", "of type double and should not be"),
        ("SELECT Id FROM Account WHERE AnnualRevenue = '5'", "INVALID_FIELD", "of type double and should not be"),
        ("SELECT Id FROM Account WHERE Active__c = 'true'", "INVALID_FIELD", "of type boolean and should not be"),
        ("SELECT Id FROM Account WHERE Score_Date__c = '2026-01-01'", "INVALID_FIELD", "of type date and should not"),
        ("SELECT Id FROM Account WHERE Scored_At__c > 2026-01-01", "INVALID_FIELD", "of type dateTime and should not"),
        ("SELECT Id FROM Account WHERE Scored_At__c > 2026-01-99T00:00:00Z", "MALFORMED_QUERY", "invalid value"),
        ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Account WHERE Name = '" + "x" * 4001 + "'", "MALFORMED_QUERY", "longer than 4000 characters"),
    ],
)  # fmt: skip
def test_refused_queries(org, soql, code, words):
    """A query that Salesforce would not read is 400 with its code and words, and a violation."""
    status, [error] = org.query(soql)
    assert (status, error["errorCode"]) == (400, code)
    assert words in error["message"]
    assert [each["status"] for each in org.violations()] == [400]


def test_the_caret_points_at_the_place(org):
    """The message shows the statement with a caret under the place, and counts rows and columns."""
    [error] = org.query("SELECT Foo FROM Account")[1]
    lines = error["message"].split("\n")
    assert lines[:4] == ["", "SELECT Foo FROM Account", "       ^", "ERROR at Row:1:Column:8"]
    [error] = org.query("SELECT Id\nFROM Account\nWHERE  Foo = 1")[1]
    assert "ERROR at Row:3:Column:8" in error["message"]


def test_statement_length(org):
    """A statement may have 100,000 characters, of which a URL carries only some."""
    org.fake.settings.query_length = 50
    assert org.query("SELECT Id FROM Account WHERE Name = 'x'")[0] == 200
    assert org.query("SELECT Id FROM Account WHERE Name = 'xxxxxxxxxxxxxxxxxxx'")[0] == 400


def test_queries_are_get(org):
    """A query is not posted."""
    assert org.post("query", {"q": "SELECT Id FROM Account"})[0] == 405
