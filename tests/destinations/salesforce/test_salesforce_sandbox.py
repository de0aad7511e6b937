"""The sandbox's Salesforce, driven by simple-salesforce: a client that we did not write."""

from __future__ import annotations

import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from salesforce_org import Org, collection, local_session
from simple_salesforce import Salesforce, format_soql
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)


@pytest.fixture
def org(box):
    """Give the sandbox's org, empty."""
    return Org(box)


@pytest.fixture
def log_in(org):
    """Return `log_in(**arguments of Salesforce)`: a client on a session that leads to the sandbox."""

    def log_in(**how):
        return Salesforce(session=local_session(org), **how)

    return log_in


@pytest.fixture
def client(org, log_in):
    """Give a client that is logged in."""
    settings = org.fake.settings
    return log_in(consumer_key=settings.consumer_key, consumer_secret=settings.consumer_secret, domain="acme.my")


@pytest.fixture
def private_key(org):
    """Give the PEM of a key whose public half the org trusts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    org.box.settings("salesforce", jwt_public_key=public.decode())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def test_client_credentials(client):
    """The client credentials flow gives a token, and the host that the API is called on."""
    assert client.sf_instance == "acme.my.salesforce.com"
    assert client.limits()["DailyApiRequests"]["Max"] == 5_000_000


def test_airflows_own_hook_reads_the_connection(box):
    """Airflow's SalesforceHook logs in with the sandbox's connection, on a session that leads there."""
    from airflow.providers.salesforce.hooks.salesforce import SalesforceHook

    hook = SalesforceHook(session=local_session(Org(box)))
    assert hook.test_connection() == (True, "Connection successfully tested")
    assert "aps__c" in hook.get_available_fields("Account")


def test_soap_login(org, log_in):
    """A username, a password and a security token log in through SOAP."""
    settings = org.fake.settings
    how = {"username": settings.username, "password": settings.password}
    assert log_in(**how, security_token=settings.security_token).limits()
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        log_in(**how, security_token="wrong")


def test_soap_login_with_an_organization(org, log_in):
    """A client that names the organization needs no security token."""
    settings = org.fake.settings
    client = log_in(username=settings.username, password=settings.password, organizationId="00DFk0000000001")
    assert client.limits()


def test_soap_login_ends_with_version_64(org, log_in):
    """From API version 65.0 on there is no SOAP login."""
    settings = org.fake.settings
    how = {"username": settings.username, "password": settings.password, "security_token": settings.security_token}
    assert log_in(**how, version="64.0").limits()
    with pytest.raises(SalesforceAuthenticationFailed, match="UNSUPPORTED_API_VERSION"):
        log_in(**how, version="65.0")


def test_password_flow(org, log_in):
    """The OAuth username-password flow works until the org switches it off."""
    settings = org.fake.settings
    how = {
        "username": settings.username,
        "password": settings.password + settings.security_token,
        "consumer_key": settings.consumer_key,
        "consumer_secret": settings.consumer_secret,
    }
    assert log_in(**how).limits()
    settings.password_grant = False
    with pytest.raises(SalesforceAuthenticationFailed, match="authentication failure"):
        log_in(**how)


def test_jwt_flow(org, log_in, private_key):
    """An assertion that is signed with the app's key logs in."""
    settings = org.fake.settings
    how = {"username": settings.username, "consumer_key": settings.consumer_key, "privatekey": private_key}
    assert log_in(**how).limits()
    assert log_in(**how, domain="acme.my").limits()


def test_jwt_flow_refuses(org, log_in, private_key):
    """Another key, another user, another audience and an app without certificate are refused in the vendor's words."""
    settings = org.fake.settings
    how = {"consumer_key": settings.consumer_key, "privatekey": private_key}
    with pytest.warns(UserWarning, match="authorize"), pytest.raises(SalesforceAuthenticationFailed, match="approved"):
        log_in(**how, username="stranger@example.com")
    with pytest.raises(SalesforceAuthenticationFailed, match="Audience validation failed"):
        log_in(**how, username=settings.username, domain="elsewhere.my")
    settings.jwt_public_key = None
    with pytest.warns(UserWarning, match="authorize"), pytest.raises(SalesforceAuthenticationFailed, match="approved"):
        log_in(**how, username=settings.username)


@pytest.mark.parametrize(
    ("changed", "error", "description"),
    [
        ({"iss": "other"}, "invalid_client_id", "client identifier invalid"),
        ({"exp": 0}, "invalid_grant", "expired authorization code"),
        ({"exp": 4_000_000_000}, "invalid_grant", "invalid assertion"),
        ({"sub": None}, "invalid_grant", "invalid assertion"),
        ({"key": "other"}, "invalid_grant", "invalid assertion"),
    ],
)
def test_jwt_assertions(org, private_key, changed, error, description):
    """The issuer, the life and the signature of an assertion are checked."""
    settings = org.fake.settings
    claims = {
        "iss": settings.consumer_key,
        "sub": settings.username,
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 180,
    }
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048) if "key" in changed else private_key
    named = {name: value for name, value in (claims | changed).items() if name != "key" and value is not None}
    grant = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": jwt.encode(named, key, "RS256"),
    }
    assert org.token(grant) == (400, {"error": error, "error_description": description})


def test_session_id_cannot_be_renewed(org, log_in):
    """A client with a session id alone works until the session ends."""
    token = str(org.session.headers["Authorization"]).removeprefix("Bearer ")
    client = log_in(session_id=token, instance_url="https://acme.my.salesforce.com")
    assert client.limits()
    org.fake.settings.session_requests = 0
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Account")


def test_expired_session_is_renewed(org, client):
    """A client that can log in again does so when its session has ended, and goes on."""
    assert client.limits()
    org.fake.settings.session_requests = 1
    client.query("SELECT Id FROM Account")
    logins = [entry for entry in org.box.log if entry.path == "/services/oauth2/token"]
    assert len(logins) == 3  # the plain client of this test, simple-salesforce, and its renewal


def test_query_all_pages(org, client):
    """More than 2000 records come in pages that the client puts together again."""
    org.seed(*({"Name": f"Acme {number}"} for number in range(4500)))
    first = client.query("SELECT Id, Name FROM Account")
    assert (len(first["records"]), first["done"], first["totalSize"]) == (2000, False, 4500)
    found = client.query_all("SELECT Id, Name FROM Account")
    assert [record["Name"] for record in found["records"]] == [f"Acme {number}" for number in range(4500)]
    assert len(list(client.query_all_iter("SELECT Id FROM Account"))) == 4500


def test_query_with_awkward_text(org, client):
    """Quotes, backslashes and line ends survive the way into a query and back."""
    name = 'O\'Brien \\ Sons\n"Ltd" 🚀 + 100%'
    org.seed({"Name": name}, {"Name": "O'Brien"})
    found = client.query(format_soql("SELECT Name FROM Account WHERE Name = {}", name))
    assert [record["Name"] for record in found["records"]] == [name]


def test_one_record_from_create_to_delete(org, client):
    """SFType creates, reads, changes and deletes one record with the statuses that it expects."""
    made = client.Account.create({"Name": "Acme", "NumberOfEmployees": 7})
    assert made["success"] is True
    assert client.Account.update(made["id"], {"Name": "Acme Corp"}) == 204
    read = client.Account.get(made["id"])
    assert (read["Name"], read["NumberOfEmployees"], read["aps__c"]) == ("Acme Corp", 7, None)
    assert client.Account.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        client.Account.get(made["id"])
    assert org.violations() == []


def test_upsert_by_external_id(org, client):
    """SFType.upsert answers 201 when it creates and 200 when it updates; a value with a slash stays one value."""
    assert client.Account.upsert("External_Id__c/a%2Fb", {"Name": "Acme"}) == 201
    assert client.Account.upsert("External_Id__c/A%2FB", {"Name": "Acme Corp"}) == 200
    assert client.Account.get_by_custom_id("External_Id__c", "a/b")["Name"] == "Acme Corp"
    assert [record["External_Id__c"] for record in org.records()] == ["a/b"]


def test_ambiguous_external_id(org, client):
    """An external id that several records have is reported as such."""
    org.seed({"Name": "a", "Loose_Id__c": "x"}, {"Name": "b", "Loose_Id__c": "X"})
    with pytest.raises(SalesforceMoreThanOneRecord) as caught:
        client.Account.upsert("Loose_Id__c/x", {"Name": "c"})
    assert caught.value.content == [f"/services/data/v59.0/sobjects/Account/{row['Id']}" for row in org.records()]


def test_errors_reach_the_client(client):
    """A refused record carries the vendor's code and fields."""
    with pytest.raises(SalesforceMalformedRequest) as caught:
        client.Contact.create({"FirstName": "Ann"})
    assert caught.value.content == [
        {
            "message": "Required fields are missing: [LastName]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName"],
        }
    ]


def test_describe(client):
    """Both describes are what simple-salesforce expects."""
    names = [listed["name"] for listed in client.describe()["sobjects"]]
    assert {"Account", "Contact", "Lead", "Opportunity", "Case", "Campaign", "User"} <= set(names)
    described = client.Account.describe()
    assert [f["name"] for f in described["fields"] if f["externalId"]] == [
        "External_Id__c",
        "Strict_Id__c",
        "Number_Id__c",
        "Loose_Id__c",
    ]
    assert client.Account.metadata()["objectDescribe"]["keyPrefix"] == "001"
    assert client.is_sandbox() is True


def test_collections_through_restful(org, client):
    """`restful` writes collections, and reads the usage header."""
    rows = [{"External_Id__c": "k1", "Name": "One"}, {"External_Id__c": "k2"}]
    path = "composite/sobjects/Account/External_Id__c"
    results = client.restful(path, method="PATCH", json=collection(rows, "Account"))
    assert (results[0]["success"], results[0]["created"]) == (True, True)
    assert results[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert client.api_usage["api-usage"].total == 5_000_000
    gone = client.restful("composite/sobjects", {"ids": results[0]["id"]}, method="DELETE")
    assert gone == [{"id": results[0]["id"], "success": True, "errors": []}]
    assert org.records() == []
