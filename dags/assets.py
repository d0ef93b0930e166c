"""Assets that connect the DAGs: each names the rows or files that one DAG updates."""

from airflow.sdk import Asset

CATALOG = Asset(name="catalog", uri="ukok://service/kok_product")
SCHEDULE = Asset(name="schedule", uri="ukok://service/broadcast")
RECIPES = Asset(name="recipes", uri="ukok://service/recipe")
EVENTS = Asset(name="events", uri="ukok://warehouse/fct_user_event")
RELEASE = Asset(name="release", uri="ukok://artifacts/releases/CURRENT")
