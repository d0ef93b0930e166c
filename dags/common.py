"""What all DAGs share: owner, retries and limits, parameters, and the day and instant of a run."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from airflow.sdk import Param, get_current_context

from ukok.korea import KST

COMMON: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "default_args": {
        "owner": "data-engineering",
        "retries": 2,
        "retry_exponential_backoff": 2.0,  # doubles [core] default_task_retry_delay
        "max_retry_delay": timedelta(minutes=30),
        "execution_timeout": timedelta(hours=1),
    },
}

DATE = Param(
    None,
    type=["null", "string"],
    format="date",
    description="Day in Korea to read, e.g. 2025-08-06. Empty: the day of the run.",
)
DAYS = Param(11, type="integer", minimum=1, maximum=11, description="Number of days to read, from that day on.")
ACCEPT = Param(
    False,
    type="boolean",
    description="Load files that were held back. Look at `ukok crawl show-fault` first.",
)


def param(name: str) -> Any:  # noqa: ANN401 - each parameter has its own type
    """Return the value of a parameter of the current run."""
    return get_current_context()["params"][name]


def run_after() -> datetime:
    """Return when the current run was due, in UTC; one triggered by hand or by an asset was due at that moment."""
    return get_current_context()["dag_run"].run_after.astimezone(UTC)


def day() -> date:
    """Return the Korean day of the current run: the parameter ``date``, else the day on which it was due."""
    chosen: str | None = param("date")
    return date.fromisoformat(chosen) if chosen else run_after().astimezone(KST).date()


def crawl_instant() -> datetime:
    """Return the wall-clock time of now on the day of the run: the instant that its crawl counts as."""
    return datetime.combine(day(), datetime.now(KST).time(), KST)
