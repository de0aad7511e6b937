"""Answers that leave a client in doubt: nothing is taken for written that HubSpot did not name as written."""

from __future__ import annotations

import pytest

from airflow_reverse_etl.errors import BatchRejectedError, FatalError, RetryableError, UnknownOutcomeError
from airflow_reverse_etl.model import Status

ROWS = {f"p{n}@example.com": {"email": f"p{n}@example.com", "plan": "pro"} for n in range(5)}
BAD = ROWS | {"p3@example.com": {"email": "p3@example.com", "plan": "tin"}}


def said(outcomes):
    """Return status and code of each."""
    return [(outcome.status.value, outcome.code) for outcome in outcomes]


@pytest.fixture
def upsert(sync):
    """Return a checked target that upserts contacts by e-mail."""
    return sync("upsert", ["email", "plan"], key="email")


@pytest.mark.parametrize(
    "fault",
    [
        "results_reversed",
        "results_doubled",
        "results_without_trace_ids",
        "errors_by_id",
        "errors_without_context",
        "errors_miscounted",
        "extra_fields",
    ],
)
def test_each_row_is_found_however_the_answer_names_it(box, upsert, fault):
    """Any order, doubled results, rows named by id or by elimination, wrong counts: every row is told right."""
    box.faults("hubspot", fault, path="batch/upsert")
    outcomes = upsert.send(BAD)
    assert [outcome.key for outcome in outcomes] == list(BAD)
    assert said(outcomes) == [("succeeded", "")] * 3 + [("rejected", "INVALID_OPTION")] + [("succeeded", "")]
    assert outcomes[3].fields == ("plan",)
    ids = {row["email"]: row["id"] for row in box.records("hubspot", "contacts")}
    assert [outcome.destination_id for outcome in outcomes] == [ids.get(key) for key in BAD]


@pytest.mark.parametrize(
    ("length", "code", "fields"), [(80, "VALIDATION_ERROR", ()), (190, "INVALID_OPTION", ("plan",))]
)
def test_words_that_are_cut_off_are_read_as_far_as_they_go(box, upsert, length, code, fields):
    """HubSpot cuts long messages in the middle of the JSON in them: what is left is read, the row is refused."""
    box.faults("hubspot", "message_truncated", path="batch/upsert", length=length)
    refused = upsert.send(BAD)[3]
    assert (refused.status, refused.code, refused.fields) == (Status.REJECTED, code, fields)


@pytest.mark.parametrize("status", [200, 201, 202, 207])
@pytest.mark.parametrize("verb", ["upsert", "create"])
def test_any_good_status_will_do_but_only_named_records_count(box, sync, verb, status):
    """HubSpot's status is not what proves a record written."""
    box.faults("hubspot", "odd_status", path=f"batch/{verb}", status=status)
    outcomes = sync(verb, ["email", "plan"], key="email").send(BAD)
    assert said(outcomes).count(("succeeded", "")) == 4
    assert said(outcomes)[3] == ("rejected", "INVALID_OPTION")


@pytest.mark.parametrize("verb", ["upsert", "create", "update"])
def test_success_without_results_is_no_success(box, sync, verb):
    """A 2xx that names no record leaves every record unknown."""
    box.seed("hubspot", "contacts", [{"email": email} for email in ROWS] if verb == "update" else [])
    target = sync(verb, ["plan"], key="email")
    box.faults("hubspot", "empty_results", path=f"batch/{verb}")
    outcomes = target.send({key: {"plan": "pro"} for key in ROWS})
    assert said(outcomes) == [("unknown", "NOT_NAMED")] * 5


def test_a_row_in_neither_results_nor_errors_is_unknown(box, upsert):
    """One row that the answer forgets is unknown, the others are not."""
    box.faults("hubspot", "row_missing", path="batch/upsert")
    outcomes = upsert.send(ROWS)
    assert sorted(said(outcomes)) == [("succeeded", "")] * 4 + [("unknown", "NOT_NAMED")]


def test_one_error_may_name_several_rows(box, upsert):
    """An item of the errors that names two rows refuses both."""
    box.faults("hubspot", "errors_together", path="batch/upsert")
    outcomes = upsert.send(BAD | {"p1@example.com": {"email": "p1@example.com", "plan": "lead"}})
    assert [outcome.status for outcome in outcomes].count(Status.REJECTED) == 2


def test_several_refusals_without_names_leave_the_rest_unknown(box, upsert):
    """Of two rows left and two errors without context, which is which is not guessed; the words are passed on."""
    box.faults("hubspot", "errors_without_context", path="batch/upsert")
    outcomes = upsert.send(BAD | {"p1@example.com": {"email": "p1@example.com", "plan": "lead"}})
    unknown = [outcome for outcome in outcomes if outcome.status is Status.UNKNOWN]
    assert [outcome.key for outcome in unknown] == ["p1@example.com", "p3@example.com"]
    assert "tin was not one of the allowed options" in unknown[0].message


def test_a_record_named_as_written_and_as_refused_is_unknown(script, scripted):
    """A contradiction is no success."""
    error = {"category": "CONFLICT", "message": "no", "context": {"objectWriteTraceId": ["3-0"]}}
    script.says("upsert", 207, {"results": [{"id": "1", "objectWriteTraceId": "3-0"}], "errors": [error]})
    assert said(scripted("upsert", key="email").send({"a@b.de": {"city": "x"}})) == [("unknown", "CONFLICT")]


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("RATE_LIMITS", ("retryable", "RATE_LIMITS")),
        ("INTERNAL_ERROR", ("unknown", "INTERNAL_ERROR")),
        ("VALIDATION_ERROR", ("rejected", "VALIDATION_ERROR")),
        (None, ("rejected", "REFUSED")),
    ],
)
def test_the_category_of_a_row_says_what_to_do_with_it(script, scripted, category, expected):
    """Limits pass, an internal error leaves it open, all else is a refusal."""
    error = {"category": category, "message": "words", "context": {"objectWriteTraceId": "3-0"}}
    script.says("upsert", 207, {"results": [], "errors": [error], "numErrors": 7})
    assert said(scripted("upsert", key="email").send({"a@b.de": {"city": "x"}})) == [expected]


@pytest.mark.parametrize("body", ["", "null", "[]", "{}", '{"results": null}', '{"results": [null, 1, {}]}'])
def test_an_answer_of_any_shape_is_survived(script, scripted, body):
    """Empty bodies and wrong shapes leave the record unknown; nothing breaks."""
    script.says("upsert", 200, body)
    assert said(scripted("upsert", key="email").send({"a@b.de": {"city": "x"}})) == [("unknown", "NOT_NAMED")]


def test_a_batch_that_names_one_record_twice_is_told_apart(script, scripted):
    """HubSpot compares two keys as one: both are refused, the others go again, and nothing was written."""
    words = "Duplicate IDs found in batch input: [a@b.de]. IDs must be unique"
    body = {"status": "error", "message": words, "category": "VALIDATION_ERROR", "context": {"ids": ["k-1"]}}
    listed = [{"name": "key", "hasUniqueValue": True}, {"name": "city"}]
    script.says("companies", 200, {"results": listed})
    script.says("upsert", 400, body)
    upsert = scripted("upsert", object="companies", key="key")
    rows = {key: {"city": "x"} for key in ("k-1", "K-1", "k-2")}
    assert said(upsert.send(rows)) == [
        ("rejected", "SAME_RECORD"),
        ("rejected", "SAME_RECORD"),
        ("retryable", "VALIDATION_ERROR"),
    ]
    with pytest.raises(BatchRejectedError, match="Duplicate IDs"):
        upsert.send({"k-3": {"city": "x"}, "k-4": {"city": "y"}})


def test_values_that_hubspot_changed_are_counted_in_the_log(script, scripted, capsys):
    """Since 2026-09 HubSpot mends dates in place of refusing them: a warning names the properties, never the values."""
    warning = {"category": "PROPERTY_VALUE_NORMALIZED", "context": {"propertyName": ["city"], "rawValue": ["secret"]}}
    script.says("upsert", 200, {"results": [{"id": "1", "objectWriteTraceId": "3-0", "warnings": [warning]}]})
    assert said(scripted("upsert", key="email").send({"a@b.de": {"city": "x"}})) == [("succeeded", "")]
    logged = capsys.readouterr().out
    assert "(1 times): {'city': 1}" in logged
    assert "secret" not in logged


# --- look-ups --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_a_lookup_that_forgets_a_key_proves_nothing(script, scripted, verb):
    """A key that is in neither the results nor the errors of a read is neither missing nor gone."""
    script.says("read", 200, {"results": []})
    assert said(scripted(verb, key="email").send({"a@b.de": {"city": "x"}})) == [("unknown", "NOT_NAMED")]
    assert not script.bodies(verb)


def test_a_lookup_whose_answer_is_lost_may_be_made_again(box, sync):
    """A read changes nothing: what is lost of it is retryable, and no write has been made."""
    update = sync("update", ["plan"], key="email")
    box.faults("hubspot", "drop_after_commit", path="batch/read")
    with pytest.raises(RetryableError):
        update.send(ROWS)
    assert not [entry for entry in box.log if entry.path.endswith("batch/update")]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"category": "OBJECT_NOT_FOUND", "message": "gone", "context": {"ids": ["2"]}}, ["succeeded", "succeeded"]),
        ({"category": "FORBIDDEN", "message": "locked", "context": {"ids": ["2"]}}, ["succeeded", "rejected"]),
        ({"category": "FORBIDDEN", "message": "locked"}, ["unknown", "unknown"]),
    ],
)
def test_an_archive_with_errors_is_read(script, scripted, error, expected):
    """204 archives all; errors, should there be any, refuse those that they name and leave the others open."""
    script.says("archive", 207, {"errors": [error]})
    delete = scripted("delete")
    assert [outcome.status.value for outcome in delete.send({"1": {}, "2": {}})] == expected


def test_find_sees_what_exists_and_since_when(box, sync):
    """An exact look-up by e-mail, secondary ones too, says id and time of creation; missing keys are left out."""
    ids = box.seed("hubspot", "contacts", [{"email": "a@b.de"}, {"email": "b@b.de", "hs_additional_emails": "c@b.de"}])
    create = sync("create", ["email"], key="email")
    found = create.hook.find(create.target, ["A@b.de", "c@b.de", *(f"x{n}@b.de" for n in range(150))], 0.0)
    assert {key: one.id for key, one in found.items()} == {"A@b.de": ids[0], "c@b.de": ids[1]}
    assert all(one.count == 1 and one.created_at and one.created_at > 1_700_000_000 for one in found.values())
    assert box.violations("hubspot") == []


def test_find_does_not_search(box, sync):
    """A property without unique values could only be searched for, in an index that lags: refused, not guessed."""
    create = sync("create", ["name"], object="companies", key="name")
    with pytest.raises(FatalError, match="does not require unique values"):
        create.hook.find(create.target, ["A"], 0.0)


def test_find_does_not_take_silence_for_absence(script, scripted):
    """A create must not be sent again because a read forgot to mention its record."""
    script.says("read", 200, {"results": []})
    create = scripted("create", key="email")
    with pytest.raises(RetryableError, match="open"):
        create.hook.find(create.target, ["a@b.de"], 0.0)


@pytest.mark.parametrize("fault", ["drop_after_commit", "truncated_body", "reset_mid_body", "invalid_json", "html"])
def test_an_answer_lost_on_the_way_is_unknown(box, upsert, fault):
    """The call may have been carried out: never retryable, never a success."""
    how = {"status": 200, "commit": True} if fault == "html" else {}
    box.faults("hubspot", fault, path="batch/upsert", **how)
    with pytest.raises(UnknownOutcomeError):
        upsert.send(ROWS)
    assert len(box.records("hubspot", "contacts")) == 5
