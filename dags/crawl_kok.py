"""### Prices and products of the KOK mall

Reads the category lists and the product pages that are due into the raw zone, then loads them into both databases:
`kok_product` with `kok_seller`, `kok_review`, `product_detail`, `product_image`, and `kok_price` for serving,
`dim_product` and `fct_price` for analysts. Then links products to items in `product_item`, with those of the
broadcasters. The same as `ukok crawl kok`, `ukok load kok` and `ukok link`. The report of each crawl is
`reports/crawl/kok/RUN.html` in the artifacts.

**When** Every day at 04:10 in Korea, or by hand. A crawl sees the present: it is stamped with the instant at which it
began, however late that was, and a backfill is refused. After a pause one run is enough. Running it again changes no
rows that are loaded already. The event of the asset `catalog` has the counts of the load and the version of the
catalog.

**When it fails** `check` fails on a parameter that the DAG does not have. `crawl` fails when the mall is unreachable,
its pages have changed, or the requests of the day are used up; the log names the first page that could not be read.
What a failed crawl has filed is loaded and linked; if that is nothing, `load` is skipped. The next crawl takes over the
product pages that a killed one has read. `load` fails when a file is held back: it violates the contract of its source,
has far fewer items than the files before, or has more than 5 % of its items rejected; what is not held back is loaded
and linked. `ukok crawl show-fault RUN` shows the field, the reason and the page. If the mall did change like that, run
the DAG with `accept`.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import CronTriggerTimetable, TriggerRule, dag, task

from dags.assets import CATALOG
from dags.common import ACCEPT, COMMON, PRESENT, check, describe_update, figures, korean_day, load_filed, now
from dags.pools import MEMORY
from ukok.korea import KST


@dag(
    schedule=CronTriggerTimetable("10 4 * * *", timezone=KST.key),
    doc_md=__doc__,
    tags=["crawl", "kok"],
    params={"accept": ACCEPT},
    dagrun_timeout=timedelta(hours=12),
    default_args=PRESENT,
    **COMMON,
)
def crawl_kok() -> None:
    @task(pool=MEMORY, execution_timeout=timedelta(hours=5))
    def crawl() -> str:
        from pipelines import tasks

        moment = now()
        return str(tasks.crawl("kok", korean_day(moment), days=1, now=moment))

    @task(pool="kok", trigger_rule=TriggerRule.ALL_DONE)
    def load(crawled: str | None) -> dict[str, dict[str, Any]]:
        return load_filed("kok", crawled)

    # A load fails when a category is held back, but has loaded the others: links and releases go on with them.
    @task(outlets=[CATALOG], trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    def link(loaded: dict[str, dict[str, Any]] | None) -> str:
        from pipelines import tasks

        linked = tasks.link()
        describe_update(
            CATALOG,
            fresh=["kok"] if loaded else [],
            stale=[] if loaded else ["kok"],
            rows=(loaded or {}) | figures([linked]),
            versions=tasks.data_versions(),
        )
        return str(linked)

    checked = check()
    crawled = crawl()
    loaded = load(crawled)  # type: ignore[arg-type]  # Airflow hands the task the value
    linked = link(loaded)  # type: ignore[arg-type]
    checked >> crawled >> linked
    complete = EmptyOperator(task_id="complete")  # the last task decides the state of the run
    [checked, crawled, loaded, linked] >> complete


crawl_kok()
