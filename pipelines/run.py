"""The steps of one run, from the sources to a live release, and which of them need which."""

import resource
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

from crawlers.job import Progress
from crawlers.registry import sources
from pipelines import tasks
from pipelines.errors import CanaryRunning
from pipelines.report import Report
from pipelines.train.interactions import NotEnoughEvents

Watch = Callable[[Progress], None]


@dataclass(frozen=True)
class Step:
    """A step of a run. ``run`` returns its figures in one line, and may report its progress meanwhile.

    The step is skipped when a step that it ``needs`` has failed and left nothing to go on with.
    """

    name: str
    run: Callable[[Watch], str]
    needs: tuple[str, ...] = ("databases",)


def steps(day: date, days: int, now: datetime, recipes_file: Path | None) -> Iterator[Step]:
    """Yield the steps of a run for the KST days from ``day`` on, counted as happening at ``now``.

    Recipes come first: product titles are resolved with their ingredients. Without a recipe file that step is left out,
    and training uses the recipes of the database. Sources do not need each other: what comes after them goes on with
    what is stored.
    """
    yield Step("databases", lambda _: _upgrade(), needs=())
    if recipes_file is not None:
        yield Step("recipes", lambda _: figures(tasks.recipes(recipes_file, now)))
    for source in sources():
        yield Step(f"crawl {source}", partial(_crawl, source, day, days, now))
        yield Step(f"load {source}", partial(_load, source), needs=("databases", f"crawl {source}"))
    yield Step("link", lambda _: tasks.link().figures)
    yield Step("erase", lambda _: tasks.erase(now).figures)
    yield Step("events", lambda _: tasks.logs(None, None, now).figures, needs=("databases", "erase"))
    yield Step("train word2vec", lambda _: _train_word2vec(now))
    yield Step("train bert", lambda _: _train_bert(now))
    yield Step("train personal", lambda _: _train_personal(now))
    yield Step("release", lambda _: _release(now), needs=("databases", "train word2vec", "train bert"))


def figures(reports: list[Report]) -> str:
    """The figures of several reports in one line; those after the first by the name of their step."""
    first, *others = reports
    return "; ".join([first.figures, *(f"{_short(report, first)}: {report.figures}" for report in others)])


def peak_memory_bytes() -> int:
    """Peak memory of this process plus that of its largest child: an upper bound of both together."""
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + children) * 1024


def _short(report: Report, first: Report) -> str:
    return report.step.removeprefix(f"{first.step}_").replace("_", " ")


def _upgrade() -> str:
    tasks.upgrade()
    return "both at the newest schema"


def _crawl(source: str, day: date, days: int, now: datetime, watch: Watch) -> str:
    return tasks.crawl(source, day, days, now, watch).figures


def _load(source: str, _: Watch) -> str:
    return figures(tasks.load(source, accept=False))


def _train_word2vec(now: datetime) -> str:
    figures = tasks.train_word2vec(now).figures
    return f"{figures.ingredients:,} ingredients of {figures.recipes:,} recipes"


def _train_bert(now: datetime) -> str:
    figures = tasks.train_bert(now).figures
    return f"recall@10 {figures.trained.recall_at_10:.3f}, untrained {figures.untrained.recall_at_10:.3f}"


def _train_personal(now: datetime) -> str:
    outcome = tasks.train_personal(now)
    if isinstance(outcome, NotEnoughEvents):
        return str(outcome)
    figures = outcome.figures
    return f"{figures.events:,} events, recall@20 {figures.served.recall_at_20:.3f} of {figures.tested:,} people"


def _release(now: datetime) -> str:
    from pipelines.status.schemas import release_figures

    figures = release_figures(tasks.build(now))
    tasks.verify(figures.version)
    try:
        tasks.promote(figures.version, now)
        outcome = f"{figures.version} is live"
    except CanaryRunning as running:
        outcome = str(running)
    hit = "" if figures.hit_at_10 is None else f", hit@10 {figures.hit_at_10:.3f}"
    return f"{figures.recipes:,} recipes, {figures.products:,} products{hit}; {outcome}"
