"""Releases of the synthetic market, from the real builder and real, small models, without a database."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from artifacts import release as releases
from artifacts.folder import FolderStore
from artifacts.store import Store
from pipelines.release import build
from pipelines.release.catalog import catalog_of
from pipelines.release.evaluate import DEFAULT_OPTIONS, GateOptions, ask_about, evaluate_and_upload
from pipelines.release.gate import failed_checks
from pipelines.release.items import make_items
from pipelines.release.measure import HeldOutModels
from pipelines.release.products import snapshot
from pipelines.release.questions import Questions
from pipelines.train import corpora, word2vec
from pipelines.train.blend import refit_blend, train_blend
from pipelines.train.interactions import Interaction, NotEnoughEvents
from pipelines.train.item2vec import Limits
from pipelines.train.personal import learn, people_after
from recommender.evaluation.catalog import Catalog
from recommender.evaluation.next_items import PersonalCases
from recommender.evaluation.results import BertFigures, ModelFigures, PersonalFigures, Word2VecFigures, unmeasured
from recommender.evaluation.title_search import evaluate_title_search
from recommender.manifest import Counts, Datasets, GateResult, Manifest
from recommender.models.encoder import Encoder
from recommender.models.recipe_corpus import RecipeCorpus, corpus_of
from recommender.models.word_vectors import WordVectors
from recommender.product_ref import ProductRef, product_of
from recommender.rankers.config import BlendConfig
from recommender.rankers.personal import PersonalModel
from recommender.rankers.substitute_features import EaseWeights
from recommender.rankers.substitutes import default_weights, fit_substitutes
from recommender.relations.facts import ProductFacts, RecipeFacts
from recommender.relations.ranker import read_rankers
from recommender.text.title_words import Kind
from tests.builders import evaluations, piece_encoder
from tests.builders.market import SECTIONS, Market, market
from tests.builders.shoppers import visits

WORD2VEC = word2vec.Word2VecParameters(dimensions=16, words=200_000)


@dataclass(frozen=True)
class Inputs:
    """What a release is built from."""

    corpus: RecipeCorpus
    products: list[ProductFacts]
    recipes: list[RecipeFacts]
    vectors: WordVectors
    encoder: Path
    figures: ModelFigures
    visits: list[Interaction]
    personal: tuple[PersonalModel, PersonalModel, PersonalFigures]

    def catalog(self) -> Catalog:
        """The catalog that goes with it; the tokens are the words of the titles."""
        titles = zip(self.corpus.recipe_ids.tolist(), self.corpus.titles, strict=True)
        tokens = {("recipes", recipe_id): tuple(title.split()) for recipe_id, title in titles}
        return catalog_of(self.corpus, self.products, tokens, {})


@dataclass(frozen=True)
class Files:
    """A folder with the files of a release, and the counts of its manifest."""

    folder: Path
    counts: Counts
    figures: ModelFigures
    held_out: HeldOutModels


def train(content: Market, folder: Path) -> Inputs:
    """Train both models on a market; the encoder's files go below ``folder``."""
    corpus = corpus_of(
        [(each.recipe_id, each.title, float(each.recipe_id % 7)) for each in content.recipes],
        [(each.recipe_id, name) for each in content.recipes for name in each.ingredients],
    )
    products = [
        ProductFacts(
            ref=ProductRef(each.source, each.product_id),
            title=each.title,
            tokens=each.title,
            kind=Kind.INGREDIENT if each.is_ingredient else Kind.READY,
            types=each.ingredients[:1],
            ingredients=each.ingredients,
            recipes=float(each.is_ingredient),
            reviews=each.product_id % 11,
        )
        for each in content.products
    ]
    recipes = [
        RecipeFacts(
            each.recipe_id,
            each.title,
            each.title,
            each.ingredients,
            (),
            tuple(name for name in each.ingredients if name in each.title),
            float(each.recipe_id % 7),
        )
        for each in content.recipes
    ]
    vectors = word2vec.fit(corpus.fit(), WORD2VEC)
    fitting = corpus.fit()
    pieces = sorted({dish for _, dishes in SECTIONS for dish in dishes})
    piece_encoder.write_untrained(folder / "untrained", fitting, pieces)
    piece_encoder.write_trained(folder / "trained", fitting, pieces)
    untrained, trained = (
        evaluate_title_search(corpus.test(), Encoder(folder / name).encode) for name in ("untrained", "trained")
    )
    traffic = visits(_shelves(products))
    personal = learn(traffic, Limits())
    assert not isinstance(personal, NotEnoughEvents)
    counted = Word2VecFigures(ingredients=len(vectors.names), recipes=len(corpus.fit()))
    return Inputs(
        corpus,
        sorted(products, key=lambda each: each.ref),
        sorted(recipes, key=lambda each: each.recipe_id),
        vectors,
        folder / "trained",
        ModelFigures(word2vec=counted, bert=BertFigures(untrained=untrained, trained=trained)),
        traffic,
        personal,
    )


def _shelves(products: Sequence[ProductFacts]) -> list[list[ProductRef]]:
    """The products of each section of the market."""
    mains = [frozenset(mains) for mains, _ in SECTIONS]
    return [[each.ref for each in products if names.intersection(each.ingredients[:1])] for names in mains]


def personal_cases(inputs: Inputs) -> PersonalCases:
    """Those of the traffic who came back after the cut."""
    _, held_out, figures = inputs.personal
    cut = figures.learnt_until
    counts = Counter(product_of(each.item) for each in inputs.visits if each.time < cut)
    return PersonalCases(held_out, people_after(inputs.visits, cut), cut, counts)


def write(inputs: Inputs, folder: Path) -> Files:
    """Write the files of a release into ``folder``."""
    encoder = Encoder(inputs.encoder)
    items = make_items(inputs.products, inputs.recipes, encoder.encode, read_rankers())
    held_out = train_blend(inputs.corpus, inputs.vectors, BlendConfig())
    blend = refit_blend(held_out, inputs.corpus, inputs.vectors)
    ease = EaseWeights(blend.names, blend.rankers.ease.weights)
    substitutes = fit_substitutes(inputs.corpus, inputs.vectors, ease, default_weights())
    build.write_files(folder, inputs.corpus, items, inputs.vectors, encoder, blend, substitutes, inputs.personal[0])
    models = HeldOutModels(held_out, encoder.encode, personal_cases(inputs))
    return Files(folder, build.count(items), inputs.figures, models)


def upload(
    store: Store,
    files: Files,
    questions: Questions,
    version: str,
    options: GateOptions = DEFAULT_OPTIONS,
    inputs: Inputs | None = None,
) -> Manifest:
    """Evaluate the files and upload them as ``version``, as a build does; with ``inputs``, their datasets too."""
    datasets = Datasets(recipes="a", products="b")
    if inputs:
        datasets = Datasets(recipes=corpora.snapshot(store, inputs.corpus), products=snapshot(store, inputs.products))
    draft = evaluations.manifest(version).model_copy(
        update={
            "files": releases.file_entries(files.folder),
            "counts": files.counts,
            "datasets": datasets,
            "built_at": datetime(2025, 8, 6, tzinfo=UTC),
            "evaluation": unmeasured(files.figures),
            "gate": GateResult(passed=False, checks=()),
        }
    )
    folder = files.folder.rename(files.folder.parent / version)
    return evaluate_and_upload(store, folder, draft, questions, options, files.held_out)


LIVE = "20250806T030000Z-good"


@dataclass(frozen=True)
class Good:
    """A good release that is live: what it was built from, its files, what it is asked, and the store."""

    inputs: Inputs
    files: Files
    questions: Questions
    store: FolderStore


def good_release(folder: Path) -> Good:
    """Build, evaluate and promote a release of the market below ``folder``."""
    inputs = train(market(), folder / "encoder")
    files, store = write(inputs, folder / "files"), FolderStore(folder / "store")
    questions = ask_about(inputs.catalog(), DEFAULT_OPTIONS)
    manifest = upload(store, copied(files, folder / "first"), questions, LIVE, inputs=inputs)
    assert manifest.gate.passed, failed_checks(manifest.gate)
    releases.promote(store, LIVE, expected=None)
    return Good(inputs, files, questions, store)


def copied(files: Files, folder: Path) -> Files:
    """Copy the files of a release, to be spoiled or uploaded."""
    return replace(files, folder=Path(shutil.copytree(files.folder, folder)))
