"""What Airflow asks a provider for, before it is configured: data, and no client library."""

from __future__ import annotations

from typing import Any

from airflow_reverse_etl import __version__, destinations

CONFIG = {
    "reverse_etl": {
        "description": "Reverse ETL: where syncs keep their state and how long they wait.",
        "options": {
            "store_path": {
                "description": "Where state and the files of runs are kept: a path, or a URL that ObjectStoragePath "
                "takes (`s3://conn_id@bucket/prefix`). It must outlive the worker. Empty: a folder below AIRFLOW_HOME.",
                "version_added": "0.1.0",
                "type": "string",
                "example": "s3://aws_default@my-bucket/reverse_etl",
                "default": "",
            },
            "keep_runs": {
                "description": "How many runs of a sync keep their files.",
                "version_added": "0.1.0",
                "type": "integer",
                "example": None,
                "default": "30",
            },
            "max_wait": {
                "description": "Seconds that a run waits in one stretch for an application that says 'not now'.",
                "version_added": "0.1.0",
                "type": "float",
                "example": None,
                "default": "900",
            },
            "insecure_hosts": {
                "description": "Hosts that plain http is allowed to besides loopback, separated by commas. "
                "The secret of the connection is sent to them in clear.",
                "version_added": "0.1.0",
                "type": "string",
                "example": "sandbox",
                "default": "",
            },
            "stage_path": {
                "description": "Directory on local disk for the rows of a run. Empty: the system's temporary one.",
                "version_added": "0.1.0",
                "type": "string",
                "example": "/mnt/scratch",
                "default": "",
            },
            "stage_memory": {
                "description": "Memory that the stage may take before it spills to disk.",
                "version_added": "0.1.0",
                "type": "string",
                "example": "1GB",
                "default": "256MB",
            },
        },
    }
}


def get_provider_info() -> dict[str, Any]:
    """Return Airflow's provider info; a destination's connection type is in it by its folder being there."""
    declared = [getattr(destinations.declaration(name), "CONNECTION", {}) for name in destinations.names()]
    return {
        "package-name": "airflow-provider-reverse-etl",
        "name": "Reverse ETL",
        "description": "Makes Salesforce, HubSpot and Google Sheets agree with a warehouse query.",
        "versions": [__version__],
        "connection-types": [connection for connection in declared if connection and "registered-by" not in connection],
        "task-decorators": [
            {
                "name": "reverse_etl",
                "class-name": "airflow_reverse_etl.decorators.reverse_etl.reverse_etl_task",
            }
        ],
        "config": CONFIG,
    }
