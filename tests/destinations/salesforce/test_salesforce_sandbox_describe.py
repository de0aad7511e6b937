"""What the sandbox's Salesforce says of its objects and fields, and how a test adds to them."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from salesforce_org import Org, errors

FIELD_KEYS = """aggregatable autoNumber byteLength calculated calculatedFormula cascadeDelete caseSensitive
    compoundFieldName controllerName createable custom defaultValue defaultValueFormula defaultedOnCreate
    dependentPicklist deprecatedAndHidden digits displayLocationInDecimal encrypted externalId extraTypeInfo
    filterable filteredLookupInfo groupable highScaleNumber htmlFormatted idLookup inlineHelpText label length mask
    maskType name nameField namePointing nillable permissionable picklistValues polymorphicForeignKey precision
    queryByDistance referenceTargetField referenceTo relationshipName relationshipOrder restrictedDelete
    restrictedPicklist scale searchPrefilterable soapType sortable type unique updateable writeRequiresMasterRead"""
OBJECT_KEYS = """actionOverrides activateable childRelationships compactLayoutable createable custom customSetting
    deletable deprecatedAndHidden feedEnabled fields hasSubtypes isSubtype keyPrefix label labelPlural layoutable
    listviewable lookupLayoutable mergeable mruEnabled name namedLayoutInfos networkScopeFieldName queryable
    recordTypeInfos replicateable retrieveable searchLayoutable searchable sobjectDescribeOption supportedScopes
    triggerable undeletable updateable urls"""


@pytest.fixture
def org(box):
    """Give the sandbox's org, empty."""
    return Org(box)


def fields_of(org, name):
    """Give the fields of an object by their names."""
    return {field["name"]: field for field in org.get(f"sobjects/{name}/describe")[1]["fields"]}


def test_every_key_is_there(org):
    """Describe has every key that was seen on real orgs, for the object and for each field."""
    described = org.get("sobjects/Account/describe")[1]
    assert set(OBJECT_KEYS.split()) <= set(described)
    for field in described["fields"]:
        assert set(FIELD_KEYS.split()) <= set(field)


def test_object_names_ignore_case(org):
    """An object is found in any case and described under its own name."""
    assert org.get("sobjects/aCCount/describe")[1]["name"] == "Account"


def test_required_fields(org):
    """What a create needs can be read from describe: for an Account it is the name alone."""
    required = {
        name: [
            field["name"]
            for field in org.get(f"sobjects/{name}/describe")[1]["fields"]
            if field["createable"] and not field["nillable"] and not field["defaultedOnCreate"]
        ]
        for name in ("Account", "Contact", "Opportunity", "Lead")
    }
    assert required == {
        "Account": ["Name"],
        "Contact": ["LastName"],
        "Opportunity": ["Name", "StageName", "CloseDate"],
        "Lead": ["LastName", "Company"],
    }


def test_field_shapes(org):
    """Fields of each kind carry the attributes that tell a client how to write them."""
    account = fields_of(org, "Account")

    def shape(name, *keys):
        return tuple(account[name][key] for key in ("type", "soapType", *keys))

    assert shape("AnnualRevenue", "precision", "scale") == ("currency", "xsd:double", 18, 0)
    assert shape("NumberOfEmployees", "digits") == ("int", "xsd:int", 8)
    assert shape("OwnerId", "referenceTo", "relationshipName") == ("reference", "tns:ID", ["User"], "Owner")
    assert shape("aps__c", "scale", "label") == ("double", "xsd:double", 6, "Account Propensity Score")
    assert shape("Active__c", "nillable", "defaultValue") == ("boolean", "xsd:boolean", False, False)
    assert shape("Notes__c", "length", "filterable") == ("textarea", "xsd:string", 32768, False)
    assert shape("External_Id__c", "externalId", "idLookup", "unique", "caseSensitive") == (
        "string",
        "xsd:string",
        True,
        True,
        True,
        False,
    )
    assert account["Strict_Id__c"]["caseSensitive"] is True
    assert account["Loose_Id__c"]["unique"] is False
    assert [value["value"] for value in account["Tier__c"]["picklistValues"]] == ["Gold", "Silver", "Bronze"]
    assert account["Tier__c"]["restrictedPicklist"] is True
    assert account["Rating"]["restrictedPicklist"] is False
    assert account["BillingAddress"]["type"] == "address"
    assert account["CreatedDate"]["createable"] is False


def test_polymorphic_and_read_only_fields(org):
    """References to several objects, auto-numbers and computed names are marked as such."""
    who = fields_of(org, "Task")["WhoId"]
    assert (who["referenceTo"], who["polymorphicForeignKey"]) == (["Contact", "Lead"], True)
    number = fields_of(org, "Case")["CaseNumber"]
    assert (number["autoNumber"], number["createable"], number["updateable"]) == (True, False, False)
    name = fields_of(org, "Contact")["Name"]
    assert (name["calculated"], name["createable"]) == (True, False)


def test_unchanged_describe_is_304(org):
    """A client that knows the present describe gets 304 without a body, until the schema changes."""
    org.get("sobjects/Account/describe")
    etag, modified = org.last.headers["ETag"], org.last.headers["Last-Modified"]
    assert org.get("sobjects/Account/describe", headers={"If-None-Match": etag}) == (304, None)
    assert org.get("sobjects/Account/describe", headers={"If-Modified-Since": modified}) == (304, None)
    assert org.get("sobjects/Account/describe", headers={"If-Modified-Since": formatdate(0, usegmt=True)})[0] == 200
    assert org.get("sobjects/Account/describe", headers={"If-Modified-Since": "yesterday"})[0] == 200
    org.box.define("salesforce", "Account", [{"name": "New__c", "type": "string"}])
    assert org.get("sobjects/Account/describe", headers={"If-None-Match": etag})[0] == 200
    assert org.get("sobjects/Account/describe", headers={"If-Modified-Since": modified})[0] == 200


def test_global_describe(org):
    """`sobjects` lists the objects with their prefixes and addresses."""
    body = org.get("sobjects")[1]
    assert (body["encoding"], body["maxBatchSize"]) == ("UTF-8", 200)
    account = next(each for each in body["sobjects"] if each["name"] == "Account")
    assert (account["keyPrefix"], account["createable"], account["custom"]) == ("001", True, False)
    assert account["urls"]["describe"] == "/services/data/v62.0/sobjects/Account/describe"


def test_define_a_custom_object(org):
    """A custom object is described, written and read like the others."""
    fields = [
        {"name": "Ext__c", "type": "string", "length": 40, "externalId": True, "unique": True},
        {"name": "Amount__c", "type": "currency", "precision": 10, "scale": 2},
        {"name": "Account__c", "type": "reference", "referenceTo": ["Account"], "relationshipName": "Account__r"},
        {"name": "Kind__c", "type": "picklist", "picklistValues": ["A", "B"], "restrictedPicklist": True},
    ]
    org.box.define("salesforce", "Invoice__c", fields)
    described = org.get("sobjects/invoice__c/describe")[1]
    assert (described["custom"], described["keyPrefix"]) == (True, "a00")
    [account] = org.seed({"Name": "Acme", "External_Id__c": "a-1"})
    row = {"Ext__c": "i-1", "Amount__c": 12.345, "Account__r": {"External_Id__c": "A-1"}, "Kind__c": "B"}
    [made] = org.upsert([row], "Ext__c", "Invoice__c")[1]
    assert made["id"].startswith("a00")
    found = org.rows("SELECT Ext__c, Amount__c, Account__c, Kind__c, Account__r.Name FROM Invoice__c")[0]
    assert found.pop("Account__r")["Name"] == "Acme"
    assert found == {"Ext__c": "i-1", "Amount__c": 12.345, "Account__c": account, "Kind__c": "B"}


def test_define_hides_and_replaces_fields(org):
    """A field that the API user may not see is neither described nor written; a field can be given anew."""
    org.box.define("salesforce", "Account", [{"name": "Secret__c", "type": "string", "accessible": False}])
    assert "Secret__c" not in fields_of(org, "Account")
    assert errors(org.create([{"Name": "a", "Secret__c": "x"}])[1]) == ["INVALID_FIELD"]
    assert org.query("SELECT Secret__c FROM Account")[0] == 400
    org.box.define("salesforce", "Account", [{"name": "Secret__c", "type": "boolean"}])
    assert errors(org.create([{"Name": "a", "Secret__c": True}])[1]) == [""]


def test_define_changes_how_a_key_compares(org):
    """An external id that is given anew as case-sensitive compares so from then on."""
    org.seed({"Name": "a", "External_Id__c": "x"})
    strict = {"name": "External_Id__c", "type": "string", "externalId": True, "unique": True, "caseSensitive": True}
    org.box.define("salesforce", "Account", [strict])
    assert [row["created"] for row in org.upsert([{"Name": "b", "External_Id__c": "X"}])[1]] == [True]
    assert [row["created"] for row in org.upsert([{"Name": "c", "External_Id__c": "x"}])[1]] == [False]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"fields": [{"name": "A__c"}]}, "a field needs name and type"),
        ({"fields": [{"name": "A__c", "type": "string", "size": 3}]}, "not size"),
        ({"fields": [{"name": "A__c", "type": "text"}]}, "unknown field type 'text'"),
        ({"key_prefix": "001"}, "belongs to Account"),
    ],
)
def test_define_says_what_is_wrong(org, arguments, words):
    """A definition that cannot be is refused in a sentence."""
    with pytest.raises(ValueError, match=words):
        org.box.define("salesforce", "Thing__c", **arguments)


def test_seed_says_what_is_wrong(org):
    """A seeded record goes through the same checks, and an unknown object is named."""
    with pytest.raises(ValueError, match="STRING_TOO_LONG"):
        org.seed({"Name": "x" * 256})
    with pytest.raises(ValueError, match="is no date"):
        org.seed({"Name": "a", "Score_Date__c": "31.01.2026"})
    with pytest.raises(LookupError, match="no object 'Nothing'"):
        org.seed({"Name": "a"}, object="Nothing")


def test_seed_writes_what_only_salesforce_writes(org):
    """A test may set the creation date, which no client can."""
    org.seed({"Name": "old", "CreatedDate": "2020-01-01T00:00:00.000+0000"})
    assert org.rows("SELECT Name, CreatedDate FROM Account WHERE CreatedDate < 2021-01-01T00:00:00Z") == [
        {"Name": "old", "CreatedDate": "2020-01-01T00:00:00.000+0000"}
    ]
    assert errors(org.create([{"Name": "x", "CreatedDate": "2020-01-01T00:00:00Z"}])[1]) == [
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    ]


def test_connection_and_coverage(org):
    """The connection is one that Airflow's Salesforce provider reads, and each line of COVERAGE is well formed."""
    connection = org.fake.connection("http://127.0.0.1:1/salesforce")
    assert connection["conn_type"] == "salesforce"
    assert connection["extra"]["base_url"] == "http://127.0.0.1:1/salesforce"
    assert connection["extra"]["domain"] == "acme.my"
    assert {state for _, state, _ in org.fake.COVERAGE} == {"faked", "partly", "not faked"}
    assert ("Bulk API 2.0 and 1.0", "not faked", "The paths answer 404.") in org.fake.COVERAGE
