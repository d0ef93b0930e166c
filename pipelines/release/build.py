"""Building of a release from the service database and the newest models."""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert
from threadpoolctl import threadpool_limits

from artifacts import release as releases
from artifacts.store import Store
from pipelines.code_version import code_version
from pipelines.load.loaded_files import product_files, recipe_files
from pipelines.release import tables
from pipelines.release.catalog import read_catalog
from pipelines.release.evaluate import DEFAULT_OPTIONS, GateOptions, ask_about, evaluate_and_upload
from pipelines.release.items import Items, make_items, read_recipe_facts
from pipelines.release.measure import HeldOutModels
from pipelines.release.products import read_products, snapshot
from pipelines.release.steps import step
from pipelines.report import record
from pipelines.step_locks import ARTIFACTS, shared_lock
from pipelines.train import corpora, models
from pipelines.train.blend import refit_blend, train_blend
from pipelines.train.models import ModelCard, TrainedModel
from pipelines.train.personal import TrainedPersonal, newest_personal, personal_cases
from pipelines.train.ranker import newest_rankers
from recommender.bundle import ReleaseBundle, read_blend, write_blend
from recommender.evaluation.results import BertFigures, ModelFigures, Word2VecFigures, unmeasured
from recommender.manifest import Counts, Datasets, Dimensions, GateResult, Manifest, Parameters
from recommender.models.baskets import Baskets
from recommender.models.encoder import Encoder
from recommender.models.neighbours import NeighbourTable
from recommender.models.recipe_corpus import RecipeCorpus
from recommender.models.vector_index import VectorIndex
from recommender.models.word_vectors import WordVectors
from recommender.product_ref import KOK
from recommender.rankers.blend import Blend
from recommender.rankers.config import BlendConfig
from recommender.rankers.personal import PersonalModel
from recommender.rankers.substitute_features import EaseWeights
from recommender.rankers.substitutes import Substitutes, default_weights, fit_substitutes
from recommender.rankers.word2vec import unit
from recommender.relations.facts import ProductFacts
from recommender.relations.model import RelationModel
from recommender.relations.offered_products import Target
from recommender.relations.ranker import Rankers
from sql.warehouse.steps import ReleaseRecord


def build_release(
    service: Engine, warehouse: Engine, store: Store, now: datetime, options: GateOptions = DEFAULT_OPTIONS
) -> Manifest:
    """Build, evaluate, upload and register a release; returns its manifest. Promotion makes it live.

    Reads recipes and food products with their resolved ingredients, and the newest Word2Vec and BERT models. The same
    inputs give the same files on one machine, whatever the number of threads that libraries are given: they get one.
    """
    with record(warehouse, store, "build_release") as report, shared_lock(warehouse, ARTIFACTS):
        # With several threads the last digits of a sum depend on how they share it.
        with threadpool_limits(limits=1):
            manifest = _build(service, warehouse, store, now, options)
        evaluation, gate = manifest.evaluation.model_dump(mode="json"), manifest.gate.model_dump(mode="json")
        report.read = manifest.counts.recipes + manifest.counts.products
        report.written = len(manifest.files)
        report.details |= {"version": manifest.version, "evaluation": evaluation, "gate": gate}
        row = {"version": manifest.version, "built_at": now, "evaluation": evaluation | {"gate": gate}}
        with warehouse.begin() as conn:
            conn.execute(insert(ReleaseRecord).values(row).on_conflict_do_nothing())
    return manifest


@dataclass(frozen=True)
class _Newest:
    """The models that were trained last; ``personal`` is None if there has been too little to learn from."""

    word2vec: TrainedModel[Word2VecFigures]
    bert: TrainedModel[BertFigures]
    rankers: Rankers
    personal: TrainedPersonal | None


def _build(service: Engine, warehouse: Engine, store: Store, now: datetime, options: GateOptions) -> Manifest:
    with step("read the catalog"):
        corpus = corpora.read_recipes(service)
        products = read_products(service)
    with tempfile.TemporaryDirectory(prefix="ukok-release-") as temporary:
        scratch = Path(temporary)
        newest = _newest_models(store, scratch)
        held_out_blend = scratch / models.HELD_OUT
        counts, dimensions = _write(service, corpus, products, newest, scratch / "release", held_out_blend)
        files = releases.file_entries(scratch / "release")
        personal = newest.personal
        draft = Manifest(
            version=_version(now, files),
            built_at=now.astimezone(UTC),
            files=files,
            counts=counts,
            dimensions=dimensions,
            metric="inner product of unit vectors",
            datasets=Datasets(
                recipes=corpora.snapshot(store, corpus, recipe_files(service)),
                products=snapshot(store, products, product_files(service)),
            ),
            code_version=code_version(),
            parameters=_parameters(newest),
            evaluation=unmeasured(ModelFigures(word2vec=newest.word2vec.card.figures, bert=newest.bert.card.figures)),
            gate=GateResult(passed=False, checks=()),
        )
        with step("prepare the questions of the gate"):
            questions = ask_about(read_catalog(service, corpus, products), options)
        held_out = HeldOutModels(
            read_blend(held_out_blend, draft.parameters.rankers),
            Encoder(newest.bert.folder / models.HELD_OUT).encode,
            personal_cases(personal, warehouse, options.purchases) if personal else None,
        )
        folder = (scratch / "release").rename(scratch / draft.version)
        training = {"word2vec": newest.word2vec.card.curves, "bert": newest.bert.card.curves}
        return evaluate_and_upload(store, folder, draft, questions, options, held_out, training)


def _newest_models(store: Store, scratch: Path) -> _Newest:
    return _Newest(
        models.fetch_newest(store, "word2vec", scratch / "word2vec", ModelCard[Word2VecFigures]),
        models.fetch_newest(store, "bert", scratch / "bert", ModelCard[BertFigures]),
        newest_rankers(store, scratch / "ranker"),
        newest_personal(store, scratch / "personal"),
    )


def _parameters(newest: _Newest) -> Parameters:
    return Parameters(
        word2vec=newest.word2vec.version,
        bert=newest.bert.version,
        neighbours=tables.NEIGHBOURS,
        rankers=BlendConfig(),
        personal=newest.personal.version if newest.personal else None,
    )


def _write(
    service: Engine,
    corpus: RecipeCorpus,
    products: Sequence[ProductFacts],
    newest: _Newest,
    folder: Path,
    held_out_blend: Path,
) -> tuple[Counts, Dimensions]:
    """Write the files of the release, and the blend that has not learnt the test part.

    Files are evaluated, not the objects that wrote them: these are gone when the evaluation needs their memory.
    """
    with step("read the titles of recipes"):
        recipes = read_recipe_facts(service, corpus)
    vectors, encoder = WordVectors.load(newest.word2vec.folder), Encoder(newest.bert.folder)
    items = make_items(products, recipes, encoder.encode, newest.rankers)
    with step("train the blend"):
        held_out = train_blend(corpus, WordVectors.load(newest.word2vec.folder / models.HELD_OUT), BlendConfig())
        write_blend(held_out_blend, held_out)
    with step("train the blend on everything"):
        blend = refit_blend(held_out, corpus, vectors)
    with step("rank substitutes"):
        substitutes = _substitutes(service, vectors, blend)
    personal = newest.personal.model if newest.personal else None
    write_files(folder, corpus, items, vectors, encoder, blend, substitutes, personal)
    return count(items), Dimensions(word2vec=vectors.dimensions, text=items.product_rows.vectors.shape[1])


def write_files(
    folder: Path,
    corpus: RecipeCorpus,
    items: Items,
    vectors: WordVectors,
    encoder: Encoder,
    blend: Blend,
    substitutes: Substitutes,
    personal: PersonalModel | None = None,
) -> None:
    """Write the files of a release into ``folder``."""
    bundle = _bundle(items, corpus, vectors, encoder, blend, substitutes, personal)
    with step("write the files"):
        bundle.write(folder)


def _substitutes(service: Engine, vectors: WordVectors, blend: Blend) -> Substitutes:
    written = corpora.read_recipes(service, as_written=True)
    ease = EaseWeights(blend.names, blend.rankers.ease.weights)
    return fit_substitutes(written, vectors, ease, default_weights())


def _bundle(
    items: Items,
    corpus: RecipeCorpus,
    vectors: WordVectors,
    encoder: Encoder,
    blend: Blend,
    substitutes: Substitutes,
    personal: PersonalModel | None = None,
) -> ReleaseBundle:
    with step("encode products and recipes"):
        products, recipes = items.product_rows, items.recipe_rows
    names = items.space.names
    ingredient_vectors = unit(vectors.aligned(names)[0])
    numbers = {name: number for number, name in enumerate(names)}
    baskets = Baskets.of([[numbers[name] for name in basket] for basket in corpus.baskets])
    with step("index vectors"):
        recipe_index = VectorIndex.build(_recipe_vectors(baskets, ingredient_vectors))
        recipe_texts, product_texts = VectorIndex.build(recipes.vectors), VectorIndex.build(products.vectors)
    with step("rank recipes of products"):
        product_recipes = tables.product_recipes(items)
    with step("rank products of recipes"):
        recipe_products = tables.recipe_products(items)
    return ReleaseBundle(
        names=names,
        recipe_ids=corpus.recipe_ids,
        recipe_prior=recipes.popularity,
        baskets=baskets,
        ingredient_vectors=ingredient_vectors,
        products=tuple(product.ref for product in items.products),
        recipe_index=recipe_index,
        recipe_texts=recipe_texts,
        product_texts=product_texts,
        product_recipes=product_recipes,
        recipe_products=recipe_products,
        similar_products=_similar_products(items),
        relations=RelationModel(items.space.text, items.space.types, products, recipes, items.rankers),
        blend=blend,
        substitutes=substitutes,
        encoder=encoder,
        personal=personal,
    )


def _similar_products(items: Items) -> dict[Target, NeighbourTable]:
    broadcasters = frozenset(product.ref.source for product in items.products) - {KOK}
    with step("rank similar products of the mall"):
        in_mall = tables.similar_products(items, frozenset({KOK}))
    with step("rank similar products of broadcasters"):
        on_air = tables.similar_products(items, broadcasters)
    return {KOK: in_mall, "home_shopping": on_air}


def _recipe_vectors(baskets: Baskets, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vector of each recipe: the sum of its ingredients' vectors, each weighted by its IDF."""
    weighted = vectors * baskets.idf(len(vectors))[:, None]
    sums = np.zeros((len(baskets), vectors.shape[1]), dtype=np.float32)
    recipes = np.repeat(np.arange(len(baskets)), np.diff(baskets.starts))
    np.add.at(sums, recipes, weighted[baskets.ingredients])
    return unit(sums)


def count(items: Items) -> Counts:
    """Number of rows of each kind."""
    kok = sum(product.ref.source == KOK for product in items.products)
    return Counts(
        recipes=len(items.recipes),
        ingredients=len(items.space.names),
        kok_products=kok,
        home_shopping_products=len(items.products) - kok,
    )


def _version(now: datetime, files: dict[str, releases.FileEntry]) -> str:
    content = "".join(f"{name} {entry.sha256}\n" for name, entry in files.items())
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{hashlib.sha256(content.encode()).hexdigest()[:10]}"
