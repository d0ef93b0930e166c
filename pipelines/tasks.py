"""One function a step: opens what the settings name, runs the step and returns what it made or its report."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from sqlalchemy import Engine

from artifacts.open import open_store
from artifacts.store import Store
from crawlers import registry
from pipelines.report import Report, record
from pipelines.step_locks import ARTIFACTS, shared_lock
from pipelines.train.interactions import NotEnoughEvents
from recommender.product_ref import ProductRef, product_of
from sql.engines import check, service_engine, warehouse_engine

if TYPE_CHECKING:
    from artifacts.canary import Canary
    from crawlers.job import Progress
    from crawlers.report.figures import CrawlReport
    from pipelines.backup.restore import Restored
    from pipelines.labels.inspect import ShownTitle, UncertainTitle, UnknownWord
    from pipelines.lineage import ProductLineage, ReleaseLineage
    from pipelines.maintenance.garbage import Kind
    from pipelines.release.compare import ReleaseDiff
    from pipelines.release.publish import RolledBack
    from pipelines.train.models import SavedModel
    from pipelines.watch.step import Watched
    from recommender.evaluation.results import (
        BertFigures,
        Item2VecFigures,
        PersonalFigures,
        RankerFigures,
        Word2VecFigures,
    )
    from recommender.manifest import Manifest


@dataclass(frozen=True)
class Resources:
    """The two databases and the artifact store."""

    service: Engine
    warehouse: Engine
    store: Store


@contextmanager
def open_resources() -> Iterator[Resources]:
    """Open the databases and the store that the settings name; dispose of the engines at the end."""
    opened = Resources(service_engine(), warehouse_engine(), open_store())
    try:
        check(opened.service, "service")
        check(opened.warehouse, "warehouse")
        yield opened
    finally:
        opened.service.dispose()
        opened.warehouse.dispose()


def broadcasters() -> tuple[str, ...]:
    """Names of the sources that have a schedule."""
    return registry.broadcasters()


def sources() -> tuple[str, ...]:
    """Names of all sources, the mall first."""
    return registry.sources()


def crawl(
    source: str, day: date, days: int, now: datetime, watch: "Callable[[Progress], None] | None" = None
) -> Report:
    """Read a source into the raw zone; ``watch`` is called with its progress."""
    report, _ = crawl_and_report(source, day, days, now, watch)
    return report


def crawl_and_report(
    source: str, day: date, days: int, now: datetime, watch: "Callable[[Progress], None] | None" = None
) -> tuple[Report, "CrawlReport"]:
    """Read a source into the raw zone; also return the crawl report, which is published as an HTML page."""
    from crawlers.settings import CrawlSettings
    from pipelines.crawl import crawl_source

    with open_resources() as opened:
        return crawl_source(
            source, opened.warehouse, opened.store, day, days, now=now, settings=CrawlSettings(), watch=watch
        )


def load(source: str, *, accept: bool, now: datetime | None = None) -> list[Report]:
    """Load the crawls of a source that are not loaded yet into both databases; ``now`` (default: the wall clock)."""
    from pipelines.load.sources import load_source

    with open_resources() as opened:
        return load_source(source, opened.service, opened.warehouse, opened.store, accept=accept, now=now)


def link() -> Report:
    """Link the listings of the same item."""
    from pipelines.link.step import link_items

    with open_resources() as opened:
        return link_items(opened.service, opened.warehouse, opened.store)


def recipes(file: Path | None, now: datetime) -> list[Report]:
    """Import the recipe CSV ``file``, or the one that ``UKOK_RECIPES_FILE`` names."""
    from pipelines.load.recipes import import_recipes
    from pipelines.settings import PipelineSettings

    path = file or PipelineSettings().recipes_file
    if path is None:
        raise ValueError("no recipe file: name one, or set UKOK_RECIPES_FILE")
    with open_resources() as opened:
        return import_recipes(opened.service, opened.warehouse, opened.store, path, now)


def label_title(product: ProductRef, said: Mapping[str, object]) -> list[Report]:
    """Label the title of a product; ``said`` are the fields of a label other than product and title."""
    from pipelines.labels import step

    with open_resources() as opened:
        return step.label_title(opened.service, opened.warehouse, opened.store, product, said)


def import_labels(file: Path, labelled_by: str, now: datetime) -> list[Report]:
    """Import labels of titles from a CSV file; lines without name and time get the given ones."""
    from pipelines.labels import step

    with open_resources() as opened:
        return step.import_labels(opened.service, opened.warehouse, opened.store, file, labelled_by, now)


def export_labels(file: TextIO) -> int:
    """Write all labels as CSV; return how many there are."""
    from pipelines.labels import step

    with open_resources() as opened:
        return step.export_labels(opened.service, file)


def remove_labels(products: Sequence[ProductRef]) -> list[Report]:
    """Delete the labels of products."""
    from pipelines.labels import step

    with open_resources() as opened:
        return step.remove_product_labels(opened.service, opened.warehouse, opened.store, products)


def show_title(name: str) -> "ShownTitle":
    """Explain how a title is read, or that of a product ``source:id``; a source may be written in any case."""
    from pipelines.labels import inspect

    source = name.partition(":")[0].strip().lower()
    with open_resources() as opened:
        return inspect.show_title(opened.service, product_of(name) if source in registry.sources() else name)


def unknown_words(size: int) -> "list[UnknownWord]":
    """The most frequent words of titles that no list knows."""
    from pipelines.labels import inspect

    with open_resources() as opened:
        return inspect.unknown_words(opened.service, size)


def uncertain_titles(size: int) -> "list[UncertainTitle]":
    """The titles that are decided most narrowly."""
    from pipelines.labels import inspect

    with open_resources() as opened:
        return inspect.uncertain_titles(opened.service, size)


def logs(start: datetime | None, end: datetime | None, now: datetime) -> Report:
    """Move events into the fact table: those received in ``[start, end)``, or without both what is new."""
    from pipelines.logs.ingest import ingest_logs

    with open_resources() as opened:
        return ingest_logs(opened.warehouse, opened.store, start, end, now=now)


def erase(now: datetime) -> Report:
    """Remove what is left of users who deleted their accounts."""
    from pipelines.logs.erase import erase_users

    with open_resources() as opened:
        return erase_users(opened.service, opened.warehouse, opened.store, now=now)


@contextmanager
def _training(opened: Resources, step: str) -> Iterator[Report]:
    """Record a training; maintenance deletes no models and datasets meanwhile."""
    with record(opened.warehouse, opened.store, step) as report, shared_lock(opened.warehouse, ARTIFACTS):
        yield report


def train_word2vec(now: datetime) -> "SavedModel[Word2VecFigures]":
    """Train ingredient vectors; return the version of the model and its figures."""
    from pipelines.train import word2vec

    with open_resources() as opened, _training(opened, "train_word2vec") as report:
        model = word2vec.train(opened.service, opened.store, now)
        report.details["version"] = model.version
        return model


def _note(report: Report, model: "SavedModel[Any] | NotEnoughEvents") -> None:
    """Note in the report which model was trained, or what was missing."""
    if isinstance(model, NotEnoughEvents):
        report.details["outcome"] = str(model)
    else:
        report.details["version"] = model.version


def train_item2vec(now: datetime) -> "SavedModel[Item2VecFigures] | NotEnoughEvents":
    """Train product vectors on sessions; return the version of the model and its figures, or what is missing."""
    from pipelines.settings import PipelineSettings
    from pipelines.train import item2vec

    with open_resources() as opened, _training(opened, "train_item2vec") as report:
        model = item2vec.train(opened.warehouse, opened.store, now, PipelineSettings().purchases_file)
        _note(report, model)
        return model


def train_personal(now: datetime) -> "SavedModel[PersonalFigures] | NotEnoughEvents":
    """Train what users are recommended; return the version of the model and its figures, or what is missing."""
    from pipelines.settings import PipelineSettings
    from pipelines.train import personal

    with open_resources() as opened, _training(opened, "train_personal") as report:
        model = personal.train(opened.warehouse, opened.store, now, PipelineSettings().purchases_file)
        _note(report, model)
        return model


def train_bert(now: datetime) -> "SavedModel[BertFigures]":
    """Train the sentence encoder; return the version of the model and its figures."""
    from pipelines.settings import PipelineSettings
    from pipelines.train import bert

    settings = PipelineSettings()
    inputs = bert.BertInputs(settings.bert_base_model, settings.titles_file, settings.judgements_dir)
    with open_resources() as opened, _training(opened, "train_bert") as report:
        model = bert.train_and_save(opened.service, opened.store, now, inputs)
        report.details["version"] = model.version
        return model


def train_ranker(folders: Sequence[Path], now: datetime) -> "SavedModel[RankerFigures] | NotEnoughEvents":
    """Train the rankers on judgements or clicks; return the model's version and figures, or what is missing."""
    from pipelines.train import ranker

    with open_resources() as opened, _training(opened, "train_ranker") as report:
        model = ranker.train(opened.service, opened.warehouse, opened.store, folders, now)
        _note(report, model)
        return model


def build(now: datetime, *, accept_fewer: bool = False) -> "Manifest":
    """Build a release from the service database and the newest models; return its manifest.

    ``accept_fewer``: its catalog may be much smaller than that of the live release.
    """
    from pipelines.release.build import build_release
    from pipelines.release.evaluate import GateOptions
    from pipelines.settings import PipelineSettings

    settings = PipelineSettings()
    options = GateOptions(
        settings.judgements_dir, settings.purchases_file, settings.gate_allow_unjudged, accept_fewer=accept_fewer
    )
    with open_resources() as opened:
        return build_release(opened.service, opened.warehouse, opened.store, now, options)


def verify(version: str) -> None:
    """Download a release, check its files and run a query."""
    from pipelines.release import publish

    with open_resources() as opened:
        publish.verify(opened.warehouse, opened.store, version)


def promote(version: str, now: datetime) -> None:
    """Make a release live if its gate passed."""
    from pipelines.release import publish

    with open_resources() as opened:
        publish.promote(opened.warehouse, opened.store, version, now)


def watch_release(now: datetime) -> "Watched | None":
    """Decide about the canary, or a live release that was promoted a short time ago; None if there is neither."""
    from pipelines.settings import PipelineSettings
    from pipelines.watch.rules import Limits
    from pipelines.watch.step import watch_release

    settings = PipelineSettings()
    limits = Limits(timedelta(hours=settings.canary_hours), settings.canary_answers)
    with open_resources() as opened:
        return watch_release(opened.warehouse, opened.store, limits, now)


def diff_releases(before: str, after: str) -> "ReleaseDiff":
    """Compare two uploaded releases."""
    from pipelines.release.compare import diff_releases

    return diff_releases(open_store(), before, after)


def start_canary(version: str, share: float, now: datetime) -> "Canary":
    """Serve a release to a share of the visitors."""
    from pipelines.release import publish

    with open_resources() as opened:
        return publish.start_canary(opened.warehouse, opened.store, version, share, now)


def rollback(now: datetime) -> "RolledBack":
    """End the canary if one runs, else make the previous release live again."""
    from pipelines.release import publish

    with open_resources() as opened:
        return publish.rollback(opened.warehouse, opened.store, now)


def upgrade() -> None:
    """Upgrade both databases to the newest schema; raises :class:`~sql.errors.DatabaseUnavailable`."""
    from sql.upgrade import check_distinct
    from sql.upgrade import upgrade as upgrade_database

    with open_resources() as opened:
        check_distinct(opened.service, opened.warehouse)
        upgrade_database(opened.service, "service")
        upgrade_database(opened.warehouse, "warehouse")


def replay_logs(reason: str | None, start: datetime | None, end: datetime | None) -> Report:
    """Move rejected events that are valid now into the fact table."""
    from pipelines.logs.replay import replay_logs as replay

    with open_resources() as opened:
        return replay(opened.warehouse, opened.store, start, end, only_reason=reason)


def reconcile_logs() -> Report:
    """Compare the counts of every day of events; raises :class:`~pipelines.logs.reconcile.EventsDiffer`."""
    from pipelines.logs.reconcile import reconcile_all

    with open_resources() as opened:
        return reconcile_all(opened.warehouse, opened.store)


def maintenance(now: datetime, *, dry_run: bool, kinds: "Collection[Kind] | None" = None) -> list[Report]:
    """Delete what the settings ``UKOK_KEEP_*`` keep no longer, by default of every kind; a dry run only lists it."""
    from pipelines.maintenance.run import maintain
    from pipelines.settings import PipelineSettings

    with open_resources() as opened:
        return maintain(opened.service, opened.warehouse, opened.store, PipelineSettings(), now, dry_run, kinds)


def backup(folder: Path, now: datetime) -> Report:
    """Write both databases, the live release and an inventory of the artifacts into a new folder."""
    from pipelines.backup.write import write_backup

    with open_resources() as opened:
        return write_backup(opened.service, opened.warehouse, opened.store, folder, now)


def restore(folder: Path) -> "Restored":
    """Fill two empty databases from a backup, and name the live release if the store has none."""
    from pipelines.backup.restore import restore_backup

    with open_resources() as opened:
        return restore_backup(opened.service, opened.warehouse, opened.store, folder)


def lineage(name: str) -> "ProductLineage | ReleaseLineage":
    """Trace a product ``source:id``, a release by its version, or the ``live`` one back to raw files and pages."""
    from artifacts.release import current
    from pipelines.lineage import NoLineage, product_lineage, release_lineage

    with open_resources() as opened:
        if ":" in name:
            product = product_of(name)
            if product.source not in registry.sources():
                raise NoLineage(f"{name!r} is no product: expected e.g. kok:1471015, or the version of a release")
            return product_lineage(opened.service, opened.warehouse, opened.store, product)
        version = current(opened.store) if name == "live" else name
        if version is None:
            raise NoLineage("no release is live: run `ukok release promote`")
        return release_lineage(opened.warehouse, opened.store, version)


def data_versions() -> dict[str, int]:
    """Return how often each dataset of the catalog has changed."""
    from sqlalchemy import select

    from sql.service.catalog import DataVersion

    with open_resources() as opened, opened.service.connect() as conn:
        return dict(conn.execute(select(DataVersion.dataset, DataVersion.version)).all())


def check_deadlines(now: datetime) -> None:
    """Raise :class:`~pipelines.freshness.StepsOverdue` if a step has not succeeded for too long."""
    from pipelines.freshness import check_deadlines

    with open_resources() as opened:
        check_deadlines(opened.service, opened.warehouse, opened.store, registry.MALL, registry.broadcasters(), now)
