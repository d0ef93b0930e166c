"""### Schedules and products of the broadcasters

Reads the coming days of each broadcaster (홈앤쇼핑 `hnsmall`, 현대홈쇼핑 `hmall`, NS홈쇼핑 `nsmall`) and the product
pages that are due into the raw zone, then loads them into both databases: `broadcast` and `home_shopping_product`
with `product_detail` and `product_image` for serving, `fct_broadcast`, `fct_price` and `dim_product` for analysts.
Then links products to items in `product_item`, with those of the mall. The same as `ukok crawl SOURCE` and `ukok load
SOURCE` for each, and `ukok link`. The report of each crawl is `reports/crawl/SOURCE/RUN.html` in the artifacts.

**When** Every three hours from 00:20 in Korea, or by hand. A crawl sees the present: it is stamped with the instant at
which it began, however late that was, and a backfill is refused. After a pause one run is enough; `date` reads days
that the sites still show, as they are now. A show that is no longer listed is marked as cancelled, but only if the
schedule of its channel and day was read in full. The event of the asset `schedule` names the broadcasters that are
fresh, and has the counts of their loads and the version of the schedule.

**When it fails** The broadcasters are independent: if one fails, the others are still crawled, loaded and linked, and
`schedule` counts as updated; the run then ends as failed, and the failed tasks name the broadcaster. `check` fails on a
parameter that the DAG does not have. A crawl fails when a site is unreachable, its responses have changed, or its
requests of the day are used up. What it has filed is loaded; if that is nothing, its load is skipped. The next crawl
takes over the product pages that a killed one has read. A load fails when a file is held back: `ukok crawl show-fault
RUN` shows the field, the reason and the page. If the site did change like that, run the DAG with `accept`.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import CronTriggerTimetable, TriggerRule, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.assets import SCHEDULE
from dags.common import (
    ACCEPT,
    COMMON,
    DATE,
    DAYS,
    PRESENT,
    check,
    chosen_day,
    describe_update,
    figures,
    load_filed,
    now,
    param,
)
from dags.pools import MEMORY
from pipelines.tasks import broadcasters
from ukok.korea import KST


@dag(
    schedule=CronTriggerTimetable("20 */3 * * *", timezone=KST.key),
    doc_md=__doc__,
    tags=["crawl", "home-shopping"],
    params={"date": DATE, "days": DAYS, "accept": ACCEPT},
    dagrun_timeout=timedelta(hours=3),
    default_args=PRESENT,
    **COMMON,
)
def crawl_schedules() -> None:
    @task(pool=MEMORY)
    def crawl(source: str) -> str:
        from pipelines import tasks

        moment = now()
        return str(tasks.crawl(source, chosen_day(moment), param("days"), moment))

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def load(source: str, crawled: str | None) -> dict[str, dict[str, Any]]:
        return load_filed(source, crawled)

    @task(outlets=[SCHEDULE], trigger_rule=TriggerRule.ALL_DONE)
    def link(crawled: dict[str, str | None], loaded: dict[str, dict[str, Any] | None]) -> str:
        from pipelines import tasks

        # A load fails when a day is held back, but has loaded the others: it needs links as well.
        fresh = {source: rows for source, rows in loaded.items() if rows is not None}
        if not fresh and not any(crawled.values()):
            raise AirflowSkipException("no broadcaster was crawled or loaded")
        linked = tasks.link()
        rows = {step: counts for steps in fresh.values() for step, counts in steps.items()} | figures([linked])
        describe_update(
            SCHEDULE,
            fresh=sorted(fresh),
            stale=sorted(loaded.keys() - fresh.keys()),
            rows=rows,
            versions=tasks.data_versions(),
        )
        return str(linked)

    crawled, loaded = {}, {}
    checked = check()
    complete = EmptyOperator(task_id="complete")  # the last task decides the state of the run
    for source in broadcasters():
        crawled[source] = crawl.override(task_id=f"crawl_{source}")(source)
        loaded[source] = load.override(task_id=f"load_{source}", pool=source)(source, crawled[source])  # type: ignore[arg-type]
        checked >> crawled[source]
        [crawled[source], loaded[source]] >> complete
    [checked, link(crawled, loaded)] >> complete  # type: ignore[arg-type]  # Airflow hands the task the values


crawl_schedules()
