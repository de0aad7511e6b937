"""What every destination promises, over every folder that there is: the real engine and hook, over HTTP.

What the promises need to know of an application is in `cases/`; those about faults are in `test_contract_faults.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from airflow_reverse_etl import destinations
from airflow_reverse_etl.errors import ConfigurationError, FatalError
from airflow_reverse_etl.model import Field, JobType

if TYPE_CHECKING:
    from world import World

EACH = pytest.mark.parametrize("destination", destinations.names())
JOBS = [job.value for job in JobType]
pytestmark = EACH


@pytest.mark.parametrize("job", ["create", "upsert"])
def test_new_records_hold_exactly_what_the_query_says(world: World, job: str) -> None:
    """Every value of every row arrives as it is: numbers, dates, instants, flags, lists, JSON, and every hard text."""
    rows = world.rows()
    ended = world.land(job, rows)
    assert ended.report.succeeded[job] == ended.report.rows == len(rows)
    world.assert_holds(rows)
    assert world.violations() == []


def test_an_update_changes_what_the_query_says_and_nothing_else(world: World) -> None:
    """Records that are there hold the query's values afterwards; others, and fields that are not written, stay."""
    first, second, third = world.case.texts
    rows = world.texts("new")
    world.seed(rows, **{first: "old", second: "stays", third: "stays"})
    other = world.rows().take(world.case.keys[10:12])
    world.seed(other, **{first: "old"})
    ended = world.land("update", rows)
    assert ended.report.succeeded["update"] == len(rows)
    held = world.held(world.case.texts)
    assert {key: held[key][first] for key in rows.shown} == {key: shown[first] for key, shown in rows.shown.items()}
    assert {held[key][name] for key in rows.shown for name in (second, third)} == {"stays"}
    assert {held[key][first] for key in other.shown} == {"old"}
    assert world.violations() == []


def test_an_update_writes_values_of_every_type(world: World) -> None:
    """An update writes values as a create does, and NULL empties what was there."""
    rows = world.rows()
    world.seed(rows, **dict.fromkeys(world.case.texts, "old"))
    world.land("update", rows)
    world.assert_holds(rows)
    assert world.violations() == []


def test_an_upsert_makes_what_is_missing_and_changes_the_rest(world: World) -> None:
    """Half of the records are there and half are not; afterwards all hold the query's values, each once."""
    rows = world.rows()
    world.seed(rows.take(world.case.keys[:10]), **{world.case.texts[0]: "old"})
    ended = world.land("upsert", rows)
    assert ended.report.succeeded["upsert"] == len(rows)
    world.assert_holds(rows)


def test_a_delete_removes_what_the_query_names_and_nothing_else(world: World) -> None:
    """The named records are gone, the others stay."""
    rows = world.texts("x")
    world.seed(rows, **{world.case.texts[0]: "here"})
    doomed = rows.take(world.case.keys[:7])
    assert world.land("delete", doomed).report.succeeded["delete"] == 7
    assert set(world.held([])) == set(world.case.keys[7:10])
    assert world.violations() == []


@pytest.mark.parametrize("job", ["update", "delete"])
def test_without_a_key_records_are_found_by_their_own_ids(world: World, job: str) -> None:
    """The default key is the application's record id (the first header of a tab)."""
    first = world.case.texts[0]
    rows = world.texts("x", keys=6)
    ids = world.seed(rows, **{first: "old"})
    if world.case.record_id == world.case.key:
        ids = list(rows.shown)
    table = pa.table({"some_id": ids[:4], first: [f"new {n}" for n in range(4)]})
    world.land(job, table, key=None)
    held = world.held([first])
    changed = {key: f"new {n}" for n, key in enumerate(world.case.keys[:4])} if job == "update" else {}
    stays = dict.fromkeys(world.case.keys[4:6], "old")
    assert {key: record[first] for key, record in held.items()} == changed | stays


@pytest.mark.parametrize("job", JOBS)
def test_an_unchanged_second_run_makes_no_write_call(world: World, job: str) -> None:
    """What the application has accepted is not sent again."""
    rows = world.rows()
    if job in ("update", "delete"):
        world.seed(rows)
    world.land(job, rows)
    writes = world.writes()
    assert len(writes) >= len(rows) / 4
    again = world.land(job, rows)
    assert again.report.unchanged == len(rows)
    assert world.writes() == writes


def test_only_what_changed_is_sent(world: World) -> None:
    """One changed row and one new row are two records in one call."""
    first = world.case.texts[0]
    world.land("upsert", world.texts("same", keys=5))
    values = [f"same {n}" for n in range(5)]
    values[2] = "other"
    table = _with(world, world.case.keys[:6], {first: [*values, "new"]})
    assert world.land("upsert", table).report.succeeded["upsert"] == 2
    assert [record[first] for record in world.held([first]).values()].count("other") == 1
    assert len(world.held([])) == 6


def test_null_and_the_empty_text_empty_a_field_and_skip_leaves_it_alone(world: World) -> None:
    """NULL clears, '' clears in the same way, and with nulls="skip" a NULL says nothing."""
    first, second, third = world.case.texts
    keys = world.case.keys[:3]
    filled = {name: [f"{name} {n}" for n in range(3)] for name in world.case.texts}
    world.land("upsert", _with(world, keys, filled))
    emptied = {first: [None, None, "new"], second: ["", "", "new"], third: [None, "new", None]}
    named = {name: Field(name) for name in [*world.case.always, first, second]}
    world.land("upsert", _with(world, keys, emptied), fields={**named, third: Field(third, nulls="skip")})
    held = world.held(world.case.texts)
    assert [held[key][first] for key in keys] == [None, None, "new"]
    assert [held[key][second] for key in keys] == [None, None, "new"]
    assert [held[key][third] for key in keys] == [f"{third} 0", "new", f"{third} 2"]


def test_a_field_that_the_query_does_not_name_is_left_alone(world: World) -> None:
    """Only mapped fields are written."""
    first, second, _ = world.case.texts
    keys = world.case.keys[:2]
    world.land("upsert", _with(world, keys, {first: ["a", "b"], second: ["c", "d"]}))
    world.land("upsert", _with(world, keys, {first: ["e", "f"]}), sync_id="another.sync")
    held = world.held([first, second])
    assert [list(held[key].values()) for key in keys] == [["e", "c"], ["f", "d"]]


def test_field_names_are_found_without_regard_to_case(world: World) -> None:
    """A warehouse that shouts its column names, as Snowflake does, writes the same fields."""
    rows = world.texts("value", keys=3)
    loud = rows.table.rename_columns([name.upper() for name in rows.table.column_names])
    world.land("upsert", loud, key=world.case.key.upper())
    world.assert_holds(rows)


@pytest.mark.parametrize("job", ["create", "update", "upsert"])
def test_one_bad_row_is_refused_by_name_and_the_others_land(world: World, job: str) -> None:
    """A row that the application refuses is named with a reason, and keeps no other row from landing."""
    case, bad, first = world.case, world.case.refused, world.case.texts[0]
    keys = case.keys[:10]
    values = {first: [f"text {n}" for n in range(10)]}
    values[bad.field] = [bad.value if n == 5 else values.get(bad.field, [None] * 10)[n] for n in range(10)]
    table = _with(world, keys, values)
    if job == "update":
        world.seed(world.texts("x", keys=10))
    ended = world.run(job, table, batch_size=10)
    assert (ended.report.succeeded[job], ended.report.rejected) == (9, 1)
    assert isinstance(ended.error, FatalError)
    outcomes = world.outcomes(ended)
    assert [key for key, outcome in outcomes.items() if outcome["status"] != "succeeded"] == [keys[5]]
    assert outcomes[keys[5]]["code"] == bad.code
    assert outcomes[keys[5]]["message"]
    assert ended.report.errors[0]["fields"] in ([bad.field], [])
    assert bad.value not in ended.report.summary
    assert world.violations() == []
    others = set(keys) - {keys[5]}
    assert (
        {key for key, record in world.held([first]).items() if record[first]} >= others if first != bad.field else True
    )


@pytest.mark.parametrize("job", ["create", "update", "upsert"])
def test_a_value_that_is_none_of_the_fields_type_is_refused_for_its_row_alone(world: World, job: str) -> None:
    """Bytes fit no text field: that row is CANNOT_ENCODE, the sentence names the field and not the value."""
    first, second, _ = world.case.texts
    keys = world.case.keys[:6]
    table = _with(world, keys, {second: [f"text {n}" for n in range(6)]})
    table = table.append_column(first, pa.array([None, None, b"\xffsecret", None, None, None], pa.binary()))
    if job == "update":
        world.seed(world.texts("x", keys=6))
    ended = world.run(job, table)
    assert (ended.report.succeeded[job], ended.report.rejected) == (5, 1)
    refused = world.outcomes(ended)[keys[2]]
    assert refused["code"] == "CANNOT_ENCODE"
    assert first in refused["message"]
    assert "secret" not in refused["message"]
    assert ended.report.errors[0]["fields"] == [first]
    assert world.violations() == []


def test_a_row_that_was_refused_is_tried_again_until_it_lands(world: World) -> None:
    """The next run sends the mended row, and only that one."""
    bad, first = world.case.refused, world.case.texts[0]
    keys = world.case.keys[:5]
    fine: dict[str, list[str | None]] = {first: [f"text {n}" for n in range(5)]}
    wrong = {**fine, bad.field: [bad.value, *fine.get(bad.field, [None] * 5)[1:]]}
    right = {bad.field: [None] * 5, **fine}
    assert world.run("upsert", _with(world, keys, wrong)).report.rejected == 1
    assert world.run("upsert", _with(world, keys, wrong)).report.planned["upsert"] == 1
    ended = world.land("upsert", _with(world, keys, right))
    assert (ended.report.succeeded["upsert"], ended.report.unchanged) == (1, 4)
    assert {key: record[first] for key, record in world.held([first]).items()} == dict(
        zip(keys, fine[first], strict=True)
    )


def test_an_update_of_a_missing_record_is_not_found(world: World) -> None:
    """The row without a record is rejected NOT_FOUND, nothing is made, and the others are changed."""
    rows = world.texts("new", keys=6)
    world.seed(rows.take(world.case.keys[:4]))
    ended = world.run("update", rows)
    codes = {key: outcome["code"] for key, outcome in world.outcomes(ended).items() if outcome["status"] == "rejected"}
    assert codes == dict.fromkeys(world.case.keys[4:6], "NOT_FOUND")
    world.assert_holds(rows.take(world.case.keys[:4]))


def test_deleting_twice_succeeds(world: World) -> None:
    """What is gone already, or never was, counts as deleted."""
    rows = world.texts("x")
    world.seed(rows.take(world.case.keys[:6]))
    assert world.land("delete", rows).report.succeeded["delete"] == len(rows)
    assert world.held([]) == {}
    again = world.land("delete", rows, changes_only=False)
    assert again.report.succeeded["delete"] == len(rows)
    assert world.violations() == []


def test_creating_what_exists_is_refused_and_never_doubled(world: World) -> None:
    """A create finds a record with its key: the row is refused, the record stays as it is, the other rows land."""
    first = world.case.texts[0]
    rows = world.texts("new", keys=4)
    world.seed(rows.take(world.case.keys[:1]), **{first: "old"})
    ended = world.run("create", rows)
    assert (ended.report.succeeded["create"], ended.report.rejected) == (3, 1)
    held = world.held([first])
    assert held[world.case.keys[0]][first] == "old"
    assert set(held) == set(rows.shown)


def test_a_key_that_comes_twice_is_sent_for_neither_row(world: World) -> None:
    """Which of two rows with one key is right is not ours to guess: both are invalid, however the key is spelled."""
    first = world.case.texts[0]
    twice = world.case.alike or (world.case.keys[1], world.case.keys[1])
    ended = world.run("upsert", _with(world, [world.case.keys[0], *twice], {first: ["a", "b", "c"]}))
    assert (ended.report.invalid, ended.report.succeeded["upsert"]) == (2, 1)
    assert set(world.held([])) == {world.case.keys[0]}


def test_two_spellings_of_a_key_are_one_record(world: World) -> None:
    """What the application takes for one key is one to us: the second spelling changes the record of the first."""
    first = world.case.texts[0]
    before, after = world.case.alike or (world.case.keys[0],) * 2
    world.land("upsert", _with(world, [before], {first: ["old"]}))
    again = world.land("upsert", _with(world, [after], {first: ["old"]}))
    assert again.report.unchanged + again.report.succeeded["upsert"] == 1
    world.land("upsert", _with(world, [after], {first: ["new"]}))
    assert [record[first] for record in world.held([first]).values()] == ["new"]
    world.land("update", _with(world, [before], {first: ["newest"]}), sync_id="update")
    assert [record[first] for record in world.held([first]).values()] == ["newest"]
    world.land("delete", _with(world, [after], {first: [""]}), sync_id="delete")
    assert world.held([]) == {}


@pytest.mark.parametrize("on_missing", ["delete", "clear"])
def test_a_row_that_leaves_the_query_is_removed_if_the_task_says_so(world: World, on_missing: str) -> None:
    """`on_missing` deletes the record, or empties the fields that this sync wrote; other records stay as they are."""
    first = world.case.texts[0]
    keys = world.case.keys[:6]
    table = _with(world, keys, {first: [f"text {n}" for n in range(6)]})
    world.seed(world.rows().take(world.case.keys[10:11]), **{first: "somebody else's"})
    fields = [first] if world.case.always else None
    job = "update" if world.case.always else "upsert"
    if job == "update":
        world.seed(world.rows().take(keys))
    world.land(job, table, fields=fields, on_missing=on_missing)
    ended = world.land(job, table.slice(0, 4), fields=fields, on_missing=on_missing)
    assert (ended.report.missing, ended.report.unchanged) == (2, 4)
    held = {key: record[first] for key, record in world.held([first]).items()}
    left = {key: f"text {n}" for n, key in enumerate(keys[:4])} | {world.case.keys[10]: "somebody else's"}
    assert held == left | ({} if on_missing == "delete" else dict.fromkeys(keys[4:]))


@pytest.mark.parametrize("job", JOBS)
def test_hard_keys_find_their_own_record_and_no_other(world: World, job: str) -> None:
    """Quotes, slashes, formulas, zeros in front, emoji: every key that a field can hold is one record's."""
    first = world.case.texts[0]
    for key, values in world.case.other_keys.items():
        world.box.reset(world.destination)
        world.case.prepare(world.box)
        columns = {first: [f"text {n}" for n in range(len(values))]}
        table = _with(world, values, columns, key=key)
        if job in ("update", "delete"):
            world.land("upsert", table, key=key, sync_id=f"setup.{key}")
        if job == "update":
            table = _with(world, values, {first: [f"other {n}" for n in range(len(values))]}, key=key)
        world.land(job, table, key=key, sync_id=f"{job}.{key}")
        held = [record[first] for record in world.held([first], key).values()]
        assert sorted(held) == ([] if job == "delete" else sorted(table.column(first).to_pylist())), key
        if job != "create":
            before = len(held)
            world.land(job, table, key=key, sync_id=f"{job}.{key}", changes_only=False)
            assert len(world.held([], key)) == before
    assert world.violations() == []


def test_another_account_starts_from_nothing(world: World) -> None:
    """Repointing a sync sends every row anew and says so: the state of one account is not taken for another's."""
    rows = world.texts("x")
    world.land("upsert", rows)
    assert world.land("upsert", rows).report.unchanged == len(rows)
    options = world.case.move(world.box)
    world.log.clear()
    moved = world.land("upsert", rows, options=options)
    assert (moved.report.succeeded["upsert"], moved.report.unchanged) == (len(rows), 0)
    assert any("another target" in line for line in world.log)


@pytest.mark.parametrize("job", JOBS)
def test_an_object_that_is_not_there_is_one_sentence_and_no_write(world: World, job: str) -> None:
    """The error names the object, and comes before a row moves."""
    _refused(world, job, "no_such_thing", object="no_such_thing")


@pytest.mark.parametrize("job", ["create", "update", "upsert"])
def test_fields_that_are_not_there_are_one_sentence_and_no_write(world: World, job: str) -> None:
    """The error names every wrong field at once, and comes before a row moves."""
    first = world.case.texts[0]
    table = _with(world, world.case.keys[:3], {first: ["a"] * 3, "no_such_field": ["b"] * 3, "nor_this": ["c"] * 3})
    error = _refused(world, job, "no_such_field", table, options=world.case.strict)
    assert "nor_this" in str(error)


@pytest.mark.parametrize("job", JOBS)
def test_a_key_that_is_not_there_is_one_sentence_and_no_write(world: World, job: str) -> None:
    """The error names the key, and comes before a row moves."""
    table = _with(world, world.case.keys[:3], {world.case.texts[0]: ["a"] * 3}, key="no_such_key")
    _refused(world, job, "no_such_key", table, key="no_such_key", options=world.case.strict)


def test_a_query_without_rows_makes_no_call(world: World) -> None:
    """Nothing to do is a success, and the application is not asked anything."""
    ended = world.land("upsert", world.rows().table.slice(0, 0))
    assert (ended.report.rows, world.calls()) == (0, 0)


def test_a_smaller_batch_size_makes_more_calls_and_the_same_records(world: World) -> None:
    """`batch_size` bounds the records of a call, and never what lands."""
    rows = world.texts("x", keys=9)
    world.land("create", rows, batch_size=2)
    assert len(world.writes()) >= 5
    world.assert_holds(rows)


def _refused(
    world: World, job: str, named: str, table: pa.Table | None = None, **parameters: Any
) -> ConfigurationError:
    """Run what cannot work; return the error, after a look that it is a sentence and that nothing was written."""
    world.seed(world.texts("x", keys=2))
    before = world.held(world.case.texts)
    ended = world.run(job, table if table is not None else world.texts("x", keys=3), **parameters)
    assert isinstance(ended.error, ConfigurationError)
    assert named in str(ended.error)
    assert len(str(ended.error)) > len(named) + 20
    assert world.writes() == []
    assert world.held(world.case.texts) == before
    return ended.error


def _with(world: World, keys: Any, columns: dict[str, Any], key: str | None = None) -> pa.Table:
    """Return a table of keys, the fields that every record must have, and texts."""
    always = {name: [value] * len(keys) for name, value in world.case.always.items()}
    written = {name: pa.array(values, pa.string()) for name, values in {**always, **columns}.items()}
    return pa.table({key or world.case.key: pa.array(list(keys), pa.string()), **written})
