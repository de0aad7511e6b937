"""Which record a row means: keys, their uniqueness, and what becomes of them."""

from __future__ import annotations

import pytest
import requests

from airflow_reverse_etl.destinations.hubspot.sandbox import DEFAULT_TOKEN


@pytest.fixture
def send(box):
    """Return `send(method, path, body)`: one request to the fake with its token."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {DEFAULT_TOKEN}"
        yield lambda method, path, body=None, **how: session.request(
            method, f"{box.url}/hubspot{path}", json=body, timeout=10, **how
        )


@pytest.fixture
def batch(send):
    """Return `batch(verb, inputs)`: one batch of contacts, 2026-03."""

    def batch(verb, inputs, *, kind="contacts", base="/crm/objects/2026-03", **more):
        return send("POST", f"{base}/{kind}/batch/{verb}", {"inputs": inputs, **more})

    return batch


def upserts(*rows, key="email", traced=True):
    """Return inputs of an upsert by `key`, each with its place as trace id."""
    return [
        {"id": row[key], "idProperty": key, "properties": row} | ({"objectWriteTraceId": str(place)} if traced else {})
        for place, row in enumerate(rows)
    ]


def test_an_upsert_by_the_key_of_an_archived_record_creates_anew(box, batch):
    """What is archived gives its unique values up."""
    (old,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com", "customer_id": "c1"}])
    batch("archive", [{"id": old}])
    (result,) = batch("upsert", upserts({"email": "ann@example.com", "customer_id": "c1"})).json()["results"]
    assert result["new"] is True
    assert result["id"] != old


@pytest.mark.parametrize(
    ("kind", "key", "row"),
    [
        ("companies", "domain", {"domain": "a.com", "name": "A"}),
        ("deals", "dealname", {"dealname": "D", "dealstage": "closedwon"}),
        ("contacts", "hs_object_id", {"hs_object_id": "1"}),
    ],
)
def test_a_key_must_be_unique(box, batch, kind, key, row):
    """Only `email` of contacts and properties with hasUniqueValue identify a record, for upsert, update and read."""
    for verb in ("upsert", "update"):
        answer = batch(verb, upserts(row, key=key), kind=kind)
        assert answer.status_code == 400
        assert "Unable to perform update/upsert by non-unique 0-" in answer.json()["message"]
        assert f"property {key}" in answer.json()["message"]
    assert batch("read", [{"id": "a"}], kind=kind, idProperty=key).status_code == 400
    assert box.objects("hubspot")[kind] == 0


def test_an_upsert_needs_a_key_property(box, batch):
    """An input without idProperty refuses the whole upsert."""
    answer = batch("upsert", [{"id": "a", "properties": {"firstname": "A"}}])
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert len(box.violations("hubspot")) == 1


@pytest.mark.parametrize("traced", [True, False])
def test_duplicate_ids_refuse_the_batch_with_and_without_trace_ids(box, batch, traced):
    """Two e-mails that differ in case and blanks are one id."""
    rows = [{"email": "Ann@example.com"}, {"email": "ann@example.com "}, {"email": "bob@example.com"}]
    answer = batch("upsert", upserts(*rows, traced=traced))
    assert answer.status_code == 400
    assert answer.json()["message"] == ("Duplicate IDs found in batch input: [ann@example.com]. IDs must be unique")
    assert answer.json()["context"] == {"ids": ["ann@example.com"]}
    assert box.objects("hubspot")["contacts"] == 0
    assert len(box.violations("hubspot")) == 1


def test_two_rows_cannot_take_one_unique_value(box, batch):
    """Without trace ids the batch is refused; with them the first row wins."""
    rows = [{"email": "a@x.com", "customer_id": "c1"}, {"email": "b@x.com", "customer_id": "c1"}]
    assert batch("upsert", upserts(*rows, traced=False)).status_code == 400
    assert box.objects("hubspot")["contacts"] == 0
    answer = batch("upsert", upserts(*rows)).json()
    assert [result["objectWriteTraceId"] for result in answer["results"]] == ["0"]
    assert "already has that value." in answer["errors"][0]["message"]


def test_a_unique_value_belongs_to_one_record(box, batch):
    """A value that another record has is a bad row, whose error names that record."""
    first, second = box.seed(
        "hubspot", "contacts", [{"email": "a@x.com", "customer_id": "c1"}, {"email": "b@x.com", "customer_id": "c2"}]
    )
    answer = batch("update", [{"id": second, "properties": {"customer_id": "c1"}, "objectWriteTraceId": "7"}])
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["category"]) == (207, "VALIDATION_ERROR")
    assert error["message"] == (
        "Cannot set PropertyValueCoordinates{portalId=24681357, "
        "objectTypeId=ObjectTypeId{legacyObjectType=CONTACT}, propertyName=customer_id, value=c1} "
        f"on {second}. {first} already has that value."
    )
    assert batch("update", [{"id": second, "properties": {"customer_id": "c1"}}]).status_code == 400
    released = [{"id": first, "properties": {"customer_id": ""}}]
    assert batch("update", released).status_code == 200
    assert batch("update", [{"id": second, "properties": {"customer_id": "c1"}}]).status_code == 200


def test_companies_are_not_deduplicated_by_domain(box, batch):
    """Two companies may have one domain."""
    inputs = [{"properties": {"name": "Acme", "domain": "acme.com"}}] * 2
    assert batch("create", inputs, kind="companies").status_code == 201
    assert box.objects("hubspot")["companies"] == 2


def test_an_update_by_a_unique_property(box, batch):
    """With idProperty, `id` is a unique value; one that nobody has is missing."""
    (ann,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com", "customer_id": "c1"}])
    rows = [{"customer_id": "c1", "score": "1"}, {"customer_id": "c9", "score": "1"}]
    answer = batch("update", upserts(*rows, key="customer_id"))
    assert [result["id"] for result in answer.json()["results"]] == [ann]
    assert answer.json()["errors"][0]["context"] == {"ids": ["c9"]}
    assert box.objects("hubspot")["contacts"] == 1


def test_additional_emails_lead_to_the_same_contact(box, batch):
    """An upsert by a secondary e-mail updates the contact that has it; its key may change that way."""
    (ann,) = box.seed("hubspot", "contacts", [{"email": "ann@example.com", "hs_additional_emails": "a2@example.com"}])
    row = {"id": "A2@example.com", "idProperty": "email", "properties": {"firstname": "Ann"}}
    (result,) = batch("upsert", [row]).json()["results"]
    assert (result["id"], result["new"]) == (ann, False)
    assert box.records("hubspot", "contacts")[0]["email"] == "ann@example.com"


def test_an_upsert_without_its_key_among_the_properties_sets_it(box, batch):
    """The id of a new record becomes the value of its key property."""
    row = {"id": "c1", "idProperty": "customer_id", "properties": {"email": "ann@example.com"}}
    batch("upsert", [row])
    assert box.records("hubspot", "contacts")[0]["customer_id"] == "c1"


def test_a_merged_id_means_the_survivor(box, batch, send):
    """Writes to the id that was merged away change the record that is left."""
    ann, twin = box.seed("hubspot", "contacts", [{"email": "a@x.com"}, {"email": "b@x.com", "customer_id": "c2"}])
    send("POST", "/crm/objects/2026-03/contacts/merge", {"primaryObjectId": ann, "objectIdToMerge": twin})
    (result,) = batch("update", [{"id": twin, "properties": {"score": "5"}}]).json()["results"]
    assert result["id"] == ann
    (record,) = box.records("hubspot", "contacts")
    assert (record["score"], record["customer_id"]) == ("5", "c2")
    again = send("POST", "/crm/objects/2026-03/contacts/merge", {"primaryObjectId": ann, "objectIdToMerge": twin})
    assert again.status_code == 400
