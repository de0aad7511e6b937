"""The page that says what is faked and what is not is made from the fakes, and is never out of date."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_reverse_etl.sandbox.coverage import main, updated

PAGE = """# Sandbox
<!-- begin faults -->
old
<!-- end faults -->
kept
<!-- begin coverage: note -->
<!-- end coverage -->
"""
DOCS = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_the_tables_come_from_the_fakes(only_toys):
    """Areas, faults, arguments and settings are written between the marks; the rest of the page is kept."""
    page = updated(PAGE)
    assert "| batch create | faked | Up to 100 toys a call. |" in page
    assert "| search | not faked | There is none \\| and pipes are escaped. |" in page
    assert "| `lose_row` | The last row is missing from the answer; takes `rows`. |" in page
    assert "| `max_inputs` | `100` |" in page
    assert "| `delay` | `seconds=1.0` | The work begins only after some seconds, even if" in page
    assert "\nold\n" not in page
    assert "\nkept\n<!-- begin coverage: note -->\n" in page
    assert updated(page) == page


def test_check_fails_for_a_page_that_is_out_of_date(tmp_path, capsys, only_toys):
    """`--check` changes nothing and names the command that renews the page; after that it is content."""
    path = tmp_path / "sandbox.md"
    path.write_text(PAGE)
    assert main([str(path), "--check"]) == 1
    assert path.read_text() == PAGE
    assert "is out of date; run: python -m airflow_reverse_etl.sandbox.coverage" in capsys.readouterr().err
    assert main([str(path)]) == 0
    assert main([str(path), "--check"]) == 0


def test_a_page_without_the_marks_is_an_error(only_toys):
    """A table is never dropped in silence."""
    with pytest.raises(ValueError, match="the page has no place for 'coverage'"):
        updated(PAGE.partition("kept")[0])


def test_the_page_of_this_project_is_up_to_date():
    """docs/sandbox.md says what the fakes of this commit say."""
    text = DOCS.read_text(encoding="utf-8")
    assert updated(text) == text
