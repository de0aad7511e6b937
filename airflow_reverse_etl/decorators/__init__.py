"""The door for those who write tasks as functions: `@task.reverse_etl`."""
