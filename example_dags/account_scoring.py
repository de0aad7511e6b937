"""
### Account scoring

Scores accounts in the warehouse and writes the score into Salesforce, where the sales team works.

1. `score_accounts` computes `account_scores` from usage, in SQL, where the data is.
2. `run_aps` makes `Account.aps__c` in Salesforce agree with it. Only scores that changed since the last accepted run
   are sent; run it twice and the second run makes no write call.

Connections: `warehouse` (any database with a `DbApiHook`), `salesforce_default`.
"""

from __future__ import annotations

import datetime as dt

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG

from airflow_reverse_etl.operators.reverse_etl import ReverseETLOperator

with DAG(
    dag_id="account_scoring",
    schedule=None,
    catchup=False,
    tags=["reverse-etl", "salesforce"],
    default_args={"owner": "data", "retries": 2, "retry_delay": dt.timedelta(minutes=5)},
    doc_md=__doc__,
) as dag:
    score_accounts = SQLExecuteQueryOperator(
        task_id="score_accounts",
        conn_id="warehouse",
        split_statements=True,
        sql="""
            drop table if exists account_scores;
            create table account_scores as
            select account_id
                 , cast(round(100.0 * (0.5 * active_users / seats
                                       + 0.3 * logins_30d / (20.0 * seats)
                                       + case when support_tickets = 0 then 0.2 else 0.0 end), 1)
                        as decimal(5, 1)) as aps
            from accounts;
        """,
    )

    run_aps = ReverseETLOperator(
        task_id="run_aps",
        destination="salesforce",
        warehouse_conn_id="warehouse",
        query="""
            select account_id
                 , aps
            from account_scores
        """,
        object="account",
        fields=["aps__c"],
        job_type="update",
        batch_size=10000,
    )

    score_accounts >> run_aps
