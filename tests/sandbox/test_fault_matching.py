"""Which requests a fault strikes, and what is said when it is set wrongly."""

from __future__ import annotations

import pytest


def statuses(create, count):
    """Return the statuses of so many calls."""
    return [create().status_code for _ in range(count)]


@pytest.mark.parametrize(
    ("how", "struck"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"nth": 2}, [2]),
        ({"nth": [1, 4]}, [1, 4]),
        ({"times": 2}, [1, 2]),
        ({"times": 1, "nth": [2, 3]}, [2]),
        ({"path": "^/red/batch$"}, [1, 2, 3, 4, 5]),
        ({"path": "^/blue/"}, []),
        ({"path": "batch", "method": "post"}, [1, 2, 3, 4, 5]),
        ({"method": "GET"}, []),
        ({"probability": 1}, [1, 2, 3, 4, 5]),
        ({"probability": 0}, []),
    ],
)
def test_a_fault_strikes_the_requests_that_are_named(toybox, create, how, struck):
    """Path, method, nth, times and probability each narrow the requests down; all others get through."""
    toybox.faults("toybox", "status", status=500, **how)
    assert [number for number, status in enumerate(statuses(create, 5), 1) if status == 500] == struck


def test_nth_counts_from_the_moment_the_fault_is_set(toybox, create):
    """Requests before the fault, and requests that do not match, are not counted."""
    create()
    toybox.faults("toybox", "status", status=500, path="red", nth=2)
    toybox.seed("toybox", "blue", [])
    assert statuses(create, 3) == [201, 500, 201]


def test_the_same_seed_strikes_the_same_requests(toybox, create):
    """A share of the requests fails, the same ones in every run with the same seed."""
    runs = []
    for seed in (7, 7, 8):
        toybox.reset()
        toybox.faults("toybox", "status", status=500, probability=0.5, seed=seed)
        runs.append(statuses(create, 40))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert 5 < runs[0].count(500) < 35


def test_the_fault_that_was_set_first_strikes(toybox, create):
    """Two faults that match one request are not mixed; the second has its turn when the first is used up."""
    toybox.faults("toybox", "status", status=500, times=1)
    toybox.faults("toybox", "status", status=503, times=1)
    assert statuses(create, 3) == [500, 503, 201]


def test_a_fault_of_the_destination_reaches_the_fake(toybox, create):
    """The fake finds its own mode with its arguments, for the matched request only."""
    toybox.faults("toybox", "lose_row", nth=1, rows=2)
    assert len(create("a", "b", "c").json()["results"]) == 1
    assert len(create("a", "b", "c").json()["results"]) == 3
    assert [entry.fault for entry in toybox.log] == ["lose_row", None]


def test_active_faults_are_listed_and_cleared(toybox, create):
    """A fault is listed with its counters until it can strike no more; it can be cleared by id, or all at once."""
    toybox.faults("toybox", "status", status=500, nth=2)
    listed = toybox.faults("toybox", "drop_before", path="blue")
    assert [(fault["mode"], fault["seen"], fault["hits"]) for fault in listed] == [
        ("status", 0, 0),
        ("drop_before", 0, 0),
    ]
    assert statuses(create, 2) == [201, 500]
    assert [fault["mode"] for fault in toybox.faults()] == ["drop_before"]
    toybox.faults("toybox", "html")
    toybox.clear_faults(id=listed[1]["id"])
    assert [fault["mode"] for fault in toybox.faults("toybox")] == ["html"]
    toybox.clear_faults()
    assert toybox.faults() == []
    assert create().status_code == 201


@pytest.mark.parametrize(
    ("arguments", "how", "said"),
    [
        (("toybox", "explode"), {}, "unknown fault 'explode' for toybox; use one of .*drop_after_commit.*lose_row"),
        (("crm", "html"), {}, "no destination 'crm' in this sandbox; there are: toybox"),
        (("crm",), {}, "no destination 'crm'"),
        ((None, "html"), {}, "takes a destination and a mode"),
        (("toybox",), {"nth": 1}, "takes a destination and a mode"),
        (("toybox", "delay"), {"second": 1}, "'delay' takes seconds; not second"),
        (("toybox", "drop_before"), {"commit": True}, "'drop_before' takes no arguments; not commit"),
        (("toybox", "delay"), {"seconds": "1"}, "seconds .* is a number of seconds, 0 or more, not '1'"),
        (("toybox", "delay"), {"seconds": -1}, "0 or more, not -1"),
        (("toybox", "status"), {"status": 99}, "an HTTP status from 200 to 599, not 99"),
        (("toybox", "status"), {"commit": 1}, "commit .* is true or false"),
        (("toybox", "status"), {"headers": {"A": "b\r\nC: d"}}, "a mapping of header names to texts or numbers"),
        (("toybox", "redirect"), {"location": "/a\nb"}, "an address on one line"),
        (("toybox", "stale_keep_alive"), {"when": "later"}, "'idle' or 'next', not 'later'"),
        (("toybox", "html"), {"path": "("}, "path is a regular expression, and '\\(' is none"),
        (("toybox", "html"), {"nth": 0}, "nth of a fault is 1 or more"),
        (("toybox", "html"), {"nth": []}, "nth of a fault is 1 or more"),
        (("toybox", "html"), {"nth": 1.5}, "nth of a fault is 1 or more"),
        (("toybox", "html"), {"times": True}, "times of a fault is a whole number, 1 or more"),
        (("toybox", "html"), {"probability": 2}, "probability of a fault is a number from 0 to 1; not 2"),
        (("toybox", "html"), {"seed": "x"}, "seed of a fault is a whole number"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_when_it_is_set(toybox, arguments, how, said):
    """The sentence says what would be right, and no fault is set."""
    with pytest.raises(ValueError, match=said):
        toybox.faults(*arguments, **how)
    assert toybox.faults() == []
