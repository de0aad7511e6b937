"""The engine: it knows no application and no Airflow."""
