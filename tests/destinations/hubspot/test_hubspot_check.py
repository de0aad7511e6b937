"""What is found out before a row moves: names, keys, accounts, and everything that is wrong, in one message."""

from __future__ import annotations

import pytest

from airflow_reverse_etl.errors import ConfigurationError, FatalError, RetryableError
from airflow_reverse_etl.model import JobType, KeyForm, Target

ACCOUNT = "24681357"


def check(hook, job_types, fields, **target):
    """Return the target as the hook completes it."""
    jobs = tuple(JobType(one) for one in job_types.split())
    return hook.check(Target("hubspot", **{"object": "contacts", **target}), jobs, fields)


def refusal(*args, **target):
    """Return the message of the one error that the check raises."""
    with pytest.raises(ConfigurationError) as caught:
        check(*args, **target)
    return str(caught.value)


def test_names_are_hubspots_own(hook):
    """A warehouse that shouts its columns is understood: HubSpot's names come back, and nothing else is asked twice."""
    target = check(hook, "upsert", ["EMAIL", "FirstName", "score"], object=" Contacts ", key="Email")
    assert target == Target(
        "hubspot",
        "contacts",
        "email",
        account=ACCOUNT,
        key_form=KeyForm(trim=True, fold=True),
        names={"EMAIL": "email", "FirstName": "firstname", "score": "score", "Email": "email"},
    )
    assert hook.calls == 2


@pytest.mark.parametrize(
    ("written", "own"),
    [
        ("0-2", "companies"),
        ("COMPANY", "companies"),
        ("companies", "companies"),
        ("deal", "deals"),
        ("line items", "line_items"),
    ],
)
def test_an_object_is_the_same_however_it_is_written(hook, written, own):
    """Name, singular or type id lead to one target, so that state does not depend on the spelling."""
    assert check(hook, "create", [], object=written).object == own


@pytest.mark.parametrize("written", ["cars", "Cars", "p24681357_cars"])
def test_a_custom_object_is_known_by_its_type_id(box, hook, written):
    """Its name, its label and its full name mean the type id, which is what HubSpot's paths take."""
    box.define("hubspot", "cars", [{"name": "vin", "hasUniqueValue": True}])
    assert check(hook, "upsert", ["vin"], object=written, key="vin").object.startswith("2-")


@pytest.mark.parametrize("written", ["contcats", "2-999", "0-999"])
def test_an_unknown_object_is_named_with_what_there_is(box, hook, written):
    """The message names HubSpot's object types, the account's own ones, and the likeliest one meant."""
    box.define("hubspot", "cars", [{"name": "vin"}])
    message = refusal(hook, "create", [], object=written)
    assert f"no object type {written!r}" in message
    assert "companies, deals" in message
    if written == "contcats":
        assert "did you mean 'contacts'" in message
        assert "cars (2-" in message


def test_a_name_that_two_custom_objects_share_is_refused(script, hook, connect):
    """Which of the two is meant is not guessed."""
    schemas = [{"objectTypeId": "2-1", "name": "car"}, {"objectTypeId": "2-2", "labels": {"singular": "Car"}}]
    script.says("schemas", 200, {"results": schemas})
    assert "2-1, 2-2" in refusal(connect(host=script.url), "create", [], object="car")


def test_a_token_that_may_not_see_schemas_may_give_the_full_name(script, connect):
    """Without the scope for schemas the object type goes to HubSpot as it was written."""
    script.says("schemas", 403, {"category": "MISSING_SCOPES", "message": "no"})
    script.says("p7_cars", 200, {"results": [{"name": "vin", "hasUniqueValue": True}]})
    assert check(connect(host=script.url), "upsert", ["vin"], object="p7_cars", key="vin").object == "p7_cars"


def test_everything_wrong_is_said_at_once(box, hook):
    """One message holds every wrong field, each with what to write instead, and the key."""
    box.define("hubspot", "contacts", [{"name": "aps_v2", "label": "Account score"}])
    fields = ["emial", "Account Score", "hs_full_name_or_email", "hs_object_id", "city", "CITY", "nonsense"]
    message = refusal(hook, "upsert", fields, key="firstname", options={"timezone": "Mars/Olympus"})
    assert message.startswith("HubSpot's contacts cannot be written like this:\n- ")
    for words in (
        "'Mars/Olympus' is no time zone: write an IANA name such as 'Europe/Berlin'",
        "'firstname' does not require unique values, so HubSpot finds no records by it",
        "use key='customer_id' or key='email'",
        "no property 'emial' (given as property): did you mean 'email'",
        "no property 'Account Score' (given as property): did you mean 'aps_v2'?",
        "'hs_full_name_or_email' is calculated by HubSpot: leave it out",
        "'hs_object_id' is HubSpot's own id of a record and cannot be written",
        "'city' is written by several fields",
        "no property 'nonsense'",
    ):
        assert words in message
    assert message.count("\n- ") == 8


def test_archived_and_read_only_properties_are_told_apart(hook):
    """A property in the recycle bin is not "unknown": it can be restored."""
    hook.rest.write("DELETE", f"{hook.access.addresses.properties('contacts')}/score")
    message = refusal(hook, "upsert", ["score", "createdate"], key="email")
    assert "'score' is archived: restore it" in message
    assert "'createdate' is read only: leave it out" in message


def test_sensitive_properties_are_found_when_they_are_asked_for(script, connect):
    """HubSpot lists sensitive properties only on demand; a refusal to list some kind of them is no error."""
    asked = []

    def listed(_body):
        asked.append(script.seen[-1][0])
        if "archived=true" in asked[-1]:
            return 400, {"message": "no"}
        if "highly_sensitive" in asked[-1]:
            return 403, {"category": "MISSING_SCOPES"}
        return {"results": [{"name": "ssn"}] if "dataSensitivity=sensitive" in asked[-1] else [{"name": "email"}]}

    script.says("contacts", 200, listed)
    assert check(connect(host=script.url), "upsert", ["ssn"], key="email").names["ssn"] == "ssn"
    assert "archived=false" in asked[0]


@pytest.mark.parametrize("job_type", ["update", "delete"])
def test_the_default_key_is_the_record_id(hook, job_type):
    """Update and delete go by the record id unless told otherwise; it is compared as a number and never written."""
    target = check(hook, job_type, [])
    assert (target.key, target.key_is_written, target.key_form) == ("hs_object_id", False, KeyForm(number=True))
    assert check(hook, job_type, ["HS_OBJECT_ID"], key="HS_OBJECT_ID").key == "hs_object_id"


def test_create_needs_no_key_but_takes_any_that_can_be_written(hook):
    """Without a key the rows are known by names of our own; a key need not be unique to be looked for by a person."""
    assert check(hook, "create", ["name"], object="companies").key is None
    assert check(hook, "create", ["name"], object="companies", key="name").key == "name"
    assert "cannot be written, so it is no key for create" in refusal(hook, "create", [], key="hs_object_id")
    assert "the key 'createdate' is read only" in refusal(hook, "create", [], key="createdate")


def test_upsert_needs_a_unique_property(hook):
    """By the record id nothing can be upserted, by `domain` neither; the message says by what."""
    by_id = refusal(hook, "upsert", ["city"], key="hs_object_id")
    assert "use job_type='update', or use key='customer_id' or key='email'" in by_id
    assert "upsert needs a key" in refusal(hook, "upsert", ["city"])
    assert "use key='account_key'" in refusal(hook, "upsert delete", ["name"], object="companies", key="domain")
    assert "create a property of this object" in refusal(hook, "upsert", ["dealname"], object="deals", key="dealname")
    assert "(given as key)" in refusal(hook, "delete", [], key="e_mail")


def test_numbers_as_keys_are_compared_as_numbers(box, hook):
    """007 and 7 are one number to HubSpot."""
    box.define("hubspot", "companies", [{"name": "erp_no", "type": "number", "hasUniqueValue": True}])
    assert check(hook, "upsert", [], object="companies", key="ERP_NO").key_form == KeyForm(number=True)
    assert check(hook, "upsert", [], object="companies", key="account_key").key_form == KeyForm()


def test_what_is_only_deleted_need_not_be_writable(hook):
    """A delete writes no field, so whatever else the query returns does not matter."""
    assert check(hook, "delete", ["createdate", "no_such_property"], key="email").key == "email"


def test_the_account_is_the_portal(box, hook):
    """State belongs to a portal, whatever token opens it."""
    assert check(hook, "create", []).account == ACCOUNT
    assert hook.test_connection() == (
        True,
        "HubSpot account 24681357 (STANDARD, America/New_York), API version 2026-03",
    )


@pytest.mark.parametrize("status", [403, 404])
def test_a_token_that_may_not_ask_for_the_account_still_works(script, connect, capsys, status):
    """A digest of address and token stands in for the portal: the same for one token, another for another."""
    script.says("details", status, {"message": "no"})
    tokens = ("pat-1", "pat-1", "pat-2")
    first, again, other = (check(connect(host=script.url, password=token), "create", []).account for token in tokens)
    assert first == again != other
    assert first.startswith("token-")
    assert "pat-1" not in first
    assert "kept for this access token" in capsys.readouterr().out


def test_a_refused_token_is_not_glossed_over(box, hook):
    """401 stops the task before anything is asked for."""
    box.faults("hubspot", "token_revoked", path="account-info")
    with pytest.raises(FatalError, match="access token"):
        check(hook, "create", [])
    assert hook.test_connection()[0] is False


def test_a_window_that_is_spent_during_the_check_can_be_waited_out(box, hook):
    """A limit is no configuration error."""
    box.faults("hubspot", "rate_burst", path="properties")
    with pytest.raises(RetryableError):
        check(hook, "create", [])


@pytest.mark.parametrize("body", ["", "[]", '{"results": []}'])
def test_an_address_that_is_not_hubspots_is_named(script, connect, body):
    """Something that lists no properties is no HubSpot, or its answer was lost."""
    script.says("contacts", 200, body)
    with pytest.raises(RetryableError, match="is it the address of HubSpot's API"):
        check(connect(host=script.url), "create", [])


@pytest.mark.parametrize("body", ["", "[]", "<html></html>", '{"portalId": null}'])
def test_an_answer_without_an_account_is_not_taken_for_a_missing_scope(script, connect, body):
    """State must not be set aside because an answer got lost: the check fails and can be repeated."""
    script.says("details", 200, body)
    with pytest.raises(RetryableError, match="the address of"):
        check(connect(host=script.url), "create", [])


def test_a_server_without_contacts_is_no_hubspot(script, connect):
    """Where not even contacts are found, it is the address or the version that is wrong, not the object."""
    script.says("details", 404)
    script.says("contacts", 404, "<html></html>")
    with pytest.raises(ConfigurationError, match="correct the connection's host or its api_version"):
        check(connect(host=script.url), "create", [])
