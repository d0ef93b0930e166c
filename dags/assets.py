"""What the DAGs hand to one another: each names rows or files that a DAG has brought up to date."""

from airflow.sdk import Asset

CATALOG = Asset(name="catalog", uri="ukok://service/kok_product")
SCHEDULE = Asset(name="schedule", uri="ukok://service/broadcast")
RECIPES = Asset(name="recipes", uri="ukok://service/recipe")
EVENTS = Asset(name="events", uri="ukok://warehouse/fct_user_event")
RELEASE = Asset(name="release", uri="ukok://artifacts/releases/CURRENT")
