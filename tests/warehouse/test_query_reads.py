"""One SELECT: what changes the warehouse is refused before it is run."""

from __future__ import annotations

import pytest

from airflow_reverse_etl.errors import ConfigurationError
from airflow_reverse_etl.warehouse.query import check_reads


@pytest.mark.parametrize(
    "query",
    [
        "select 1",
        "SELECT ';' as x",
        "-- a comment; with a semicolon\nselect 1",
        "/* x */ values (1)",
        "(select 1) union all (select 2)",
        "from t select a",
        "table t",
        "with a as (select 1) select * from a",
        "with recursive t(n) as (values (1) union all select n + 1 from t) select sum(n) from t",
        "select replace(a, 'x', 'y'), \"delete\" from t",
        "select $$; delete from t$$",
        "show server_version",
    ],
)
def test_what_reads_is_run(query: str) -> None:
    """A SELECT in any spelling is one, also with words of writing in quotes, comments or functions."""
    check_reads(query)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("delete from t", "begins with DELETE"),
        ("insert into t values (1) returning n", "begins with INSERT"),
        ("with d as (select 1) delete from t", "begins with DELETE"),
        ("with d as (select 1) insert into t select * from d", "begins with INSERT"),
        ("drop table t", "begins with DROP"),
        ("create table t (n int)", "begins with CREATE"),
        ("call purge()", "begins with CALL"),
        ("select 1; delete from t", "more than one statement"),
        ("drop table t; select 1", "more than one statement"),
        ("select (1; delete from t", "more than one statement"),
    ],
)
def test_what_changes_the_warehouse_is_refused(query: str, words: str) -> None:
    """Whoever may trigger a sync may read the warehouse, and no more."""
    with pytest.raises(ConfigurationError, match=words):
        check_reads(query)
