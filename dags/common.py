"""What all DAGs share: owner, retries, limits and alerts, parameters, and the instant and day of a task."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, Param, RetryDecision, RetryPolicy, get_current_context, setup, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dags.alerts import BackfillRefused, run_failed, task_failed
from ukok.korea import KST

if TYPE_CHECKING:
    from pipelines.report import Report


class RetryPassing(RetryPolicy):
    """Fail at once on an error that another try does not mend; retry any other."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Any = None,  # noqa: ANN401
    ) -> RetryDecision:
        from pipelines.errors import is_permanent

        if is_permanent(exception):
            return RetryDecision.fail(f"another try fails too: {exception}")
        return RetryDecision.default()


def check_conf(context: Any) -> None:  # noqa: ANN401 - Airflow's context
    """Fail a run whose configuration has a key that the DAG has no parameter for."""
    known = context["dag"].params.keys()  # those of the run include whatever its configuration holds
    for key in sorted((context["dag_run"].conf or {}).keys() - known):
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"its parameters: {', '.join(sorted(known)) or 'none'}"
        raise AirflowFailException(f"{context['dag'].dag_id} has no parameter {key!r}; {hint}")


def check_present(context: Any) -> None:  # noqa: ANN401 - Airflow's context
    """Fail the runs of a backfill, for DAGs that read the world as it is now; also see :func:`check_conf`."""
    if context["dag_run"].run_type == "backfill":
        raise BackfillRefused(
            f"{context['dag'].dag_id} sees the present, not {context['dag_run'].logical_date:%Y-%m-%d %H:%M} UTC: a "
            "backfill would take today's state for that of a past day. Trigger one run; it covers what was missed"
        )
    check_conf(context)


COMMON: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "on_failure_callback": run_failed,
}
TASK: dict[str, Any] = {
    "owner": "data-engineering",
    "retries": 2,
    "retry_policy": RetryPassing(),
    "retry_exponential_backoff": 2.0,  # doubles [core] default_task_retry_delay, and Airflow adds up to as much again
    "max_retry_delay": timedelta(minutes=30),
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": task_failed,
    "pre_execute": check_conf,
}
PRESENT: dict[str, Any] = TASK | {"pre_execute": check_present}

DATE = Param(
    None,
    type=["null", "string"],
    format="date",
    description="Day in Korea to read from, e.g. 2025-08-06. Empty: today.",
)
DAYS = Param(11, type="integer", minimum=1, maximum=11, description="Number of days to read, from that day on.")
ACCEPT = Param(
    False,
    type="boolean",
    description="Load files that were held back. Look at `ukok crawl show-fault` first.",
)


@setup
@task
def check() -> None:
    """Begin a run whose later tasks also run after failures: what every task checks is checked here first.

    When a setup task fails, Airflow begins none of those below it, whatever their trigger rules are.
    """


def param(name: str) -> Any:  # noqa: ANN401 - each parameter has its own type
    """Return the value of a parameter of the current run."""
    return get_current_context()["params"][name]


def now() -> datetime:
    """Return the present, in UTC. A task reads it once, so that whatever it observes is stamped with that instant.

    When the run was due says nothing: the task may have waited, been retried, or been cleared on a later day.
    """
    return datetime.now(UTC)


def korean_day(moment: datetime) -> date:
    """Return the day in Korea at an instant."""
    return moment.astimezone(KST).date()


def chosen_day(moment: datetime) -> date:
    """Return the Korean day to read from: the parameter ``date``, else the day of ``moment``."""
    chosen: str | None = param("date")
    return date.fromisoformat(chosen) if chosen else korean_day(moment)


def interval() -> tuple[datetime | None, datetime | None]:
    """Return the data interval of a backfill, else the parameters ``start`` and ``end`` of the run."""
    run = get_current_context()["dag_run"]
    if run.run_type == "backfill":
        return run.data_interval_start, run.data_interval_end
    start, end = param("start"), param("end")
    return datetime.fromisoformat(start) if start else None, datetime.fromisoformat(end) if end else None


def figures(reports: Iterable["Report"]) -> dict[str, dict[str, Any]]:
    """Return the counts of each step, for the next tasks and for the events of assets."""
    return {
        report.step: {
            "run_id": report.run_id,
            "read": report.read,
            "written": report.written,
            "unchanged": report.unchanged,
            "rejected": sum(report.rejected.values()),
        }
        for report in reports
    }


def load_filed(source: str, crawled: str | None) -> dict[str, dict[str, Any]]:
    """Load what is filed of a source, also if its crawl has failed (``crawled`` is None): it may have filed a part."""
    from pipelines import tasks

    reports = tasks.load(source, accept=param("accept"))
    if crawled is None and not any(report.read for report in reports):
        raise AirflowSkipException(f"the crawl of {source} failed and has filed nothing")
    return figures(reports)


def describe_update(asset: Asset, **extra: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """Attach what has changed to the event of an asset that the current task updates."""
    get_current_context()["outlet_events"][asset].extra.update(extra)
