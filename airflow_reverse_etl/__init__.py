"""Reverse ETL inside Airflow. Nothing is imported here: Airflow reads this package before it is configured."""

__version__ = "0.1.0"
