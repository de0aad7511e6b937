"""
### Trigger a sync

Starts one sync from the Airflow UI ("Trigger" shows a form) or by REST:

```
POST /api/v2/dags/trigger_a_sync/dagRuns
{"logical_date": null, "conf": {"destination": "hubspot", "object": "contacts", "job_type": "upsert", "key": "email",
  "query": "select email, first_name as firstname from customers", "fields": ["email", "firstname"]}}
```

**Whoever may trigger this DAG may read everything that the warehouse connection reads, and write everything that the
application's connection writes.** Give it to few people, or give its connections few rights.

Connections: `warehouse`, and `salesforce_default`, `hubspot_default` or `google_sheets_default`.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, Param, task

from airflow_reverse_etl.operators.reverse_etl import ReverseETLOperator

DESTINATIONS = ["salesforce", "hubspot", "google_sheets"]
SANDBOX_SPREADSHEET = "1SandboxSpreadsheetIdForTestsAndDemos00000"

with DAG(
    dag_id="trigger_a_sync",
    schedule=None,
    catchup=False,
    tags=["reverse-etl"],
    default_args={"owner": "data", "retries": 2, "retry_delay": dt.timedelta(minutes=1)},
    doc_md=__doc__,
    params={
        "destination": Param("salesforce", enum=DESTINATIONS, title="Destination"),
        "object": Param(
            "Account",
            type="string",
            minLength=1,
            title="Object",
            description="Salesforce object, HubSpot object type, or tab of the spreadsheet",
        ),
        "spreadsheet_id": Param(
            SANDBOX_SPREADSHEET,
            type=["null", "string"],
            title="Spreadsheet id",
            description="Google Sheets only",
        ),
        "query": Param(
            "select account_id, aps\nfrom account_scores",
            type="string",
            format="multiline",
            minLength=1,
            title="Query",
            description="One SELECT",
        ),
        "fields": Param(
            ["aps__c"],
            type=["null", "array"],
            items={"type": "string"},
            title="Fields",
            description="Destination fields, one a line; empty: every column but the key's",
        ),
        "job_type": Param("update", enum=["create", "update", "upsert", "delete"], title="Job type"),
        "key": Param(
            None,
            type=["null", "string"],
            title="Key",
            description="Destination field that identifies a record; empty: the record id",
        ),
        "key_column": Param(None, type=["null", "string"], title="Key column", description="Empty: found by itself"),
        "batch_size": Param(10000, type="integer", minimum=1, title="Batch size"),
        "changes_only": Param(True, type="boolean", title="Changes only"),
    },
    render_template_as_native_obj=False,
) as dag:

    @task.branch
    def choose_destination(params: dict[str, object]) -> str:
        """Return the task of the destination that was chosen: `destination` itself is never templated."""
        return f"sync_{params['destination']}"

    chosen = choose_destination()
    for destination in DESTINATIONS:
        chosen >> ReverseETLOperator(
            task_id=f"sync_{destination}",
            destination=destination,
            warehouse_conn_id="warehouse",
            query="{{ params.query }}",
            object="{{ params.object }}",
            fields="{{ params.fields | tojson }}",
            key="{{ params.key }}",
            key_column="{{ params.key_column }}",
            job_type="{{ params.job_type }}",
            batch_size="{{ params.batch_size }}",
            changes_only="{{ params.changes_only }}",
            options={"spreadsheet_id": "{{ params.spreadsheet_id }}"} if destination == "google_sheets" else None,
            sync_id="trigger_a_sync.{{ params.destination }}.{{ params.object }}.{{ params.job_type }}."
            "{{ (params.fields or []) | join('-') }}",  # another set of fields is another sync
        )
