"""What the report of a release shows, collected while its files and those of the live release are at hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelines.release.asks import AskedRelease
from pipelines.release.compare import RelationChange, example_lists, relation_changes
from pipelines.release.measure import HeldOutModels, release_items
from pipelines.release.questions import Questions
from pipelines.release.report.ablation import RelationAblation, ablations
from pipelines.release.report.blend_ablation import BlendParts, blend_parts
from pipelines.release.report.maps import EmbeddingMap, ingredient_map, product_map
from pipelines.release.report.slices import Slice, slices
from pipelines.train.curves import LearningCurve
from recommender.evaluation.catalog import Catalog
from recommender.manifest import Manifest
from recommender.rankers.config import BlendWeights
from recommender.relations.ranker import Rankers

# Learning curves of each model, by the model and what it learnt from.
Training = Mapping[str, Mapping[str, LearningCurve]]


@dataclass(frozen=True)
class Inspection:
    """What is seen inside a release that can be opened and computed with.

    ``maps`` and ``blend`` are None where there is too little to show. ``lists`` are the lists that differ most from the
    live release's, or some lists if there is none.
    """

    slices: tuple[Slice, ...]
    lists: tuple[RelationChange, ...]
    ingredients: EmbeddingMap | None
    products: EmbeddingMap | None
    rankers: Rankers
    weights: BlendWeights
    ablations: tuple[RelationAblation, ...]
    blend: BlendParts | None


@dataclass(frozen=True)
class ReleaseReport:
    """A release for people; ``inspection`` is None if its files cannot be opened or computed with."""

    manifest: Manifest
    training: Training
    inspection: Inspection | None

    @property
    def version(self) -> str:
        """The version of the release."""
        return self.manifest.version


def collect(
    manifest: Manifest,
    release: AskedRelease,
    questions: Questions,
    live: AskedRelease | None,
    held_out: HeldOutModels,
    training: Training,
) -> ReleaseReport:
    """The report of an open release with its finished ``manifest``."""
    measured = bool(manifest.evaluation.relations)
    return ReleaseReport(manifest, training, _inspect(release, questions, live, held_out) if measured else None)


def _inspect(
    release: AskedRelease, questions: Questions, live: AskedRelease | None, held_out: HeldOutModels
) -> Inspection:
    bundle, catalog = release.release.bundle, questions.catalog
    return Inspection(
        slices=tuple(slices(release, live, questions)),
        lists=tuple(_lists(release, live, questions)),
        ingredients=ingredient_map(bundle.names, bundle.ingredient_vectors, catalog),
        products=product_map(bundle.relations.products, bundle.relations.types),
        rankers=bundle.relations.rankers,
        weights=bundle.blend.weights,
        ablations=tuple(ablations(release.release, questions)),
        blend=blend_parts(held_out.blend, catalog),
    )


def _lists(release: AskedRelease, live: AskedRelease | None, questions: Questions) -> Iterator[RelationChange]:
    """Lists of what the release has been asked already; beside the live release's where that knows the item too."""
    titles = _titles(questions.catalog)
    samples = {name: question.sample for name, question in questions.of_release.items()}
    if live is None:
        return example_lists(release.asks, samples, titles)
    new = titles.keys() - release_items(live.release)
    common = {name: [query for query in sample if query not in new] for name, sample in samples.items()}
    return relation_changes(live.asks, release.asks, common, titles)


def _titles(catalog: Catalog) -> dict[str, str]:
    """Titles of products and recipes by item."""
    products = {product.item: product.title for product in catalog.products}
    return products | {recipe.item: recipe.title for recipe in catalog.recipes}
