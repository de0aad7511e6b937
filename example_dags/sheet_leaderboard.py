"""
### A leaderboard in a spreadsheet

Keeps the tab `Leaderboard` of a Google spreadsheet in step with the best accounts: new ones are added below, known ones
are updated in place, those that fell out of the list are deleted. Columns, formats and notes that people add beside it
stay as they are.

The spreadsheet's id comes from the Airflow variable `leaderboard_spreadsheet_id`; without it, the sandbox's.
Connections: `warehouse`, `google_sheets_default`.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG

from airflow_reverse_etl.operators.google_sheets import GoogleSheetsReverseETLOperator

SANDBOX_SPREADSHEET = "1SandboxSpreadsheetIdForTestsAndDemos00000"

with DAG(
    dag_id="sheet_leaderboard",
    schedule=None,
    catchup=False,
    tags=["reverse-etl", "google-sheets"],
    default_args={"owner": "data", "retries": 2, "retry_delay": dt.timedelta(minutes=5)},
    doc_md=__doc__,
) as dag:
    GoogleSheetsReverseETLOperator(
        task_id="write_leaderboard",
        warehouse_conn_id="warehouse",
        query="""
            select account_id as account
                 , name
                 , active_users
                 , logins_30d
                 , renews_on
            from accounts
            order by active_users desc, account_id
            limit 25
        """,
        object="Leaderboard",
        key="account",
        job_type="upsert",
        on_missing="delete",
        max_missing=25,
        spreadsheet_id=f"{{{{ var.value.get('leaderboard_spreadsheet_id', '{SANDBOX_SPREADSHEET}') }}}}",
        create_tab=True,
    )
