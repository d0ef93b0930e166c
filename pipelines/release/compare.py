"""Comparison of two releases: counts, parameters and figures side by side, and the lists that differ most."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from artifacts import release as releases
from artifacts.datasets import read_table
from artifacts.errors import NotFound
from artifacts.store import Store
from pipelines.release.asks import release_asks
from pipelines.release.measure import release_items
from pipelines.release.products import DATASET
from pipelines.train import corpora
from recommender.evaluation.answers import LISTED, Ask, product_item, recipe_item
from recommender.evaluation.proxies import evenly_spaced
from recommender.loaded_release import LoadedRelease
from recommender.manifest import Manifest
from recommender.product_ref import KOK, ProductRef

# Changed lists that are shown of each relation.
SHOWN: Final = 5

# Lists that are shown of each relation of a release that is compared with none, and the queries they are chosen from.
EXAMPLES: Final = 3
ASKED: Final = 12

# Parts of the names of figures and checks that depend on the release that was live.
AGAINST_LIVE: Final = frozenset({"live", "agreement", "counts"})

Value = float | int | str | bool | None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Change(_Part):
    """A value of both releases, by its path in the manifest; None where a release has none."""

    name: str
    before: Value
    after: Value


class ListChange(_Part):
    """The first items of two lists by name, and how similar the lists are."""

    query: str
    jaccard: float
    before: tuple[str, ...]
    after: tuple[str, ...]


class RelationChange(_Part):
    """How the lists of a relation differ: over how many queries, how similar they are, and those that differ most."""

    relation: str
    queries: int
    jaccard: float | None
    lists: tuple[ListChange, ...]


class ReleaseDiff(_Part):
    """The difference between two releases; of parameters, figures and checks only what differs."""

    before: str
    after: str
    counts: tuple[Change, ...]
    parameters: tuple[Change, ...]
    figures: tuple[Change, ...]
    checks: tuple[Change, ...]
    relations: tuple[RelationChange, ...]


def diff_releases(store: Store, before: str, after: str) -> ReleaseDiff:
    """Compare two uploaded releases; raises :class:`~artifacts.release.CorruptRelease` for one that does not open."""
    with tempfile.TemporaryDirectory(prefix="ukok-diff-") as scratch:
        folders = [releases.fetch(store, version, Path(scratch)) for version in (before, after)]
        old, new = (LoadedRelease.open(folder) for folder in folders)
        names = _names(store, old.manifest) | _names(store, new.manifest)
        queries = {name: evenly_spaced(each) for name, each in _common_queries(old, new).items()}
        relations = tuple(relation_changes(release_asks(old, {}), release_asks(new, {}), queries, names))
    one, other = old.manifest, new.manifest
    described = ("dimensions", "metric", "datasets", "code_version", "parameters")
    return ReleaseDiff(
        before=before,
        after=after,
        counts=tuple(_changes(one.counts.model_dump(), other.counts.model_dump())),
        parameters=_different(one.model_dump(include=set(described)), other.model_dump(include=set(described))),
        figures=_own(_different(one.evaluation.model_dump(), other.evaluation.model_dump())),
        checks=_own(_different(_statuses(one), _statuses(other))),
        relations=relations,
    )


def relation_changes(
    old: Mapping[str, Ask], new: Mapping[str, Ask], queries: Mapping[str, Sequence[str]], names: Mapping[str, str]
) -> Iterator[RelationChange]:
    """How the lists of two releases differ, by relation; ``names`` are titles by item."""
    for relation, asked in queries.items():
        yield _relation_change(relation, asked, old[relation], new[relation], names)


def example_lists(
    asks: Mapping[str, Ask], queries: Mapping[str, Sequence[str]], names: Mapping[str, str]
) -> Iterator[RelationChange]:
    """Some lists of every relation of a release that is compared with none: ``before`` is empty."""
    for relation, every in queries.items():
        asked = {query: asks[relation](query)[:LISTED] for query in evenly_spaced(every, ASKED)}
        answered = [(query, answers) for query, answers in asked.items() if answers][:EXAMPLES]
        shown = (
            ListChange(
                query=_named(query, names),
                jaccard=0.0,
                before=(),
                after=tuple(_named(answer.item, names) for answer in answers),
            )
            for query, answers in answered
        )
        yield RelationChange(relation=relation, queries=len(every), jaccard=None, lists=tuple(shown))


def _common_queries(old: LoadedRelease, new: LoadedRelease) -> dict[str, Sequence[str]]:
    """What both releases can be asked, by relation."""
    items = sorted(release_items(old) & release_items(new))
    mall = [item for item in items if item.startswith(f"{KOK}:")]
    recipes = [item for item in items if item.startswith("recipe:")]
    broadcast = [item for item in items if item not in {*mall, *recipes}]
    ingredients = sorted(set(old.names) & set(new.names))
    return {
        "broadcast_mall": broadcast,
        "mall_mall": mall,
        "mall_broadcast": mall,
        "product_recipes": [*mall, *broadcast],
        "recipe_products": recipes,
        "recipes_by_ingredients": ingredients,
        "ingredient_mall": ingredients,
        "substitutes": ingredients,
    }


def _relation_change(
    relation: str, sample: Sequence[str], old: Ask, new: Ask, names: Mapping[str, str]
) -> RelationChange:
    changes = []
    for query in sample:
        one, other = ([answer.item for answer in ask(query)[:LISTED]] for ask in (old, new))
        both = set(one) | set(other)
        changes.append((len(set(one) & set(other)) / len(both) if both else 1.0, query, one, other))
    changed = sorted(change for change in changes if change[2] != change[3])[:SHOWN]
    return RelationChange(
        relation=relation,
        queries=len(changes),
        jaccard=sum(change[0] for change in changes) / len(changes) if changes else None,
        lists=tuple(
            ListChange(
                query=_named(query, names),
                jaccard=jaccard,
                before=tuple(_named(item, names) for item in one),
                after=tuple(_named(item, names) for item in other),
            )
            for jaccard, query, one, other in changed
        ),
    )


def _names(store: Store, manifest: Manifest) -> dict[str, str]:
    """Titles by item, from the datasets that a release was built from; without them the ids remain."""
    try:
        recipes = read_table(store, corpora.DATASET, manifest.datasets.recipes, "recipes")
        products = read_table(store, DATASET, manifest.datasets.products, DATASET)
    except NotFound:
        return {}
    ids = zip(products["source"], products["product_id"], strict=True)
    items = (product_item(ProductRef(str(source), int(number))) for source, number in ids)
    named = dict(zip(items, map(str, products["title"]), strict=True))
    return named | {
        recipe_item(int(number)): str(title)
        for number, title in zip(recipes["recipe_id"], recipes["title"], strict=True)
    }


def _named(item: str, names: Mapping[str, str]) -> str:
    """The name of an item, and its id where that says more."""
    if item.startswith("ingredient:"):
        return item.removeprefix("ingredient:")
    return f"{names[item]} ({item})" if item in names else item


def _statuses(manifest: Manifest) -> dict[str, str]:
    return {check.name: check.status.value for check in manifest.gate.checks}


def _different(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(change for change in _changes(before, after) if change.before != change.after)


def _own(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes without what compares each release with the one that was live when it was built."""
    return tuple(change for change in changes if not AGAINST_LIVE & set(change.name.split(".")))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """The values of both, by their path; those of a list are joined."""
    one, other = dict(_leaves(before)), dict(_leaves(after))
    for name in dict.fromkeys([*one, *other]):
        yield Change(name=name, before=one.get(name), after=other.get(name))


def _leaves(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Value]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", ", ".join(map(str, value)) if isinstance(value, tuple | list) else value
