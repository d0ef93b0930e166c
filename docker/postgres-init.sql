-- Run once, when the container makes its data folder; POSTGRES_DB has made the warehouse.
CREATE DATABASE airflow;
