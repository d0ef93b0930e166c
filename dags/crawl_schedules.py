"""### Schedules and products of the broadcasters

Reads the coming days of each broadcaster (홈앤쇼핑 `hnsmall`, 현대홈쇼핑 `hmall`, NS홈쇼핑 `nsmall`) and the product
pages that are due into the raw zone, then loads them into both databases: `broadcast` and `home_shopping_product`
with `product_detail` and `product_image` for serving, `fct_broadcast`, `fct_price` and `dim_product` for analysts.
Then links products to items in `product_item`, with those of the mall. The same as `ukok crawl SOURCE` and `ukok load
SOURCE` for each, and `ukok link`. The report of each crawl is `reports/crawl/SOURCE/RUN.html` in the artifacts.

**When** Every three hours from 00:20 in Korea, or by hand. A show that is no longer listed is marked as cancelled, but
only if the schedule of its channel and day was read in full.

**When it fails** The broadcasters are independent: if one fails, the others are still crawled, loaded and linked, and
`schedule` counts as updated; the run then ends as failed, and the failed tasks name the broadcaster. A crawl fails when
a site is unreachable, its responses have changed, or its requests of the day are used up; the next crawl takes over
the product pages that a killed one has read. A load fails when a file is held back: `ukok crawl show-fault RUN` shows
the field, the reason and the page. If the site did change like that, run the DAG with `accept`.
"""

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import CronTriggerTimetable, TriggerRule, dag, task

from dags.assets import SCHEDULE
from dags.common import ACCEPT, COMMON, DATE, DAYS, crawl_instant, day, param
from pipelines.tasks import broadcasters
from ukok.korea import KST


@dag(
    schedule=CronTriggerTimetable("20 */3 * * *", timezone=KST.key),
    doc_md=__doc__,
    tags=["crawl", "home-shopping"],
    params={"date": DATE, "days": DAYS, "accept": ACCEPT},
    dagrun_timeout=timedelta(hours=3),
    **COMMON,
)
def crawl_schedules() -> None:
    @task
    def crawl(source: str) -> str:
        from pipelines import tasks

        return str(tasks.crawl(source, day(), param("days"), crawl_instant()))

    @task
    def load(source: str) -> list[str]:
        from pipelines import tasks

        return [str(report) for report in tasks.load(source, accept=param("accept"))]

    @task
    def link() -> str:
        from pipelines import tasks

        return str(tasks.link())

    loaded = EmptyOperator(task_id="loaded", outlets=[SCHEDULE], trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    complete = EmptyOperator(task_id="complete")  # the last task decides the state of the run
    for source in broadcasters():
        crawled = crawl.override(task_id=f"crawl_{source}")(source)
        crawled >> load.override(task_id=f"load_{source}")(source) >> [loaded, complete]
    loaded >> link() >> complete


crawl_schedules()
