"""
### Contacts for marketing

Keeps HubSpot contacts in step with the customers of the warehouse: a contact is found by its e-mail, updated if it is
there and made if it is not. HubSpot compares e-mails without regard to case; so does this task, and two customers who
share one are refused rather than guessed about.

A task written as a function returns its query (here) or rows of its own. Connections: `warehouse`, `hubspot_default`.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import DAG, task

from airflow_reverse_etl.model import Field

with DAG(
    dag_id="hubspot_contacts",
    schedule=None,
    catchup=False,
    tags=["reverse-etl", "hubspot"],
    default_args={"owner": "data", "retries": 2, "retry_delay": dt.timedelta(minutes=5)},
    doc_md=__doc__,
) as dag:

    @task.reverse_etl(
        destination="hubspot",
        warehouse_conn_id="warehouse",
        object="contacts",
        key="email",
        fields={
            "email": "email",
            "firstname": "first_name",
            "lastname": "last_name",
            "score": Field("score", nulls="skip"),  # a customer without a score keeps the one that sales gave
        },
        job_type="upsert",
        max_rejected="5%",
    )
    def upsert_contacts() -> str:
        """Return the query of the contacts to write."""
        return "select email, first_name, last_name, score from customers"

    upsert_contacts()
