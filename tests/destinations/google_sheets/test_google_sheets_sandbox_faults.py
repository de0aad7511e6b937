"""The bad days of Google Sheets that can be ordered: refusals, errors after the work, and people who get in between."""

from __future__ import annotations

import pytest
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from sheets_api import Api, message


@pytest.fixture
def api(box):
    """Return a plain client of the fake."""
    with Api(box) as api:
        yield api


@pytest.mark.parametrize(
    ("mode", "code", "status"),
    [
        ("quota", 429, "RESOURCE_EXHAUSTED"),
        ("token_expired", 401, "UNAUTHENTICATED"),
        ("no_permission", 403, "PERMISSION_DENIED"),
        ("api_disabled", 403, "PERMISSION_DENIED"),
        ("not_found", 404, "NOT_FOUND"),
        ("protected", 400, "INVALID_ARGUMENT"),
        ("internal", 500, "INTERNAL"),
        ("unavailable", 503, "UNAVAILABLE"),
        ("deadline", 504, "DEADLINE_EXCEEDED"),
    ],
)
def test_a_fault_answers_in_place_of_the_work(box, api, mode, code, status):
    """The request that was chosen gets Google's error, changes nothing, and the next one works."""
    api.get()
    box.faults("google_sheets", mode, times=1, path=":batchUpdate")
    answer = api.change({"addSheet": {}})
    assert (answer.status_code, answer.json()["error"]["status"]) == (code, status)
    assert api.fake.objects() == {"Sheet1": 0}
    if mode == "token_expired":
        assert api.get().status_code == 401
    else:
        assert api.change({"addSheet": {}}).status_code == 200


@pytest.mark.parametrize("mode", ["internal", "unavailable", "deadline"])
def test_a_fault_can_strike_after_the_work(box, api, mode):
    """The write took effect, and the client is not told."""
    box.faults("google_sheets", mode, times=1, after=True, path="/v4/")
    assert api.write("A1", [["x"]]).status_code >= 500
    assert api.values("A1") == [["x"]]


def test_a_deleted_key_logs_in_no_more(box, api):
    """The token endpoint refuses the account, or is down itself; google-auth tells the two apart."""
    box.faults("google_sheets", "invalid_grant", path="/token", times=1)
    with pytest.raises(RefreshError, match="account not found") as hit:
        api.credentials.refresh(Request())
    assert hit.value.retryable is False
    box.faults("google_sheets", "unavailable", path="/token", nth=[1, 2, 3])
    with pytest.raises(RefreshError, match="internal_failure") as hit:
        api.credentials.refresh(Request())
    assert hit.value.retryable is True
    box.clear_faults("google_sheets")
    assert api.get().status_code == 200


@pytest.mark.parametrize(
    ("mode", "how", "expected"),
    [
        ("person_inserts_rows", {"row": 2, "count": 2}, [["id"], [], [], [3], ["b"], [1]]),
        ("person_deletes_rows", {"row": 3}, [["id"], [3], [1]]),
        ("person_sorts", {"column": "A"}, [["id"], [1], [3], ["b"]]),
        ("person_renames_column", {"column": "A", "title": "key"}, [["key"], [3], ["b"], [1]]),
    ],
)
def test_a_person_can_get_in_between(box, api, mode, how, expected):
    """Somebody changes the tab right before a request, which then finds it changed."""
    api.write("A1", [["id"], [3], ["b"], [1]])
    box.faults("google_sheets", mode, times=1, tab="Sheet1", **how)
    assert api.values("Sheet1") == expected
    assert api.values("Sheet1") == expected


def test_a_person_can_protect_a_tab_in_between(box, api):
    """The write that follows is refused, and so is a fault that names no tab."""
    box.faults("google_sheets", "person_protects_tab", times=1, path="/v4/", tab="Sheet1")
    assert "protected cell" in message(api.write("A1", [["x"]]))
    box.faults("google_sheets", "person_sorts", times=1, tab="Nope")
    assert "names the tab 'Nope', which is not there" in message(api.get())
