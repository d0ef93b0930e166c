"""Drills: databases, disks and sources that are away for a while."""

from base64 import b64encode

from crawlers.standin.faults import unavailable
from tests.builders.waiting import until
from tests.drills.environment import Environment
from tests.drills.report import Shown
from tests.drills.truth import compare_mall, compare_schedules
from tests.drills.watching import states, summary

NSMALL = ("/m.nsmall.com", "/mapi.nsmall.com")
AWAY_SECONDS = 30
SOURCE_SECONDS = 60
BEFORE = 5  # requests that a source answers before it is away


def databases_away(env: Environment) -> Shown:
    """Cut both databases off while a load runs, for half a minute."""
    shown = Shown("databases away", f"both databases cut off for {AWAY_SECONDS} s when the load began")
    env.change_prices(200)
    run = env.api.trigger("crawl_kok")["dag_run_id"]
    env.api.wait_for_task("crawl_kok", run, "load", "running")
    for proxy in env.proxies:
        proxy.close()
    env.wait(AWAY_SECONDS)
    for proxy in env.proxies:
        proxy.open()
    shown.expect("the run ends as success", true=env.api.ended("crawl_kok", run) == "success")
    shown.see(summary(env, "crawl_kok", run))
    shown.compare(compare_mall(env.catalog, env.service, env.warehouse))
    return shown


def disk_full(env: Environment) -> Shown:
    """Fill the disk of the artifacts before a crawl, and free it after the first try."""
    shown = Shown("disk full", "the disk of the artifacts was full when a crawl began, and freed after its first try")
    env.change_prices(300)
    with env.full_disk():
        run = env.api.trigger("crawl_kok")["dag_run_id"]
        env.api.wait_for_task("crawl_kok", run, "crawl", "up_for_retry")
    shown.expect("the run ends as success", true=env.api.ended("crawl_kok", run) == "success")
    shown.see(summary(env, "crawl_kok", run))
    shown.compare(compare_mall(env.catalog, env.service, env.warehouse))
    return shown


def source_away(env: Environment) -> Shown:
    """Answer 503 for a minute in the middle of a crawl."""
    shown = Shown("source away", f"nsmall answered 503 for {SOURCE_SECONDS} s; the other broadcasters answered")
    env.slow_down(0.2)
    answered = _requests(env) + BEFORE
    run = env.crawl_schedules()
    until(lambda: _requests(env) >= answered, "the crawl of nsmall", 300)
    env.sources.faults.rules[:0] = map(unavailable, NSMALL)
    env.wait(SOURCE_SECONDS)
    env.sources.faults.rules.clear()
    shown.expect("the run ends as success", true=env.api.ended("crawl_schedules", run) == "success")
    shown.see(summary(env, "crawl_schedules", run))
    shown.compare(compare_schedules(env.catalog, env.service, env.warehouse, ("hnsmall", "hmall", "nsmall")))
    return shown


def broadcaster_down(env: Environment) -> Shown:
    """Leave a broadcaster down for a whole run."""
    shown = Shown("broadcaster down", "nsmall answered 503 during all tries")
    env.sources.faults.rules += map(unavailable, NSMALL)
    run = env.crawl_schedules()
    shown.expect("the run ends as failed", true=env.api.ended("crawl_schedules", run) == "failed")
    env.sources.faults.rules.clear()
    shown.see(summary(env, "crawl_schedules", run))
    shown.expect("the others are linked", true=states(env, "crawl_schedules", run)["link"][0] == "success")
    extra = env.api.asset_event("schedule")["extra"]
    shown.see(f"asset `schedule`: fresh {', '.join(extra['fresh'])}; stale {', '.join(extra['stale'])}")
    shown.compare(compare_schedules(env.catalog, env.service, env.warehouse, ("hnsmall", "hmall")))
    return shown


def pages_missing(env: Environment) -> Shown:
    """Answer 503 for every third product page of the mall during a whole run, and for none in the next."""
    shown = Shown("product pages missing", "every third product page answered 503 during all tries")
    env.change_prices(600)
    missing = [str(row.product_id) for row in env.catalog.kok[::3]]
    env.sources.faults.rules += [unavailable(b64encode(number.encode()).decode()) for number in missing]
    run = env.api.trigger("crawl_kok")["dag_run_id"]
    shown.expect("the run ends as failed", true=env.api.ended("crawl_kok", run) == "failed")
    env.sources.faults.rules.clear()
    shown.see(summary(env, "crawl_kok", run))
    shown.expect("what was read is loaded", true=states(env, "crawl_kok", run)["load"][0] == "success")
    again = env.api.trigger("crawl_kok")["dag_run_id"]
    shown.expect("the next run succeeds", true=env.api.ended("crawl_kok", again) == "success")
    shown.see(summary(env, "crawl_kok", again))
    shown.compare(compare_mall(env.catalog, env.service, env.warehouse))
    return shown


def _requests(env: Environment) -> int:
    """Return how many requests nsmall has received."""
    return sum(len(env.sources.faults.requests_for(host)) for host in NSMALL)
