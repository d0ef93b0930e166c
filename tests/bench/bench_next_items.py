"""What people take next, found by what is served and by simpler methods, on a split by time.

``python -m tests.bench.bench_next_items`` (part of ``make bench``). Simulates traffic of people with a shelf each and
fashions, and reads ``events_grocery.csv`` below ``UKOK_SHARED_DATA`` (default: ``../shared/data``) if it is there. The
products are those of the 90 % of the interactions that are learnt from; everything new to a person after them is
wanted. Intervals are of the difference to what is served, by paired bootstrap over people, seeded by their number.
Figures are written to ``var/bench/next_items.json``; they decide no test.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from pipelines.train import item2vec
from pipelines.train.interactions import Interaction, NotEnoughEvents, read_purchases
from pipelines.train.item2vec import Limits, fit_rivals, frequent_items
from pipelines.train.personal import learn, people_after
from recommender.evaluation.metrics import mean_difference
from recommender.evaluation.next_items import Hits, Person, list_hits, next_item_hits, suggested_hits
from recommender.product_ref import KOK, ProductRef
from recommender.rankers.personal import PersonalModel
from recommender.rankers.word2vec import Word2Vec
from serving.catalog.mall import KokCatalog, KokItem
from serving.recommendations.personal import recommend_products
from serving.recommendations.recently_viewed import View
from serving.runtime.snapshot import Snapshot
from tests.bench.served_model import kok_items, release_with
from tests.builders.shoppers import visits
from tests.conftest import ROOT

# People who are also asked for through the service, evenly spaced: its lists have to be those of the model.
THROUGH_THE_SERVICE: Final = 150
FIRST: Final = 20
SHELVES: Final = [[ProductRef(KOK, 100 * shelf + number) for number in range(60)] for shelf in range(12)]

console = Console()


def main() -> None:
    """Measure, print and write the figures of purchases, if there are any, and of simulated traffic."""
    file = Path(os.environ.get("UKOK_SHARED_DATA", ROOT.parent / "shared" / "data")) / "events_grocery.csv"
    results = {"simulated": _measure("simulated traffic", visits(SHELVES, people=1500, fashion=0.2))}
    if file.is_file():
        results["purchases"] = _measure(file.name, list(read_purchases(file)))
    target = ROOT / "var" / "bench" / "next_items.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, indent=2), encoding="utf-8")
    console.print(f"written to {target}")


def _measure(title: str, interactions: Sequence[Interaction]) -> dict[str, object]:
    learnt = learn(interactions, Limits())
    assert not isinstance(learnt, NotEnoughEvents)
    _, model, figures = learnt
    people = people_after(interactions, figures.learnt_until)
    methods = dict(_methods(interactions, figures.learnt_until, model, people))
    same = _through_the_service(model, people, figures.learnt_until)
    _print(f"What {figures.tested} people took next, {title}", methods)
    console.print(model.config, f"lists of the service that are those of the model: {same}")
    rows = {name: _row(each, methods["served"]) for name, each in methods.items()}
    return {"figures": figures.model_dump(), "methods": rows}


def _methods(
    interactions: Sequence[Interaction], cut: float, model: PersonalModel, people: Sequence[Person]
) -> Iterator[tuple[str, Hits]]:
    before = [each for each in interactions if each.time < cut]
    after = [each for each in interactions if each.time >= cut]
    names = frequent_items(before, Limits())
    cases = item2vec.next_items(before, after, names)
    vectors = item2vec.fit(before, Limits())
    rivals = fit_rivals(before, names)
    if vectors:
        rivals |= {"item2vec": Word2Vec(*vectors.aligned(names))}
    for name, ranker in rivals.items():
        yield name, next_item_hits(ranker, cases)
    yield "popularity by time", list_hits(model.popular(), people)
    alone = replace(model, config=model.config.model_copy(update={"popularity_weight": 0.0}))
    yield "history alone", suggested_hits(alone, people, cut)
    yield "served", suggested_hits(model, people, cut)


def _through_the_service(model: PersonalModel, people: Sequence[Person], cut: float) -> str:
    """How many of some lists of ``GET /api/recommend/me/products`` are those of the model that is measured."""
    asked = people[:: max(1, len(people) // THROUGH_THE_SERVICE)]
    now = datetime.fromtimestamp(cut, UTC)
    with tempfile.TemporaryDirectory(prefix="ukok-bench-") as scratch:
        items: dict[int, KokItem] = kok_items(product.product_id for product in model.products)
        snapshot = Snapshot(kok=KokCatalog(items=items), release=release_with(model, Path(scratch)))
        expected = model.suggest_unseen([person.history for person in asked], cut, FIRST)
        same = sum(_asked(snapshot, person, now) == found for person, found in zip(asked, expected, strict=True))
    return f"{same} of {len(asked)}"


def _asked(snapshot: Snapshot, person: Person, now: datetime) -> list[ProductRef]:
    views = [View(taken.product, datetime.fromtimestamp(taken.at, UTC)) for taken in person.history]
    found = recommend_products(snapshot, views, FIRST, now)
    return [entry.item.ref for entry in found.items if isinstance(entry.item, KokItem)]


def _row(hits: Hits, served: Hits) -> dict[str, object]:
    ahead = {
        name: mean_difference(ours, theirs).model_dump()
        for name, ours, theirs in (
            ("recall@20", served.recalls, hits.recalls),
            ("ndcg@20", served.gains, hits.gains),
        )
    }
    return {**hits.figures().model_dump(by_alias=True), "served_ahead_by": ahead}


def _print(title: str, methods: dict[str, Hits]) -> None:
    table = Table("method", "recall@20", "served ahead by (95 %)", "nDCG@20", "served ahead by (95 %)", title=title)
    served = methods["served"]
    for name, each in sorted(methods.items(), key=lambda entry: entry[1].figures().recall_at_20):
        figures = each.figures()
        row = [name]
        for figure, ours, theirs in (
            (figures.recall_at_20, served.recalls, each.recalls),
            (figures.ndcg_at_20, served.gains, each.gains),
        ):
            ahead = mean_difference(ours, theirs)
            row += [f"{figure:.4f}", f"{ahead.mean:+.4f} ({ahead.low:+.4f} … {ahead.high:+.4f})"]
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    main()
