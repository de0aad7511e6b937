"""HubSpot's own Python client drives the fake: what it reads must be what it asked for."""

from __future__ import annotations

import pytest
from hubspot import HubSpot
from hubspot.crm import companies, contacts, objects, properties
from hubspot.crm.contacts.exceptions import ApiException

from airflow_reverse_etl.destinations.hubspot.sandbox import DEFAULT_TOKEN


@pytest.fixture
def client(box):
    """Return HubSpot's client, pointed at the sandbox."""
    return HubSpot(access_token=DEFAULT_TOKEN, host=f"{box.url}/hubspot")


def upsert_inputs(*rows):
    """Return the body of a contacts upsert by e-mail."""
    inputs = [
        contacts.SimplePublicObjectBatchInputUpsert(
            id=row["email"], id_property="email", properties=row, object_write_trace_id=str(place)
        )
        for place, row in enumerate(rows)
    ]
    return contacts.BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs)


def test_a_batch_upsert_creates_and_then_updates(client, box):
    """The first upsert of an e-mail is new, the second changes the same record."""
    row = {"email": "ann@example.com", "firstname": "Ann", "score": "12.5"}
    first = client.crm.contacts.batch_api.upsert(upsert_inputs(row))
    second = client.crm.contacts.batch_api.upsert(upsert_inputs({**row, "score": "13"}))
    assert [result.new for result in (*first.results, *second.results)] == [True, False]
    assert first.results[0].id == second.results[0].id
    assert first.results[0].object_write_trace_id == "0"
    (held,) = box.records("hubspot", "contacts")
    assert (held["firstname"], held["score"]) == ("Ann", "13")


def test_a_batch_upsert_with_a_bad_row_is_multi_status(client, box):
    """The client reads a 207: the good row as a result, the bad one as an error that names its trace id."""
    answer = client.crm.contacts.batch_api.upsert(
        upsert_inputs({"email": "good@example.com", "firstname": "A"}, {"email": "bad@example.com", "score": "many"})
    )
    assert type(answer).__name__.endswith("WithErrors")
    assert [result.object_write_trace_id for result in answer.results] == ["0"]
    assert answer.num_errors == 1
    assert answer.errors[0].context == {"objectWriteTraceId": ["1"]}
    assert "many was not a valid number." in answer.errors[0].message
    assert box.objects("hubspot")["contacts"] == 1


def test_batch_create_read_update_archive(client, box):
    """A company goes through its whole life in batches."""
    created = client.crm.companies.batch_api.create(
        companies.BatchInputSimplePublicObjectBatchInputForCreate(
            inputs=[
                companies.SimplePublicObjectBatchInputForCreate(
                    properties={"name": "Acme", "account_key": "a-1"}, associations=[]
                )
            ]
        )
    )
    company = created.results[0].id
    client.crm.companies.batch_api.update(
        companies.BatchInputSimplePublicObjectBatchInput(
            inputs=[companies.SimplePublicObjectBatchInput(id=company, properties={"aps": "0.75"})]
        )
    )
    read = client.crm.companies.batch_api.read(
        companies.BatchReadInputSimplePublicObjectId(
            inputs=[companies.SimplePublicObjectId(id="a-1")],
            id_property="account_key",
            properties=["name", "aps", "domain"],
            properties_with_history=[],
        )
    )
    values = read.results[0].properties
    assert (read.results[0].id, values["name"], values["aps"], values["domain"]) == (company, "Acme", "0.75", None)
    client.crm.companies.batch_api.archive(
        companies.BatchInputSimplePublicObjectId(inputs=[companies.SimplePublicObjectId(id=company)])
    )
    assert box.records("hubspot", "companies") == []
    assert box.violations("hubspot") == []


def test_single_records(client):
    """One contact is created, read by e-mail, changed, listed and deleted."""
    api = client.crm.contacts.basic_api
    made = api.create(
        contacts.SimplePublicObjectInputForCreate(properties={"email": "Bob@Example.com"}, associations=[])
    )
    read = api.get_by_id("bob@example.com", id_property="email", properties=["email", "vip"])
    assert (read.id, read.properties["email"], read.properties["vip"]) == (made.id, "bob@example.com", None)
    changed = api.update(made.id, contacts.SimplePublicObjectInput(properties={"vip": "true"}))
    assert changed.properties["vip"] == "true"
    assert [contact.id for contact in client.crm.contacts.get_all()] == [made.id]
    api.archive(made.id)
    with pytest.raises(ApiException) as gone:
        api.get_by_id(made.id)
    assert gone.value.status == 404


def test_pages_of_the_list_end(client, box):
    """The client's own paging loop sees every record once."""
    ids = box.seed("hubspot", "contacts", [{"email": f"p{n}@example.com"} for n in range(250)])
    listed = [contact.id for contact in client.crm.contacts.get_all()]
    assert listed == sorted(ids, key=int)


def test_a_create_conflict_is_an_exception_that_names_the_record(client, box):
    """A single create of an e-mail that is there fails with 409 and the id of the record that has it."""
    (existing,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com"}])
    with pytest.raises(ApiException) as refused:
        client.crm.contacts.basic_api.create(
            contacts.SimplePublicObjectInputForCreate(properties={"email": "ann@example.com"}, associations=[])
        )
    assert refused.value.status == 409
    assert f"Contact already exists. Existing ID: {existing}" in refused.value.body


def test_search(client, box):
    """The client finds records by a filter, sorted."""
    box.seed("hubspot", "contacts", [{"email": f"s{n}@example.com", "score": n} for n in range(5)])
    found = client.crm.contacts.search_api.do_search(
        contacts.PublicObjectSearchRequest(
            filter_groups=[{"filters": [{"propertyName": "score", "operator": "GTE", "value": "3"}]}],
            sorts=[{"propertyName": "score", "direction": "DESCENDING"}],
            properties=["score"],
            limit=10,
        )
    )
    assert (found.total, [contact.properties["score"] for contact in found.results]) == (2, ["4", "3"])


def test_properties(client):
    """A property is created, listed, changed and archived."""
    api = client.crm.properties.core_api
    tiers = [properties.OptionInput(label="Gold", value="gold", hidden=False, display_order=0)]
    api.create(
        "contacts",
        properties.PropertyCreate(
            name="tier",
            label="Tier",
            type="enumeration",
            field_type="select",
            group_name="contactinformation",
            options=tiers,
        ),
    )
    read = api.get_by_name("contacts", "tier")
    assert (read.type, [option.value for option in read.options]) == ("enumeration", ["gold"])
    api.update("contacts", "tier", properties.PropertyUpdate(label="Rank"))
    api.archive("contacts", "tier")
    names = {one.name for one in api.get_all("contacts").results}
    assert "tier" not in names
    assert {"email", "customer_id", "hs_object_id"} <= names


def test_a_custom_object(client, box):
    """The schemas endpoint names the type id, and the objects endpoint takes it."""
    box.define("hubspot", "subscriptions", [{"name": "sub_id", "hasUniqueValue": True}], required=["sub_id"])
    (schema,) = client.crm.schemas.core_api.get_all().results
    assert schema.name == "subscriptions"
    assert schema.required_properties == ["sub_id"]
    inputs = [
        objects.SimplePublicObjectBatchInputUpsert(
            id="s-1", id_property="sub_id", properties={"sub_id": "s-1"}, object_write_trace_id="0"
        )
    ]
    body = objects.BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs)
    for name in (schema.object_type_id, schema.fully_qualified_name):
        client.crm.objects.batch_api.upsert(name, body)
    assert [record["sub_id"] for record in box.records("hubspot", "subscriptions")] == ["s-1"]


def test_merge_and_erase(client, box):
    """After a merge the old id means the survivor; an erased contact is gone."""
    ann, twin = box.seed(
        "hubspot", "contacts", [{"email": "ann@example.com"}, {"email": "ann2@example.com", "firstname": "Ann"}]
    )
    client.crm.contacts.basic_api.merge(contacts.PublicMergeInput(primary_object_id=ann, object_id_to_merge=twin))
    found = client.crm.contacts.basic_api.get_by_id(twin, properties=["firstname"])
    assert (found.id, found.properties["firstname"]) == (ann, "Ann")
    client.crm.contacts.basic_api.purge(contacts.PublicGdprDeleteInput(object_id=ann))
    assert box.records("hubspot", "contacts") == []
