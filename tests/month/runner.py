"""Runs the steps of a month, 8 times a day, and compares the databases after each run."""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from time import monotonic, process_time

from sqlalchemy import Engine

from artifacts.open import open_store
from crawlers.report import page
from crawlers.runner.crawl import CrawlFailed
from crawlers.standin.catalog import DEMO
from crawlers.standin.living.server import LivingStandin
from crawlers.standin.living.world import World
from pipelines import tasks
from pipelines.crawl import CRAWL_ID, PagesNotReceived
from pipelines.load.gates import FileHeldBack
from sql.engines import service_engine, warehouse_engine
from tests.month.comparison import Difference, Expectation
from tests.month.events import count_events, post_events
from tests.month.holds import Findings, findings
from tests.month.injections import Injector, disturbed
from tests.month.kills import Killer, run_step
from tests.month.price_history import false_prices
from tests.month.results import CrawlResult, MonthResult
from tests.month.scopes import DAYS, SOURCES, Injection
from ukok.korea import KST

HOURS = (2, 5, 8, 11, 14, 17, 20, 23)  # of the crawls of a day
LATE_NIGHT = 0.3  # share of the last crawls that begin a few minutes after midnight
SHOWN_AGAIN = timedelta(days=2)  # shows that ended earlier are compared no more
EVENTS = 40  # of a run


@dataclass(frozen=True)
class Plan:
    """How long a month is and what happens in it.

    ``hours`` of the runs of a day. ``release_every``: days between two releases, 0 for none.
    """

    start: date
    days: int
    seed: int
    fault_share: float = 0.12
    hours: tuple[int, ...] = HOURS
    release_every: int = 0
    kills: int = 0

    @property
    def first_instant(self) -> datetime:
        """The midnight at which the month begins."""
        return datetime.combine(self.start, time(), KST)


class Month:
    """A month of one world on one pair of databases, which the environment names."""

    def __init__(self, world: World, plan: Plan, standin: LivingStandin) -> None:
        self._world, self._plan, self._standin = world, plan, standin
        self._dice = random.Random(plan.seed)
        self._killer = Killer(plan.seed, plan.days * len(plan.hours), plan.kills)
        self._injector = Injector(world, plan.seed, plan.fault_share)
        self._expectation = Expectation(world)
        self._differences: set[Difference] = set()
        self.result = MonthResult(days=plan.days)

    def run(self) -> Iterator[list[CrawlResult]]:
        """Run every step of every run; yield the results of each run."""
        if self._plan.release_every:
            tasks.recipes(DEMO / "TB_RECIPE_SEARCH_demo.csv", self._standin.clock.now())
        runs = count()
        for day in range(self._plan.days):
            for at in self._instants(day):
                yield self._one_run(next(runs), at)
            if self._plan.release_every and (day + 1) % self._plan.release_every == 0:
                with self._timed("release"):
                    self._release(at)
        self.result.left = sorted(map(str, self._differences))
        with _engines() as (service, warehouse):
            self.result.false_prices = list(false_prices(self._world, service, warehouse))
        self.result.kills = self._killer.counts

    def _one_run(self, run: int, at: datetime) -> list[CrawlResult]:
        self._standin.clock.set(at)
        injections = self._injector.next(at)
        self._standin.faults.rules[:] = [rule for injection in injections for rule in injection.rules]
        by_source = {injection.source: injection for injection in injections}
        with self._timed("crawl"), _pages_drawn(run % len(self._plan.hours) == 0), ThreadPoolExecutor(4) as pool:
            run_ids = dict(zip(SOURCES, pool.map(lambda source: self._crawl(run, source, at), SOURCES), strict=True))
        self._standin.faults.rules.clear()
        self._standin.faults.seen.clear()
        with self._timed("load"), ThreadPoolExecutor(4) as pool:
            loaded = dict(zip(SOURCES, pool.map(lambda source: self._load(run, source, at), SOURCES), strict=True))
        with self._timed("link and ingest"):
            self._link_and_ingest(run, at)
        with self._timed("compare"):
            return self._compare(at, by_source, run_ids, loaded)

    def _instants(self, day: int) -> list[datetime]:
        """Return when the runs of a day begin: some minutes after the hour, and now and then after midnight."""
        midnight = datetime.combine(self._plan.start + timedelta(days=day), time(), KST)
        dice = random.Random(f"{self._plan.seed} {day}")
        instants = [midnight + timedelta(hours=hour, minutes=dice.randrange(10)) for hour in self._plan.hours]
        if dice.random() < LATE_NIGHT:
            instants[-1] = midnight + timedelta(days=1, minutes=dice.randrange(1, 10))
        return instants

    def _crawl(self, run: int, source: str, at: datetime) -> str | Exception:
        if self._killer.kill(run, "crawl", source, at):
            at += timedelta(seconds=1)
        try:
            report = tasks.crawl(source, at.astimezone(KST).date(), DAYS, at)
        except (CrawlFailed, PagesNotReceived) as failure:
            return failure
        return str(report.details[CRAWL_ID])

    def _load(self, run: int, source: str, at: datetime) -> FileHeldBack | None:
        self._killer.kill(run, "load", source, at)
        try:
            tasks.load(source, accept=False, now=at)
        except FileHeldBack as error:
            return error
        return None

    def _link_and_ingest(self, run: int, at: datetime) -> None:
        self._killer.kill(run, "link", "", at)
        run_step("link", "", at)
        with _engines() as (_, warehouse):
            post_events(warehouse, self._dice, at, EVENTS)
            self._killer.kill(run, "ingest", "", at)
            run_step("ingest", "", at)
            self.result.events = count_events(warehouse)

    def _release(self, at: datetime) -> None:
        tasks.train_word2vec(at)
        tasks.train_bert(at)
        tasks.train_personal(at)
        manifest = tasks.build(at)
        tasks.verify(manifest.version)
        tasks.promote(manifest.version, at)
        self.result.releases += 1

    def _compare(
        self,
        at: datetime,
        injections: dict[str, Injection],
        run_ids: dict[str, str | Exception],
        loaded: dict[str, FileHeldBack | None],
    ) -> list[CrawlResult]:
        for source in SOURCES:
            injection = injections.get(source)
            self._expectation.observe(source, at, disturbed([injection] if injection else []))
        with _engines() as (service, warehouse):
            differences = self._expectation.differences(service, warehouse, at - SHOWN_AGAIN)
            store = open_store()
            found = {
                source: Findings() if isinstance(run_id, Exception) else findings(store, source, run_id)
                for source, run_id in run_ids.items()
            }
        new, self._differences = differences - self._differences, differences
        results = []
        for source in SOURCES:
            own = sorted((each for each in new if each.source == source), key=str)
            result = _result(source, at, injections.get(source), run_ids[source], found[source], own)
            result.wrong = sum(each.source == source for each in differences)
            result.reason = str(loaded[source]) if loaded[source] else result.failed
            results.append(result)
        if differences:
            self.result.days_with_differences.add(f"{at.astimezone(KST):%Y-%m-%d}")
        self.result.crawls += results
        return results

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began, cpu = monotonic(), process_time()
        try:
            yield
        finally:
            self.result.seconds[name] += monotonic() - began
            self.result.cpu_seconds[name] += process_time() - cpu


def _result(
    source: str,
    at: datetime,
    injection: Injection | None,
    run_id: str | Exception,
    found: Findings,
    new: Sequence[Difference],
) -> CrawlResult:
    result = CrawlResult(source, at, injection=injection, held=len(found.held) + found.whole, new=list(new))
    result.failed = str(run_id) if isinstance(run_id, Exception) else None
    scopes = injection.scopes if injection else frozenset()
    if injection is None and (result.failed or found.whole):
        result.false_holds.append(f"{source} {at:%m-%d %H:%M}: {result.failed or found.reasons[0]}")
    if false := found.held - scopes:
        reasons = "; ".join(found.reasons)
        result.false_holds.append(f"{source} {at:%m-%d %H:%M}: {len(false)} scopes without a fault: {reasons}")
    if injection:
        visible = any(each.scope in scopes for each in new)
        flagged = result.failed is not None or found.whole or bool((found.held | found.incomplete) & scopes)
        result.outcome = "missed" if visible else "held" if flagged else "mended"
    return result


@contextmanager
def _pages_drawn(drawn: bool) -> Iterator[None]:
    """Leave out the HTML pages of crawls, which take half of the time and are not looked at, unless ``drawn``."""
    publish = page.publish
    if not drawn:
        page.publish = lambda *_: None
    try:
        yield
    finally:
        page.publish = publish


@contextmanager
def _engines() -> Iterator[tuple[Engine, Engine]]:
    service, warehouse = service_engine(), warehouse_engine()
    try:
        yield service, warehouse
    finally:
        service.dispose()
        warehouse.dispose()
