"""Figures of a relation by kind of query: which products and ingredients it answers well, and which it does not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.release.asks import AskedRelease
from pipelines.release.questions import Question, Questions, judged_lists
from recommender.bundle import ReleaseBundle
from recommender.evaluation.answers import Ask, product_item
from recommender.evaluation.relevance import QueryResult, evaluate_lists, ndcg_difference, relevance_figures
from recommender.evaluation.results import Difference, RelevanceFigures
from recommender.relations.space import KINDS
from recommender.text import lexicon

# The name of the live release among the rivals.
LIVE: Final = "live"
Results = Mapping[str, QueryResult]


@dataclass(frozen=True)
class Slice:
    """The judged queries of one kind.

    ``by`` says what they have in common: source, kind or department. ``rivals`` are nDCG@5 by name, ``live`` among
    them; ``ahead_of`` is the release minus each of these, by paired bootstrap.
    """

    relation: str
    by: str
    name: str
    served: RelevanceFigures
    rivals: Mapping[str, float]
    ahead_of: Mapping[str, Difference]

    @property
    def best_rival(self) -> str | None:
        """The simple method that does best on these queries."""
        simple = {rival: ndcg for rival, ndcg in self.rivals.items() if rival != LIVE}
        return max(simple, key=lambda rival: simple[rival]) if simple else None


def slices(release: AskedRelease, live: AskedRelease | None, questions: Questions) -> Iterator[Slice]:
    """The slices of every relation that has several; queries without a good candidate count for ``served`` alone."""
    labels = _labels(release.release.bundle, questions)
    for relation, question in questions.of_release.items():
        members = _members(list(question.judgements.grades), labels)
        if not members:
            continue
        others = dict(question.rivals)
        if live:
            others[LIVE] = _results(question, live.asks[relation])
        served = _results(question, release.asks[relation])
        for (by, name), queries in members.items():
            yield _slice(relation, by, name, _part(served, queries), {r: _part(o, queries) for r, o in others.items()})


def _slice(relation: str, by: str, name: str, served: Results, others: Mapping[str, Results]) -> Slice:
    figures = {rival: relevance_figures(results.values()).ndcg_at_5 for rival, results in others.items()}
    ahead = {rival: ndcg_difference(served, results) for rival, results in others.items()}
    return Slice(
        relation,
        by,
        name,
        relevance_figures(served.values()),
        {rival: ndcg for rival, ndcg in figures.items() if ndcg is not None},
        {rival: difference for rival, difference in ahead.items() if difference},
    )


def _labels(bundle: ReleaseBundle, questions: Questions) -> dict[str, dict[str, str]]:
    """What each query is, by what can be said of it: products have a source and a kind, ingredients a department."""
    kinds = [str(KINDS[kind]) for kind in bundle.relations.products.kinds.tolist()]
    labels = {
        product_item(product): {"source": product.source, "kind": kind}
        for product, kind in zip(bundle.products, kinds, strict=True)
    }
    sections, departments = lexicon.ingredients().kind, lexicon.departments()
    for name in questions.catalog.recipes_by_ingredient:
        if department := departments.get(sections.get(name, "")):
            labels[name] = {"department": department}
    return labels


def _members(queries: Sequence[str], labels: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, str], list[str]]:
    """Queries by what they are; what all of them are is no slice."""
    found: dict[tuple[str, str], list[str]] = {}
    for query in queries:
        for label in labels.get(query, {}).items():
            found.setdefault(label, []).append(query)
    return {label: found[label] for label in sorted(found) if len(found[label]) < len(queries)}


def _results(question: Question, ask: Ask) -> Results:
    return evaluate_lists(question.judgements, judged_lists(question, ask))


def _part(results: Results, queries: Sequence[str]) -> Results:
    return {query: results[query] for query in queries}
