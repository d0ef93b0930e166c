"""Building of a release from the service database and the newest models."""

import hashlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import faiss
import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from artifacts import release as releases
from artifacts.errors import StoreError
from artifacts.store import Store
from pipelines.code_version import code_version
from pipelines.load.loaded_files import product_files, recipe_files
from pipelines.release import food_products, tables
from pipelines.release.food_products import FoodProduct
from pipelines.release.gate import check_gate
from pipelines.release.tables import Items
from pipelines.report import record
from pipelines.step_locks import ARTIFACTS, shared_lock
from pipelines.train import corpora, models
from pipelines.train.blend import train_blend
from pipelines.train.models import ModelCard
from recommender.bundle import ReleaseBundle
from recommender.evaluation.completion import evaluate_completion
from recommender.evaluation.results import BertFigures, Evaluation, ModelFigures, Word2VecFigures
from recommender.evaluation.served import evaluate_indexes, evaluate_served
from recommender.manifest import Counts, Datasets, Dimensions, Manifest, Parameters
from recommender.models.encoder import Encoder
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.models.vector_index import VectorIndex
from recommender.models.word_vectors import WordVectors
from recommender.product_ref import KOK, ProductRef
from recommender.rankers.config import BlendConfig
from recommender.rankers.word2vec import unit
from sql.warehouse.steps import ReleaseRecord

log = structlog.get_logger(__name__)


def build_release(service: Engine, warehouse: Engine, store: Store, now: datetime) -> Manifest:
    """Build, evaluate, upload and register a release; returns its manifest. Promotion makes it live.

    Reads recipes and food products with their resolved ingredients, and the newest Word2Vec and BERT models. The same
    inputs give the same files on one machine.
    """
    with record(warehouse, store, "build_release") as report, shared_lock(warehouse, ARTIFACTS):
        manifest = _build(service, store, now)
        evaluation, gate = manifest.evaluation.model_dump(mode="json"), manifest.gate.model_dump(mode="json")
        report.read = manifest.counts.recipes + manifest.counts.products
        report.written = len(manifest.files)
        report.details |= {"version": manifest.version, "evaluation": evaluation, "gate": gate}
        row = {"version": manifest.version, "built_at": now, "evaluation": evaluation | {"gate": gate}}
        with warehouse.begin() as conn:
            conn.execute(insert(ReleaseRecord).values(row).on_conflict_do_nothing())
    return manifest


def _build(service: Engine, store: Store, now: datetime) -> Manifest:
    # With several threads the last digits of a cosine depend on how they share the queries.
    faiss.omp_set_num_threads(1)
    corpus = corpora.read_recipes(service)
    products = food_products.read_products(service)
    with tempfile.TemporaryDirectory(prefix="ukok-release-") as scratch:
        word2vec = models.fetch_newest(store, "word2vec", Path(scratch) / "word2vec", ModelCard[Word2VecFigures])
        bert = models.fetch_newest(store, "bert", Path(scratch) / "bert", ModelCard[BertFigures])
        vectors, encoder = WordVectors.load(word2vec.folder), Encoder(bert.folder)
        items = _items(corpus, products, encoder)
        config = BlendConfig()
        folder = Path(scratch) / "release"
        _bundle(items, vectors, encoder, config).write(folder)
        figures = ModelFigures(word2vec=word2vec.card.figures, bert=bert.card.figures)
        # The API serves the files, so they are evaluated, not the bundle that wrote them.
        held_out = Encoder(bert.folder / models.HELD_OUT)
        evaluation = _evaluate(ReleaseBundle.read(folder, config), items, figures, held_out)
        files = releases.file_entries(folder)
        manifest = Manifest(
            version=_version(now, files),
            built_at=now.astimezone(UTC),
            files=files,
            counts=_counts(items),
            dimensions=Dimensions(word2vec=vectors.dimensions, text=items.texts.shape[1]),
            metric="inner product of unit vectors",
            datasets=Datasets(
                recipes=corpora.snapshot(store, corpus, recipe_files(service)),
                products=food_products.snapshot(store, products, product_files(service)),
            ),
            code_version=code_version(),
            parameters=Parameters(
                word2vec=word2vec.version, bert=bert.version, neighbours=tables.NEIGHBOURS, rankers=config
            ),
            evaluation=evaluation,
            gate=check_gate(evaluation, _live_evaluation(store)),
        )
        releases.publish(store, folder, manifest)
    return manifest


def _items(corpus: RecipeCorpus, products: list[FoodProduct], encoder: Encoder) -> Items:
    texts = encoder.encode([*corpus.titles, *(product.text for product in products)])
    names = tuple(sorted({name for basket in corpus.baskets for name in basket}))
    return Items(corpus, products, names, texts[: len(corpus)], texts[len(corpus) :])


def _bundle(items: Items, vectors: WordVectors, encoder: Encoder, config: BlendConfig) -> ReleaseBundle:
    ingredient_vectors = unit(vectors.aligned(items.names)[0])
    broadcasters = frozenset(product.source for product in items.products) - {KOK}
    return ReleaseBundle(
        names=items.names,
        recipe_ids=items.corpus.recipe_ids,
        recipe_prior=items.popularity,
        baskets=items.baskets,
        ingredient_vectors=ingredient_vectors,
        products=tuple(ProductRef(product.source, product.product_id) for product in items.products),
        recipe_index=VectorIndex.build(_recipe_vectors(items, ingredient_vectors)),
        recipe_texts=VectorIndex.build(items.recipe_texts),
        product_texts=VectorIndex.build(items.product_texts),
        product_recipes=tables.product_recipes(items),
        recipe_products=tables.recipe_products(items),
        similar_products={
            KOK: tables.similar_products(items, frozenset({KOK})),
            "home_shopping": tables.similar_products(items, broadcasters),
        },
        blend=train_blend(items.corpus, vectors, config),
        encoder=encoder,
    )


def _evaluate(bundle: ReleaseBundle, items: Items, figures: ModelFigures, held_out: Encoder) -> Evaluation:
    """Evaluate what is served; `held_out` is the encoder that has not learnt the test part."""
    product_ingredients = [product.ingredients for product in items.products]
    return Evaluation(
        completion=evaluate_completion(bundle.blend, items.corpus, held_out.encode),
        served=evaluate_served(product_ingredients, items.corpus.baskets, bundle.product_recipes),
        index=evaluate_indexes((bundle.recipe_texts, items.recipe_texts), (bundle.product_texts, items.product_texts)),
        models=figures,
    )


def _recipe_vectors(items: Items, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vector of each recipe: the sum of its ingredients' vectors, each weighted by its IDF."""
    weighted = vectors * items.baskets.idf(len(items.names))[:, None]
    sums = np.zeros((len(items.corpus), vectors.shape[1]), dtype=np.float32)
    recipes = np.repeat(np.arange(len(items.corpus)), np.diff(items.baskets.starts))
    np.add.at(sums, recipes, weighted[items.baskets.ingredients])
    return unit(sums)


def _counts(items: Items) -> Counts:
    kok = sum(product.source == KOK for product in items.products)
    return Counts(
        recipes=len(items.corpus),
        ingredients=len(items.names),
        kok_products=kok,
        home_shopping_products=len(items.products) - kok,
    )


def _version(now: datetime, files: dict[str, releases.FileEntry]) -> str:
    content = "".join(f"{name} {entry.sha256}\n" for name, entry in files.items())
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{hashlib.sha256(content.encode()).hexdigest()[:10]}"


def _live_evaluation(store: Store) -> Evaluation | None:
    """The evaluation of the live release; None without one, or if it cannot be read."""
    live = releases.current(store)
    try:
        return releases.read_manifest(store, live, Manifest).evaluation if live else None
    except StoreError as error:
        log.warning("live_release_not_compared", version=live, reason=str(error))
        return None
