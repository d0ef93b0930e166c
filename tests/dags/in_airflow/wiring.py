"""What DAGs pass to their steps: the instant and the day, parameters, and which errors are tried again."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowFailException
from sqlalchemy.exc import OperationalError, ProgrammingError

from artifacts.errors import StoreError
from crawlers.runner.crawl import CrawlFailed, CrawlRefused
from dags import common
from pipelines.crawl import PagesNotReceived
from pipelines.load.recipe_csv import NotARecipeFile
from pipelines.logs.reconcile import EventsDiffer
from pipelines.maintenance.run import MaintenanceFailed
from pipelines.release.publish import ReleaseRefused
from sql.errors import DatabaseMisconfigured, DatabaseUnavailable
from ukok.korea import KST

DUE = datetime(2025, 8, 6, 4, 10, tzinfo=KST)


def context(
    run_type: str = "scheduled", conf: dict[str, Any] | None = None, params: Mapping[str, Any] = {}
) -> dict[str, Any]:
    """The part of Airflow's context that DAGs read, of a run that was due on 6 August at 04:10."""
    run = SimpleNamespace(
        run_type=run_type,
        conf=conf,
        logical_date=DUE,
        run_after=DUE,
        data_interval_start=DUE - timedelta(hours=1),
        data_interval_end=DUE,
    )
    # As Airflow does, the parameters of the run include those of its configuration, known or not.
    dag = SimpleNamespace(dag_id="crawl_kok", params=dict(params))
    return {"dag": dag, "dag_run": run, "params": dict(params) | (conf or {})}


@pytest.fixture
def in_run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a context the current one."""

    def enter(**values: Any) -> None:
        monkeypatch.setattr(common, "get_current_context", lambda: context(**values))

    return enter


@pytest.mark.parametrize("began", [DUE, DUE.replace(day=7, hour=0, minute=1), DUE.replace(day=8, hour=23)])
def test_a_crawl_is_of_the_day_on_which_it_begins(in_run: Any, began: datetime) -> None:
    in_run(params={"date": None})
    assert common.chosen_day(began.astimezone(UTC)) == began.date()


def test_now_is_the_present_not_when_the_run_was_due(in_run: Any) -> None:
    in_run()
    before = datetime.now(UTC)
    assert before <= common.now() <= datetime.now(UTC)


def test_a_chosen_day_is_read_as_it_is_now(in_run: Any) -> None:
    in_run(params={"date": "2025-08-04"})
    assert common.chosen_day(DUE) == date(2025, 8, 4)


def test_a_backfill_of_what_is_seen_now_is_refused() -> None:
    with pytest.raises(AirflowFailException, match="crawl_kok sees the present, not 2025-08-06"):
        common.check_present(context("backfill"))
    common.check_present(context("scheduled"))


def test_an_unknown_parameter_fails_with_the_nearest_name() -> None:
    with pytest.raises(AirflowFailException, match=r"no parameter 'acept'; did you mean 'accept'\?"):
        common.check_conf(context("manual", {"acept": True}, {"accept": False}))
    with pytest.raises(AirflowFailException, match="no parameter 'x'; its parameters: none"):
        common.check_conf(context("manual", {"x": 1}))
    common.check_conf(context("manual", {"accept": True}, {"accept": True}))


@pytest.mark.parametrize(
    ("run", "interval"),
    [
        ({"run_type": "backfill"}, (DUE - timedelta(hours=1), DUE)),
        ({"params": {"start": None, "end": None}}, (None, None)),
        ({"params": {"start": "2025-08-06T04:10+09:00", "end": None}}, (DUE, None)),
        ({"params": {"start": None, "end": "2025-08-06T04:10:00+09:00"}}, (None, DUE)),
    ],
)
def test_events_are_ingested_of_the_interval_of_a_run(in_run: Any, run: dict[str, Any], interval: Any) -> None:
    in_run(**{"params": {"start": None, "end": None}} | run)
    assert common.interval() == interval


PERMANENT = [
    ReleaseRefused("worse than the live one"),
    NotARecipeFile("no header"),
    FileNotFoundError("recipes.csv"),
    DatabaseMisconfigured("wrong password"),
    CrawlRefused("set UKOK_CONTACT"),
    EventsDiffer("2025-08-06: 1 event is in neither"),
    ProgrammingError("SELECT", {}, Exception("no such table")),
]
PASSING = [
    CrawlFailed("read no item: 503"),
    PagesNotReceived("only 18 of 40 product pages"),
    MaintenanceFailed("releases: no answer"),
    DatabaseUnavailable("connection refused"),
    OperationalError("SELECT", {}, Exception("lock timeout")),
    StoreError("no answer"),
    OSError(28, "No space left on device"),
    ConnectionResetError(),
]


@pytest.mark.parametrize("error", PERMANENT, ids=lambda error: type(error).__name__)
def test_a_permanent_error_is_not_tried_again(error: Exception) -> None:
    assert common.RetryPassing().evaluate(error, 1, 2).action is RetryAction.FAIL


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_a_passing_error_is_tried_again(error: Exception) -> None:
    assert common.RetryPassing().evaluate(error, 1, 2).action is RetryAction.DEFAULT
