"""Before a row moves: what a task asks for is held against the spreadsheet, and nothing is written."""

from __future__ import annotations

import pyarrow as pa
import pytest

from airflow_reverse_etl.errors import ConfigurationError, FatalError, RetryableError
from airflow_reverse_etl.model import JobType, KeyForm, Target

TAB = "Ann's scores"
ID = "1SandboxSpreadsheetIdForTestsAndDemos00000"


def refusal(sheet, job, fields, **target):
    """Return the sentence with which a check refuses; nothing may have been written."""
    with pytest.raises(ConfigurationError) as hit:
        sheet.job(job, fields, **target)
    assert sheet.writes() == []
    return str(hit.value)


def test_a_check_completes_the_target_and_writes_nothing(sheet):
    """Two reads say everything: tab, key, zone, and how the header spells each field."""
    sheet.fill([" Account Id ", "NAME", "Score"])
    target = sheet.job("upsert", ["account id", "name", "Score", "new one "], key="account id").target
    assert (target.object, target.key, target.account, target.timezone) == (TAB, " Account Id ", ID, "Etc/UTC")
    assert target.names == {"account id": " Account Id ", "name": "NAME", "Score": "Score", "new one ": "new one"}
    assert (target.key_form, target.key_is_written) == (KeyForm(), True)
    assert sheet.writes() == []
    assert len(sheet.calls()) == 2


def test_a_run_without_changes_writes_nothing(sheet):
    """The second run of the same rows makes the two reads of the check, and no write."""
    sheet.fill(["id", "name"])
    table = pa.table({"id": ["1", "2"], "name": ["a", "b"]})
    ended = sheet.run("upsert", table)
    assert (ended.error, ended.report.succeeded["upsert"]) == (None, 2)
    before = len(sheet.calls())
    again = sheet.run("upsert", table)
    assert (again.error, again.report.unchanged, again.report.calls) == (None, 2, 2)
    assert [call.split()[0] for call in sheet.calls()[before:]] == ["GET", "GET"]


def test_the_exact_header_wins_over_one_of_another_case(sheet):
    """`name` and `Name` are two columns; each field finds its own."""
    sheet.fill(["id", "Name", "name"])
    names = sheet.job("upsert", ["name", "Name"]).target.names
    assert (names["name"], names["Name"]) == ("name", "Name")


def test_the_first_header_is_the_default_key(sheet):
    """Blank columns before it do not count, nor does where the field stands in the query."""
    sheet.fill([None, " ", "id", "name"])
    assert sheet.job("upsert", ["name", "id"]).target.key == "id"


def test_the_default_key_may_be_spelled_otherwise_in_the_query(sheet):
    """Snowflake shouts: `ID` is the first header `id`, and no second field for its column."""
    sheet.fill(["id", "name"], ["a", "old"])
    ended = sheet.run("upsert", pa.table({"ID": ["a", "b"], "NAME": ["new", "new"]}))
    assert ended.error is None
    assert sheet.cells() == [["id", "name"], ["a", "new"], ["b", "new"]]


def test_headers_may_be_numbers_and_have_gaps(sheet):
    """A header is what people see: 2026 as a number is the field "2026"."""
    sheet.fill(["id", None, 2026, None, "name"])
    names = sheet.job("update", ["2026", "name"]).target.names
    assert names == {"id": "id", "2026": "2026", "name": "name"}


def test_a_header_that_stands_twice_is_refused_if_it_is_used(sheet):
    """Which of the two is meant is not ours to guess; columns that nobody writes to may be called as they like."""
    sheet.fill(["id", "name", "Name ", "note", "note"])
    assert sheet.job("upsert", ["id", "name"]).target.names["name"] == "name"
    assert "'note' stands in 2 columns" in refusal(sheet, "upsert", ["id", "note"])
    sheet.fill(["id", "ID", "name"])
    assert "'id' stands in 2 columns" in refusal(sheet, "upsert", ["Id", "name"], key="Id")


def test_two_fields_for_one_column_are_refused(sheet):
    """One of them would win by chance."""
    sheet.fill(["id", "Name"])
    assert "'name', 'NAME' are one column" in refusal(sheet, "upsert", ["id", "name", "NAME"])
    assert "are one column" in refusal(sheet, "upsert", ["id", "new", "New "])


def test_a_strict_header_names_all_that_is_missing_at_once(sheet):
    """With hints at what was meant; without `strict` the columns will be appended."""
    sheet.fill(["id", "name", "score"])
    said = refusal(sheet, "upsert", ["id", "nmae", "zzz"], header="strict")
    assert "no column 'nmae' (did you mean 'name'?), 'zzz' (it has 'id', 'name', 'score')" in said
    assert "options={'header': 'extend'}" in said
    assert sheet.job("upsert", ["id", "nmae", "zzz"]).target.names["zzz"] == "zzz"


@pytest.mark.parametrize("job", ["update", "delete"])
def test_rows_cannot_be_found_by_a_key_that_is_no_column(sheet, job):
    """Whatever the header option: a column made now would hold no keys."""
    sheet.fill(["id", "name"])
    said = refusal(sheet, job, ["accountid"], key="accountid", header="extend")
    assert said == "the tab \"Ann's scores\" has no column 'accountid' (it has 'id', 'name'), by which rows are found"


def test_an_empty_tab_gets_its_header_from_the_fields(sheet):
    """Its key is the first field, or the one that is named."""
    sheet.fill()
    assert sheet.job("upsert", ["id", "name"]).target.key == "id"
    assert sheet.job("create", ["id", "name"], key="name").target.key == "name"


@pytest.mark.parametrize("job", ["update", "delete"])
def test_an_empty_tab_has_no_rows_to_find(sheet, job):
    """The sentence says that there is no header."""
    sheet.fill()
    assert "is empty: it has no header" in refusal(sheet, job, [])
    assert "no column 'id' (it has none)" in refusal(sheet, job, ["id"], key="id")


def test_a_missing_tab_is_an_error_that_knows_what_was_meant(sheet):
    """Near matches, else what there is; and the option that makes it."""
    sheet.fill(["id"])
    said = refusal(sheet, "upsert", ["id"], object="Anns score")
    assert "the spreadsheet has no tab 'Anns score' (did you mean \"Ann's scores\"?)" in said
    assert "options={'create_tab': True} makes it" in said
    assert "(it has 'Sheet1', \"Ann's scores\")" in refusal(sheet, "upsert", ["id"], object="zzz")


def test_a_tab_is_found_whatever_its_case(sheet):
    """Google allows no second tab that differs by case only."""
    sheet.fill(["id"])
    assert sheet.job("upsert", ["id"], object="ANN'S Scores").target.object == TAB


@pytest.mark.parametrize("flag", [True, "true", "True"])
def test_a_missing_tab_may_be_made(sheet, flag):
    """But not yet: the check writes nothing."""
    target = sheet.job("create", ["id", "name"], object="New", create_tab=flag).target
    assert (target.object, target.key) == ("New", "id")
    assert sheet.writes() == []
    assert "New" not in sheet.fake.objects()
    assert "no header" in refusal(sheet, "delete", [], object="New", create_tab=flag)


def test_all_that_is_wrong_with_the_options_is_one_message(sheet):
    """Each with what to write instead."""
    said = refusal(
        sheet, "upsert", ["id"], spreadsheet_id="", header="grow", input="typed", create_tab="maybe", timezone="Mars"
    )
    assert [part.split("`")[1] for part in said.split("; ") if "the option" in part] == [
        "spreadsheet_id",
        "header",
        "input",
        "create_tab",
        "timezone",
    ]
    assert "'extend', 'strict'" in said
    assert "'raw', 'user_entered'" in said
    assert sheet.calls() == []


@pytest.mark.parametrize(
    "written",
    [
        ID,
        f" {ID}\n",
        f"https://docs.google.com/spreadsheets/d/{ID}/edit#gid=0",
        f"https://docs.google.com/spreadsheets/u/1/d/{ID}/edit?gid=0",
        f"https://docs.google.com/spreadsheets/d/{ID}",
    ],
)
def test_a_spreadsheet_is_named_by_its_id_or_its_address(sheet, written):
    """Also with the number of a Google account in the address."""
    sheet.fill(["id"])
    assert sheet.job("upsert", ["id"], spreadsheet_id=written).target.account == ID


@pytest.mark.parametrize(
    "written", ["https://docs.google.com/spreadsheets/d/e/2PACX-1vQ/pubhtml", "my sheet", "https://example.com/x", None]
)
def test_what_is_no_spreadsheet_is_refused(sheet, written):
    """A published copy has another id, which the API does not know."""
    assert "the part after /d/" in refusal(sheet, "upsert", ["id"], spreadsheet_id=written)


def test_the_zone_is_the_options_or_the_spreadsheets(sheet, box):
    """A zone that Google made up (GMT-07:00) needs the option."""
    sheet.fill(["id"])
    box.settings("google_sheets", time_zone="America/New_York")
    assert sheet.job("upsert", ["id"]).target.timezone == "America/New_York"
    assert sheet.job("upsert", ["id"], timezone="Europe/Berlin").target.timezone == "Europe/Berlin"
    box.settings("google_sheets", time_zone="GMT-07:00")
    assert "'GMT-07:00', which is no IANA zone: give the option `timezone`" in refusal(sheet, "upsert", ["id"])
    assert sheet.job("upsert", ["id"], timezone="UTC").target.timezone == "UTC"


def test_a_check_whose_quota_is_spent_waits_long_enough(sheet, box):
    """Google names no wait, and its window is a minute: the tries of a check must span it."""
    sheet.fill(["id"])
    box.faults("google_sheets", "quota", path="/v4/", times=1)
    with pytest.raises(RetryableError) as hit:
        sheet.job("upsert", ["id"])
    assert hit.value.retry_after * 3 > 60
    box.faults("google_sheets", "status", status=429, headers={"Retry-After": "7"}, path="/v4/", times=1)
    with pytest.raises(RetryableError) as hit:
        sheet.job("upsert", ["id"])
    assert hit.value.retry_after == 7
    box.faults("google_sheets", "unavailable", path="/v4/", times=1)
    with pytest.raises(RetryableError) as hit:
        sheet.job("upsert", ["id"])
    assert hit.value.retry_after is None


def test_another_hook_can_send_what_was_checked(sheet):
    """A shard on another worker knows the target, and looks at the tab itself."""
    sheet.fill(["id", "name"])
    job = sheet.job("upsert", ["id", "name"], header="strict")
    job.hook = sheet.new_hook()
    job.land([{"id": "1", "name": "a"}])
    assert sheet.cells() == [["id", "name"], ["1", "a"]]
    job.hook = sheet.new_hook()
    with pytest.raises(FatalError, match="no column 'other'"):
        job.send([{"id": "1", "other": "a"}])
    job.hook, job.job_type = sheet.new_hook(), JobType.DELETE
    job.target = Target("google_sheets", TAB, "nokey", job.target.options, account=job.target.account)
    with pytest.raises(FatalError, match="no column 'nokey', by which rows are found"):
        job.send([{"nokey": "1"}])
