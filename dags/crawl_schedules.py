"""### Schedules and products of the broadcasters

Reads the coming days of each broadcaster (홈앤쇼핑 `hnsmall`, 현대홈쇼핑 `hmall`, NS홈쇼핑 `nsmall`) and the product
pages that are due into the raw zone, then loads them into both databases: `broadcast` and `home_shopping_product`
with `product_detail` and `product_image` for serving, `fct_broadcast`, `fct_price` and `dim_product` for analysts.
Then links products to items in `product_item`, with those of the mall. The same as `ukok crawl SOURCE` and `ukok load
SOURCE` for each, and `ukok link`. What a crawl read, missed and changed is told by the page
`reports/crawl/SOURCE/RUN.html` in the artifacts.

**When** Every three hours from 00:20 in Korea; by hand at any time. A show that is no longer listed is marked as
cancelled, but only where its channel and day could be read in full.

**When it fails** The broadcasters do not wait for one another: the failed tasks tell which one has trouble, the
others are loaded. A crawl fails when a site is away, its answers have changed, or its requests of the day are used
up; one that was killed is taken over by the next. A load fails when a file is held back: `ukok crawl show-fault RUN`
shows the field, the reason and the page. If the site really is so, run the DAG with `accept`.
"""

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import CronTriggerTimetable, dag, task

from dags.assets import SCHEDULE
from dags.common import ACCEPT, COMMON, DATE, DAYS, KST, crawl_instant, day, param
from pipelines.tasks import broadcasters


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

    loaded = EmptyOperator(task_id="all_loaded", outlets=[SCHEDULE])
    for source in broadcasters():
        crawled = crawl.override(task_id=f"crawl_{source}")(source)
        crawled >> load.override(task_id=f"load_{source}")(source) >> loaded
    loaded >> link()


crawl_schedules()
