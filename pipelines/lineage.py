"""Lineage: from an answer of the API back to the pages that its data were read from.

The links are in the databases and artifacts: a release names its models and datasets, a dataset the raw files that it
comes from, a ledger when each file was loaded, and ``step_run`` the runs that crawled, loaded, trained and built.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import ColumnElement, Connection, Engine, Select, select

from artifacts import release as releases
from artifacts.datasets import read_raw_files, read_table
from artifacts.errors import NotFound
from artifacts.raw import RawRun, list_runs, read_items
from artifacts.store import Store
from pipelines.load.datasets import datasets_of
from pipelines.release import products as release_products
from pipelines.train.models import CARD
from recommender.manifest import Manifest
from recommender.product_ref import KOK, ProductRef
from sql.service.catalog import HomeShoppingProduct, KokProduct, LoadedFile
from sql.warehouse.steps import StepRun


class _Link(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StepLink(_Link):
    """A run of a step in ``step_run``."""

    step: str
    run_id: str
    started_at: AwareDatetime
    status: str


class FileLink(_Link):
    """A raw file with the newest item of a product: its page, and the runs that crawled and loaded it.

    The runs are empty where maintenance has deleted their rows.
    """

    raw_file: str
    page_url: str
    observed_at: str
    loaded_at: AwareDatetime | None
    crawl: list[StepLink]
    loads: list[StepLink]


class DatasetLink(_Link):
    """A dataset: how many raw files it comes from, and the newest of each source and dataset."""

    name: str
    version: str
    raw_files: int
    newest: list[str]


class ModelLink(_Link):
    """A model, the code that trained it, the datasets that it was trained on, and the run of its training."""

    kind: str
    version: str
    code_version: str
    datasets: list[DatasetLink]
    training: list[StepLink]


class ReleaseLineage(_Link):
    """Where a release comes from."""

    version: str
    is_live: bool
    built_at: AwareDatetime
    code_version: str
    builds: list[StepLink]
    models: list[ModelLink]
    datasets: list[DatasetLink]


class ProductLineage(_Link):
    """Where the answers about a product come from; ``release`` is the live one, None if the product is not in it."""

    product: str
    name: str
    files: list[FileLink]
    release: ReleaseLineage | None


class NoLineage(ValueError):
    """There is no such product or release; the message says where to look."""


def release_lineage(warehouse: Engine, store: Store, version: str) -> ReleaseLineage:
    """Trace a release; raises :class:`~artifacts.release.CorruptRelease` if there is none of that version."""
    manifest = releases.read_manifest(store, version, Manifest)
    parameters = manifest.parameters
    versions = {"word2vec": parameters.word2vec, "bert": parameters.bert}
    if parameters.personal:
        versions["personal"] = parameters.personal
    with warehouse.connect() as conn:
        return ReleaseLineage(
            version=version,
            is_live=releases.current(store) == version,
            built_at=manifest.built_at,
            code_version=manifest.code_version,
            builds=_runs_of_version(conn, "build_release", version),
            models=[_model(conn, store, kind, found) for kind, found in versions.items()],
            datasets=[_dataset(store, name, found) for name, found in manifest.datasets.model_dump().items()],
        )


def product_lineage(service: Engine, warehouse: Engine, store: Store, product: ProductRef) -> ProductLineage:
    """Trace a product: the newest item of it in each raw dataset, and the live release."""
    with service.connect() as conn:
        name = conn.scalar(_name_of(product))
    if name is None:
        raise NoLineage(f"the service database has no product {product.source}:{product.product_id}")
    with service.connect() as first, warehouse.connect() as second:
        files = list(_files(first, second, store, product))
    live = releases.current(store)
    return ProductLineage(
        product=f"{product.source}:{product.product_id}",
        name=name,
        files=files,
        release=release_lineage(warehouse, store, live) if live and _is_in(store, live, product) else None,
    )


def _name_of(product: ProductRef) -> Select[str]:
    if product.source == KOK:
        return select(KokProduct.product_name).where(KokProduct.kok_product_id == product.product_id)
    return select(HomeShoppingProduct.product_name).where(
        HomeShoppingProduct.source == product.source, HomeShoppingProduct.source_product_id == product.product_id
    )


def _files(service: Connection, warehouse: Connection, store: Store, product: ProductRef) -> Iterator[FileLink]:
    """The newest loaded file of each raw dataset that has the product."""
    entries = select(LoadedFile.dataset, LoadedFile.run_id, LoadedFile.loaded_at)
    rows = service.execute(entries.where(LoadedFile.source == product.source)).all()
    loaded = {(dataset, run_id): loaded_at for dataset, run_id, loaded_at in rows}
    for dataset in datasets_of(product.source):
        runs = [run for run in list_runs(store, product.source, dataset) if (dataset, run.run_id) in loaded]
        for run in reversed(runs):
            if (link := _file(warehouse, store, run, product, loaded[dataset, run.run_id])) is not None:
                yield link
                break


def _file(
    warehouse: Connection, store: Store, run: RawRun, product: ProductRef, loaded_at: datetime
) -> FileLink | None:
    column = "kok_product_id" if product.source == KOK else "source_product_id"
    item = next((item for item in read_items(store, run) if item[column] == product.product_id), None)
    if item is None:
        return None
    return FileLink(
        raw_file=run.stem,
        page_url=item["page_url"],
        observed_at=item["observed_at"],
        loaded_at=loaded_at,
        crawl=_runs(warehouse, StepRun.step == f"crawl_{run.source}", StepRun.details["run_id"].astext == run.run_id),
        loads=_runs(
            warehouse,
            StepRun.step.startswith(f"load_{run.source}", autoescape=True),
            StepRun.details.contains({"files": [f"{run.dataset} {run.run_id}"]}),
        ),
    )


def _is_in(store: Store, version: str, product: ProductRef) -> bool:
    """Whether the dataset of a release holds a product."""
    datasets = releases.read_manifest(store, version, Manifest).datasets
    try:
        rows = read_table(store, release_products.DATASET, datasets.products, release_products.DATASET)
    except NotFound:
        return False
    return bool(((rows["source"] == product.source) & (rows["product_id"] == product.product_id)).any())


def _model(conn: Connection, store: Store, kind: str, version: str) -> ModelLink:
    try:
        card = _Card.model_validate_json(store.get(f"models/{kind}/{version}/{CARD}"))
    except NotFound:
        card = _Card(datasets={}, code_version="unknown: the model is deleted")
    return ModelLink(
        kind=kind,
        version=version,
        code_version=card.code_version,
        datasets=[_dataset(store, name, found) for name, found in card.datasets.items()],
        training=_runs_of_version(conn, f"train_{kind}", version),
    )


class _Card(BaseModel):
    """The part of a model's card that names its origin."""

    datasets: dict[str, str]
    code_version: str


def _dataset(store: Store, name: str, version: str) -> DatasetLink:
    files = read_raw_files(store, name, version)
    newest: dict[str, str] = defaultdict(str)
    for stem in files:
        folder = "/".join(stem.split("/")[:3])
        newest[folder] = max(newest[folder], stem)
    return DatasetLink(name=name, version=version, raw_files=len(files), newest=sorted(newest.values()))


def _runs_of_version(conn: Connection, step: str, version: str) -> list[StepLink]:
    return _runs(conn, StepRun.step == step, StepRun.details["version"].astext == version)


def _runs(conn: Connection, *which: ColumnElement[bool]) -> list[StepLink]:
    """Runs of steps, the newest last."""
    rows = conn.execute(select(StepRun).where(*which).order_by(StepRun.started_at)).all()
    return [StepLink(step=row.step, run_id=row.run_id, started_at=row.started_at, status=row.status) for row in rows]
