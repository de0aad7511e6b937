"""A semicolon at the end of a query is forgiven, and nothing else of it is touched."""

from __future__ import annotations

import pytest

from airflow_reverse_etl.warehouse.query import bare


@pytest.mark.parametrize(
    "end", [";", ";;", " ; \n", ";\n\n-- done\n", "; /* the ; end */ ", "\n;\n--", "; -- 'quoted;'", ";-- it's \n ;"]
)
def test_the_end_is_cut_off(end: str) -> None:
    """A semicolon goes, with the white space and the comments behind it."""
    assert bare(f"select 'a;b' as x{end}").rstrip() == "select 'a;b' as x"


@pytest.mark.parametrize(
    "query",
    [
        "select 1",
        "select 1 -- no end; here",
        "select 1 /* ; */",
        "select ';'",
        "select ';--'",
        "select 'it''s; -- not a comment'",
        r"select 'it\'s; -- not a comment'",
        'select 1 as "a;--"',
        "select `a;--`",
        "select $$;--$$",
        "select $tag$ $$;-- $tag$",
        "select 1; select 2",
        "",
        "select 1 \n",
    ],
)
def test_everything_else_stays(query: str) -> None:
    """Semicolons in texts, names, comments and between statements stay where they are."""
    assert bare(query) == query
