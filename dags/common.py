"""What every DAG shares: who owns it, how it is retried, its parameters, and which time a run stands for."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import Param, get_current_context

KST = ZoneInfo("Asia/Seoul")

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
DAYS = Param(11, type="integer", minimum=1, maximum=11, description="How many days to read, from that day on.")
ACCEPT = Param(
    False,
    type="boolean",
    description="Load files that were held back. Only after `ukok crawl show-fault` was looked at.",
)


def param(name: str) -> Any:  # noqa: ANN401 - each parameter has its own type
    """The value of a parameter in the current run."""
    return get_current_context()["params"][name]


def due() -> datetime:
    """When the current run was due, in UTC; one that was started by hand or by an asset was due at that moment."""
    return get_current_context()["dag_run"].run_after.astimezone(UTC)


def day() -> date:
    """The Korean day that the current run stands for: the parameter ``date``, else the day on which it was due."""
    chosen: str | None = param("date")
    return date.fromisoformat(chosen) if chosen else due().astimezone(KST).date()


def crawl_instant() -> datetime:
    """The wall clock moved onto the day of the run: what a crawl counts as having seen its pages at."""
    return datetime.combine(day(), datetime.now(KST).time(), KST)
