"""What `check` finds before a row moves: everything that is wrong in one sentence, and the target completed."""

from __future__ import annotations

import pytest

from airflow_reverse_etl.errors import ConfigurationError, FatalError, RetryableError
from airflow_reverse_etl.model import JobType, KeyForm, Target


def check(hook, object, jobs, fields=(), key=None, **options):
    """Check a target for some job types."""
    return hook.check(Target("salesforce", object, key, options), [JobType(job) for job in jobs.split()], list(fields))


def complaint(hook, *args, **kwargs):
    """Return the words of the refusal."""
    with pytest.raises(ConfigurationError) as refused:
        check(hook, *args, **kwargs)
    return str(refused.value)


def test_the_target_is_completed(hook):
    """Names come back as Salesforce spells them, with the org's own id and the way in which keys compare."""
    target = check(hook, "CONTACT", "upsert", ["EMAIL", "lastname", "Account.External_ID__C"], key="external_id__C")
    assert target.object == "Contact"
    assert target.key == "External_Id__c"
    assert target.key_is_written
    assert target.account == "00DFk0000000001"
    assert target.key_form == KeyForm(trim=True, fold=True)
    assert [target.name_of(name) for name in ("EMAIL", "lastname", "Account.External_ID__C", "external_id__C")] == [
        "Email",
        "LastName",
        "Account.External_Id__c",
        "External_Id__c",
    ]
    assert target.timezone == "UTC"
    assert check(hook, "Contact", "update", ["Email"], timezone="Europe/Berlin").timezone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("key", "form"),
    [
        (None, KeyForm(prefix=15)),
        ("id", KeyForm(prefix=15)),
        ("External_Id__c", KeyForm(trim=True, fold=True)),
        ("Strict_Id__c", KeyForm(trim=True)),
        ("Number_Id__c", KeyForm(number=True)),
        ("ParentId", KeyForm(prefix=15)),
        ("Score_Date__c", KeyForm()),
    ],
)
def test_key_forms(hook, key, form):
    """The way in which keys compare follows the field."""
    assert check(hook, "Account", "update", ["Phone"], key=key).key_form == form


def test_a_create_without_a_key_has_none(hook):
    """Without a key a create only knows the names that we give its rows."""
    target = check(hook, "Account", "create", ["Name"])
    assert (target.key, target.key_is_written, target.key_form) == (None, False, KeyForm())


def test_unknown_object(hook):
    """An object that does not exist is named, with those that resemble it."""
    words = complaint(hook, "Acount", "update", ["Phone"])
    assert "no object 'Acount'" in words
    assert "did you mean 'Account'?" in words
    assert "no object 'a/b?c'" in complaint(hook, "a/b?c", "update", ["Phone"])


def test_an_object_in_another_case(box, hook):
    """Where a name is not found as written, the list of objects says how it is spelled."""
    missing = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
    box.faults("salesforce", "status", path="sobjects/account/", status=404, body=missing)
    assert check(hook, "account", "update", ["Phone"]).object == "Account"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"status": 200, "body": {"name": "Account"}}, RetryableError),
        ({"status": 200, "body": []}, RetryableError),
        ({"status": 400, "body": [{"errorCode": "ODD", "message": "no"}]}, FatalError),
        ({"status": 403, "body": [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]}, FatalError),
    ],
)
def test_descriptions_that_are_none(box, hook, body, kind):
    """What is no description is asked for again; a refusal stops the run."""
    box.faults("salesforce", "status", path="describe", **body)
    with pytest.raises(kind) as failed:
        check(hook, "Account", "update", ["Phone"])
    assert type(failed.value) is kind


def test_everything_wrong_is_said_at_once(hook):
    """One message names the unknown, the unwritable and the missing."""
    words = complaint(hook, "Contact", "create", ["Emial", "CreatedDate", "Fax__c", "Account"], key="Nope")
    assert "Salesforce object Contact: " in words
    for part in (
        "no field 'Nope' for key=",
        "no field 'Emial' that this user may see; did you mean 'Email'",
        "CreatedDate cannot be written when a record is created",
        "no field 'Fax__c'",
        "'Account' is a relationship: write 'AccountId' for the Id",
        "'Account.<external id field of Account>'",
        "a new Contact must have 'LastName' too: add it to fields",
    ):
        assert part in words


def test_formulas_and_auto_numbers_are_named_as_such(hook):
    """A field that Salesforce fills says so."""
    assert "Name cannot be written when a record is changed (formula)" in complaint(hook, "Contact", "update", ["Name"])
    assert "(auto number)" in complaint(hook, "Case", "update", ["CaseNumber"])


def test_fields_that_the_user_may_not_see(box, hook):
    """A field hidden by field-level security is as good as unknown."""
    box.define("salesforce", "Account", [{"name": "Secret__c", "type": "string", "length": 9, "accessible": False}])
    assert "no field 'Secret__c' that this user may see" in complaint(hook, "Account", "update", ["Secret__c"])


def test_create_only_fields(box, hook):
    """A field that can be set once only serves create, but neither update nor upsert."""
    box.define("salesforce", "Account", [{"name": "Once__c", "type": "string", "length": 9, "updateable": False}])
    assert check(hook, "Account", "create", ["Name", "Once__c"]).object == "Account"
    for job, key in (("update", None), ("upsert", "External_Id__c")):
        words = complaint(hook, "Account", job, ["Name", "Once__c"], key=key)
        assert "Once__c cannot be written when a record is changed by the connection's user" in words


def test_upsert_keys(hook):
    """An upsert needs an external id; Id, an ordinary field and nothing at all are told apart."""
    assert "upsert needs key=: give an external id field" in complaint(hook, "Account", "upsert", ["Name"])
    words = complaint(hook, "Account", "upsert", ["Name"], key="ID")
    assert "use job_type='update'" in words
    assert "'External_Id__c'" in words
    assert "Phone is no external id" in complaint(hook, "Account", "upsert", ["Name"], key="Phone")
    assert check(hook, "Contact", "upsert", ["LastName"], key="email").key == "Email"


def test_upsert_where_there_is_no_external_id(box, hook):
    """The sentence then says how to make one."""
    box.define("salesforce", "Plain__c")
    assert "mark a field as External ID" in complaint(hook, "Plain__c", "upsert", ["Name"])


def test_create_by_a_key_that_salesforce_fills(hook):
    """A create must be able to write its key."""
    words = complaint(hook, "Case", "create", ["Subject"], key="CaseNumber")
    assert "the key CaseNumber cannot be written (auto number)" in words


def test_create_by_id(hook):
    """A create cannot be identified by an Id that does not exist yet."""
    assert "leave key out and give key_column" in complaint(hook, "Account", "create", ["Name"], key="Id")


@pytest.mark.parametrize("key", ["Description", "Active__c", "Scored_At__c", "Regions__c"])
@pytest.mark.parametrize("job", ["create", "update", "delete"])
def test_keys_that_cannot_be_searched(hook, job, key):
    """Long text, checkboxes, timestamps and multi-select picklists identify nothing."""
    assert f"records cannot be looked up by {key}" in complaint(hook, "Account", job, ["Name"], key=key)


def test_keys_of_related_records(hook):
    """A key is a field of the object itself."""
    words = complaint(hook, "Contact", "update", ["Email"], key="Account.External_Id__c")
    assert "must be a field of Contact itself" in words


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("Acount.External_Id__c", "no relationship 'Acount'"),
        ("AccountId.External_Id__c", "the relationship of AccountId is called 'Account'"),
        ("Account.Id", "write 'AccountId' for the Id"),
        ("Account.Phone", "Phone is no external id; fields that name a record of Account: 'External_Id__c'"),
        ("Account.Nope", "Account has no field 'Nope'"),
        ("Contact:Account.External_Id__c", "AccountId points to Account; write 'Account.External_Id__c'"),
    ],
)
def test_relationships_that_lead_nowhere(hook, field, words):
    """Each way to get a relationship wrong has its sentence."""
    assert words in complaint(hook, "Contact", "update", [field])


def test_relationships_to_several_objects(hook):
    """Where a lookup points to several objects, the one that is meant must be named."""
    words = complaint(hook, "Task", "update", ["Who.Email"])
    assert "write 'Contact:Who.Email' or 'Lead:Who.Email'" in words
    assert check(hook, "Task", "update", ["LEAD:who.email"]).name_of("LEAD:who.email") == "Lead:Who.Email"


def test_two_names_for_one_field(hook):
    """Two fields that write the same thing are a contradiction."""
    words = complaint(hook, "Contact", "update", ["AccountId", "Account.External_Id__c"])
    assert "both write AccountId: keep one of them" in words
    assert "both write Email" in complaint(hook, "Contact", "update", ["Email", "EMAIL"])


def test_a_lookup_satisfies_what_is_required(box, hook):
    """A required lookup may be given by its record's external id."""
    parent = {"name": "Account__c", "type": "reference", "referenceTo": ["Account"], "nillable": False}
    box.define("salesforce", "Bill__c", [{**parent, "relationshipName": "Account__r"}])
    assert "must have 'Account__c' too" in complaint(hook, "Bill__c", "create", ["Name"])
    assert check(hook, "Bill__c", "create", ["Name", "Account__r.External_Id__c"]).object == "Bill__c"


def test_an_upsert_that_only_ever_updates_may_leave_required_fields_out(hook, capfd):
    """Required fields bind new records only; the log says what will happen to those."""
    check(hook, "Account", "upsert", ["Phone"], key="External_Id__c")
    assert "rows whose Account does not exist yet will be refused: they need 'Name'" in capfd.readouterr().out


def test_a_key_that_is_not_unique_is_warned_of(hook, capfd):
    """Several records may share such a key; their rows will be refused one by one."""
    check(hook, "Account", "update", ["Phone"], key="Loose_Id__c")
    assert "Loose_Id__c is not unique" in capfd.readouterr().out


def test_objects_that_the_user_may_not_write(hook):
    """Organization can be read by everybody and written by nobody."""
    words = complaint(hook, "Organization", "upsert delete", ["Name"], key="Id")
    assert "the connection's user may not create or change or delete its records" in words


def test_a_delete_needs_no_fields(hook):
    """A delete looks at the key only."""
    assert check(hook, "Account", "delete", ["whatever"], key="External_Id__c").key == "External_Id__c"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timezone": "Mars/Olympus"}, "not 'Mars/Olympus'"),
        ({"timezone": "../etc/passwd"}, "IANA name"),
        ({"allow_duplicates": "perhaps"}, "options['allow_duplicates'] is true or false"),
        ({"assignment_rules": []}, "options['assignment_rules'] is true or false"),
    ],
)
def test_options_are_checked(hook, options, words):
    """A value that an option does not take is an error beside all others."""
    assert words in complaint(hook, "Account", "update", ["Phone"], **options)


def test_an_object_is_described_once(box, hook):
    """However often it is needed, the object and its parents are asked for one time each."""
    for _ in range(2):
        check(hook, "Contact", "update", ["Account.External_Id__c", "account.number_id__c"][:1])
    assert [entry.path.rpartition("/sobjects/")[2] for entry in box.log if "sobjects" in entry.path] == [
        "Contact/describe",
        "Account/describe",
    ]
