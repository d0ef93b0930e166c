"""Evaluations and manifests with chosen figures."""

from datetime import UTC, datetime

from recommender.evaluation.results import (
    BertFigures,
    CompletionEvaluation,
    Evaluation,
    IndexEvaluation,
    ModelFigures,
    RankingFigures,
    TitleSearchFigures,
    Word2VecFigures,
    unmeasured,
)
from recommender.manifest import Counts, Datasets, Dimensions, GateResult, Manifest, Parameters
from recommender.rankers.config import BlendConfig


def evaluation() -> Evaluation:
    """An evaluation with a few figures of models, and no relation."""
    hits = {"blend": 0.6, "ease": 0.6, "popularity": 0.2}
    title_search = TitleSearchFigures(recipes=10, recall_at_10=0.5, mrr=0.4)
    models = ModelFigures(
        word2vec=Word2VecFigures(ingredients=5, recipes=10),
        bert=BertFigures(untrained=title_search, trained=title_search),
    )
    return unmeasured(models).model_copy(
        update={
            "completion": CompletionEvaluation(
                cases=2000,
                candidates=100,
                methods={name: RankingFigures(hit_at_10=hit, hit_at_50=hit, mrr=hit / 2) for name, hit in hits.items()},
            ),
            "index": IndexEvaluation(recall_at_10=1.0),
        }
    )


def manifest(version: str, config: BlendConfig | None = None) -> Manifest:
    """The manifest of a release without files."""
    return Manifest(
        version=version,
        files={},
        built_at=datetime(2025, 8, 6, tzinfo=UTC),
        counts=Counts(recipes=10, ingredients=5, kok_products=2, home_shopping_products=1),
        dimensions=Dimensions(word2vec=8, text=8),
        metric="inner product of unit vectors",
        datasets=Datasets(recipes="a", products="b"),
        code_version="test",
        parameters=Parameters(word2vec="1", bert="1", neighbours=20, rankers=config or BlendConfig()),
        evaluation=evaluation(),
        gate=GateResult(passed=True, checks=()),
    )
