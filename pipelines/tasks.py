"""Each step with what it needs opened from the settings, in and out plain values: what a task of a DAG calls."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from artifacts.open import open_store
from artifacts.store import Store
from crawlers import registry
from pipelines.report import record
from sql.engines import service_engine, warehouse_engine

if TYPE_CHECKING:
    from crawlers.job import Progress
    from crawlers.report.figures import CrawlReport


@dataclass(frozen=True)
class Places:
    """The two databases and the artifacts."""

    service: Engine
    warehouse: Engine
    store: Store


@contextmanager
def places() -> Iterator[Places]:
    """Open the databases and artifacts that the settings name, and close their connections at the end."""
    opened = Places(service_engine(), warehouse_engine(), open_store())
    try:
        yield opened
    finally:
        opened.service.dispose()
        opened.warehouse.dispose()


def broadcasters() -> tuple[str, ...]:
    """The sources that have a schedule of shows."""
    return registry.broadcasters()


def crawl(source: str, day: date, days: int, now: datetime) -> str:
    """Read a source into the raw zone; a summary of the Report, as all of these return."""
    summary, _ = crawl_and_report(source, day, days, now)
    return summary


def crawl_and_report(
    source: str, day: date, days: int, now: datetime, watch: "Callable[[Progress], None] | None" = None
) -> tuple[str, "CrawlReport"]:
    """The same, and what the page about the crawl tells. ``watch`` learns how far the crawl is while it runs."""
    from crawlers.settings import CrawlSettings
    from pipelines.crawl import crawl_source, report_crawl

    with places() as at:
        settings = CrawlSettings()
        report = crawl_source(source, at.warehouse, at.store, day, days, now=now, settings=settings, watch=watch)
        return report.summary(), report_crawl(at.store, report.details["run_id"])


def load(source: str, *, accept: bool) -> list[str]:
    """Load what was crawled of a source into both databases."""
    from pipelines.load.sources import load_source

    with places() as at:
        return [report.summary() for report in load_source(source, at.service, at.warehouse, at.store, accept=accept)]


def link() -> str:
    """Link the listings of the same goods into items."""
    from pipelines.link.step import link_items

    with places() as at:
        return link_items(at.service, at.warehouse, at.store).summary()


def recipes(file: Path | None, now: datetime) -> list[str]:
    """Import the recipe CSV ``file``, or the one that ``UKOK_RECIPES_FILE`` names."""
    from pipelines.load.recipes import import_recipes
    from pipelines.settings import PipelineSettings

    path = file or PipelineSettings().recipes_file
    if path is None:
        raise ValueError("no recipe file: name one, or set UKOK_RECIPES_FILE")
    with places() as at:
        return [report.summary() for report in import_recipes(at.service, at.warehouse, at.store, path, now)]


def logs(start: datetime | None, end: datetime | None, now: datetime) -> str:
    """Bring the events received in ``[start, end)`` into the fact table; without ``start``, go on from the last run."""
    from pipelines.logs.ingest import ingest_logs
    from pipelines.settings import PipelineSettings

    grace = timedelta(seconds=PipelineSettings().ingest_grace_seconds)
    with places() as at:
        return ingest_logs(at.warehouse, at.store, start, end, now=now, grace=grace).summary()


def erase(now: datetime) -> str:
    """Remove what is left of the people who deleted their accounts."""
    from pipelines.logs.erase import erase_users

    with places() as at:
        return erase_users(at.service, at.warehouse, at.store, now=now).summary()


def train_word2vec(now: datetime) -> str:
    """Learn ingredient vectors; the version of the model."""
    from pipelines.train import word2vec

    with places() as at, record(at.warehouse, at.store, "train_word2vec") as report:
        report.details["version"] = version = word2vec.train(at.service, at.store, now)
        return version


def train_bert(now: datetime) -> str:
    """Learn the sentence encoder; the version of the model."""
    from pipelines.settings import PipelineSettings
    from pipelines.train import bert

    base_model = PipelineSettings().bert_base_model
    with places() as at, record(at.warehouse, at.store, "train_bert") as report:
        report.details["version"] = version = bert.train_and_save(at.service, at.store, now, base_model)
        return version


def build(now: datetime) -> str:
    """Build a release from the service database and the newest models; its version."""
    from pipelines.release.build import build_release

    with places() as at:
        return build_release(at.service, at.warehouse, at.store, now)


def verify(version: str) -> None:
    """Bring a release here, check it whole and ask it once."""
    from pipelines.release import publish

    with places() as at:
        publish.verify(at.warehouse, at.store, version)


def promote(version: str, now: datetime) -> None:
    """Make a release live, if its gate passed."""
    from pipelines.release import publish

    with places() as at:
        publish.promote(at.warehouse, at.store, version, now)


def rollback(now: datetime) -> str:
    """Make the release before the live one live again; its version."""
    from pipelines.release import publish

    with places() as at:
        return publish.rollback(at.warehouse, at.store, now)


def upgrade() -> None:
    """Bring both databases to the newest schema; raises :class:`~sql.engines.DatabaseUnavailable`."""
    from sql.engines import check
    from sql.upgrade import upgrade as upgrade_database

    with places() as at:
        check(at.service, "service")
        check(at.warehouse, "warehouse")
        upgrade_database(at.service, "service")
        upgrade_database(at.warehouse, "warehouse")
