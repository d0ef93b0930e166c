"""A release, opened for serving: array reads for item to item, FAISS for free queries. Immutable, safe to share."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from artifacts.release import MANIFEST, CorruptRelease, parse_manifest
from recommender.bundle import ReleaseBundle
from recommender.manifest import Manifest
from recommender.models.neighbours import BY_TEXT, SIMILAR
from recommender.models.vector_index import IndexKind, VectorIndex
from recommender.product_ref import KOK, ProductRef
from recommender.rankers.cases import Cases, basket_matrix
from recommender.rankers.substitute import Substitute
from recommender.relations.facts import ProductFacts, as_product
from recommender.relations.offered_products import Offer, OfferedProducts, Target, merged
from recommender.relations.product_recipes import ProductRecipes
from recommender.relations.rank import rank
from recommender.relations.ranker import Rankers
from recommender.relations.recipe_products import PRODUCTS_PER_INGREDIENT, recipe_offers
from recommender.relations.relation import Relation
from recommender.relations.space import ProductMatrix, Space

# A title without any letter.
SAYS_NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A recipe with its score and reason."""

    recipe_id: int
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class ProductNeighbour:
    """A product with its score and reason."""

    product: ProductRef
    score: float
    reason: str


class LoadedRelease:
    """Answers from the indexes and tables of one release."""

    def __init__(self, manifest: Manifest, bundle: ReleaseBundle) -> None:
        # One thread answers a query; the server has many of them.
        faiss.omp_set_num_threads(1)
        self.manifest = manifest
        self.version = manifest.version
        self.names = bundle.names
        self.recipe_ids = bundle.recipe_ids
        self.personal = bundle.personal
        self._bundle = bundle
        self._numbers = {name: number for number, name in enumerate(bundle.names)}
        self._product_rows = {product: row for row, product in enumerate(bundle.products)}
        self._released = OfferedProducts(bundle.products, bundle.relations.products)
        self._new_facts: tuple[ProductFacts, ...] = ()
        self._new: OfferedProducts | None = None
        self._product_texts = bundle.product_texts

    @classmethod
    def open(cls, folder: Path) -> "LoadedRelease":
        """Open a folder of :func:`artifacts.release.fetch`; raises :class:`CorruptRelease` if parts are wrong."""
        try:
            data = (folder / MANIFEST).read_bytes()
        except FileNotFoundError:
            raise CorruptRelease(f"release {folder.name}: {MANIFEST} is missing") from None
        manifest = parse_manifest(data, folder.name, Manifest)
        try:
            return cls(manifest, ReleaseBundle.read(folder, manifest.parameters.rankers))
        except CorruptRelease as error:
            raise CorruptRelease(f"release {folder.name}: {error}") from error

    @property
    def bundle(self) -> ReleaseBundle:
        """What it answers from, for reports; serving asks the methods."""
        return self._bundle

    def with_products(self, products: Iterable[ProductFacts]) -> "LoadedRelease":
        """The release that answers also with those of ``products`` that it does not know, ranked by the same code.

        Those that were added before are no longer answers unless they are among ``products`` too.
        """
        facts = tuple(sorted((each for each in products if each.ref not in self), key=lambda each: each.ref))
        if facts == self._new_facts:
            return self
        new, texts = self._new_products(facts), self._texts_with(facts)
        # A copy, and not before: what the release has computed by now stays valid.
        extended = copy(self)
        vars(extended).update(_new_facts=facts, _new=new, _product_texts=texts)
        return extended

    def product_recipes(self, product: ProductRef, k: int) -> list[Neighbour]:
        """Recipes to cook with a product, best first; empty for an unknown product."""
        row = self._product_rows.get(product)
        if row is None:
            return []
        return [
            Neighbour(int(self.recipe_ids[recipe]), score, self._reason(reason))
            for recipe, score, reason in self._bundle.product_recipes.of_row(row, k)
        ]

    def recipe_products(self, recipe_id: int, k: int) -> list[ProductNeighbour]:
        """Products to buy for a recipe, its most important ingredients first; empty for an unknown recipe."""
        row = self._recipe_rows.get(recipe_id)
        if row is None:
            return []
        new = self._new and self._recipe_products_with_new(row, self._new, k)
        return new or self._product_neighbours(self._bundle.recipe_products.of_row(row, k))

    def similar_products(self, product: ProductRef, target: Target, k: int) -> list[ProductNeighbour]:
        """Products of ``target`` similar to a product, best first; empty for an unknown product."""
        row = self._product_rows.get(product)
        if row is None:
            return []
        known = self._bundle.similar_products[target].of_row(row, k)
        if self._new is None:
            return self._product_neighbours(known)
        rows = self._bundle.relations.products
        main = int(rows.mains[row])
        (new,) = self._new.best(self._rankers[Relation.SIMILAR_PRODUCTS], rows.take(slice(row, row + 1)), k, target)
        return self._offered(merged([*(self._released.offer(at, score, main) for at, score, _ in known), *new], k))

    def __contains__(self, product: ProductRef) -> bool:
        """Whether the release knows a product; another one is new since."""
        return product in self._product_rows

    def ingredient_products(self, ingredient: ProductFacts, k: int) -> list[ProductNeighbour]:
        """Mall products to buy for an ingredient (:func:`~recommender.relations.facts.as_product`), best first."""
        return self._rank_products(ingredient, Relation.INGREDIENT_PRODUCTS, KOK, k)

    def similar_to_new(self, product: ProductFacts, target: Target, k: int) -> list[ProductNeighbour]:
        """Like :meth:`similar_products`, for a product that is new since the release."""
        return self._rank_products(product, Relation.SIMILAR_PRODUCTS, target, k)

    def recipes_for_new(self, product: ProductFacts, k: int) -> list[Neighbour]:
        """Like :meth:`product_recipes`, for a product that is new since the release."""
        row, recipes = self._space.products([product]), self._bundle.relations.recipes
        ranker = self._rankers[Relation.PRODUCT_RECIPES]
        (found,) = rank(self._recipe_candidates, ranker, row, k, items=recipes.items, own=row.items)
        main, holds = int(row.mains[0]), recipes.importance
        return [
            Neighbour(
                int(self.recipe_ids[recipe]),
                score,
                self._reason(main if main >= 0 and holds[recipe, main] > 0 else BY_TEXT),
            )
            for recipe, score in found
        ]

    def recipes_by_ingredients(self, ingredients: Sequence[str], k: int) -> list[Neighbour]:
        """Recipes by the sum of IDF of the given ingredients in them, then the nearest by Word2Vec vector."""
        numbers = [self._numbers[name] for name in dict.fromkeys(ingredients) if name in self._numbers]
        if not numbers:
            return []
        scores = np.zeros(len(self.recipe_ids), dtype=np.float32)
        for number in numbers:
            scores[self._recipes_by_ingredient[number]] += self._idf[number]
        rows = np.flatnonzero(scores)
        order = rows[np.lexsort((rows, -self._bundle.recipe_prior[rows], -scores[rows]))][:k]
        exact = [
            Neighbour(int(self.recipe_ids[row]), float(scores[row]), self._contains(row, numbers)) for row in order
        ]
        return exact + self._nearest(numbers, k - len(exact), {neighbour.recipe_id for neighbour in exact})

    def recipes_by_text(self, text: str, k: int) -> list[Neighbour]:
        """Recipes with a title similar to ``text``, by the sentence encoder; none for a text that it does not know."""
        found = self._by_text(self._bundle.recipe_texts, text, k)
        return [Neighbour(int(self.recipe_ids[row]), score, SIMILAR) for row, score in found]

    def products_by_text(self, text: str, k: int) -> list[ProductNeighbour]:
        """Products with a title similar to ``text``, by the sentence encoder; none for a text that it does not know."""
        products = (*self._bundle.products, *(each.ref for each in self._new_facts))
        found = self._by_text(self._product_texts, text, k)
        return [ProductNeighbour(products[row], score, SIMILAR) for row, score in found]

    def complete(self, ingredients: Sequence[str], k: int, title: str = "") -> list[tuple[str, float]]:
        """Ingredients that complete a recipe with the given ones, best first, with the score of the blend."""
        return self._bundle.blend.complete(ingredients, k, title)

    def substitutes(self, ingredient: str, k: int) -> list[Substitute]:
        """Substitutes of an ingredient in any spelling, best first; none for an unknown one."""
        return self._bundle.substitutes.of(ingredient, k)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, d) of texts."""
        return self._bundle.encoder.encode(texts)

    def _rank_products(
        self, product: ProductFacts, relation: Relation, target: Target, k: int
    ) -> list[ProductNeighbour]:
        return self._offered(self._best(self._space.products([product]), relation, k, target)[0])

    def _best(
        self, queries: ProductMatrix, relation: Relation, k: int, target: Target | None = None
    ) -> list[list[Offer]]:
        """The best products for each query, of the release and new since."""
        lists = [
            offered.best(self._rankers[relation], queries, k, target)
            for offered in (self._released, self._new)
            if offered
        ]
        return [merged(chain(*each), k) for each in zip(*lists, strict=True)]

    def _recipe_products_with_new(self, row: int, new: OfferedProducts, k: int) -> list[ProductNeighbour] | None:
        """Products for the recipe at ``row``, ranked as the build does; None without any of the ``new`` ones."""
        importance = self._bundle.relations.recipes.importance[[row]]
        texts = [self.names[name] for name in importance.indices]
        queries = self._space.products([as_product(name, name, name) for name in texts])
        relation, count = Relation.INGREDIENT_PRODUCTS, PRODUCTS_PER_INGREDIENT
        if not any(new.best(self._rankers[relation], queries, count)):
            return None
        offers = dict(zip(importance.indices.tolist(), self._best(queries, relation, count), strict=True))
        best: dict[ProductRef, Offer] = {}
        for offer, weight in recipe_offers(importance.indices, importance.data, offers.__getitem__):
            best.setdefault(offer.product, offer._replace(score=weight * offer.score))
        return self._offered(list(best.values())[:k])

    def _new_products(self, facts: Sequence[ProductFacts]) -> OfferedProducts | None:
        return OfferedProducts(tuple(each.ref for each in facts), self._space.products(facts)) if facts else None

    def _texts_with(self, facts: Sequence[ProductFacts]) -> VectorIndex:
        """The index of titles with those of new products."""
        first = len(self._bundle.products)
        vectors = self.encode([each.text for each in facts])
        return self._bundle.product_texts.add(vectors, np.arange(first, first + len(facts)))

    def _by_text(self, index: VectorIndex, text: str, k: int) -> list[tuple[int, float]]:
        """(row, cosine) of the titles in ``index`` that are nearest to ``text``."""
        if not self._bundle.encoder.understands(text):
            return []
        scores, rows = index.search(self.encode([text]), k)
        return [(row, score) for row, score in zip(rows[0].tolist(), scores[0].tolist(), strict=True) if row >= 0]

    def _nearest(self, numbers: Sequence[int], k: int, known: set[int]) -> list[Neighbour]:
        """The nearest recipes by Word2Vec vector, without the ``known`` ones."""
        query = self._bundle.ingredient_vectors[list(numbers)].sum(axis=0, keepdims=True)
        if k <= 0 or not query.any():
            return []
        query /= np.linalg.norm(query)
        scores, rows = self._bundle.recipe_index.search(query, k + len(known))
        found = zip(rows[0].tolist(), scores[0].tolist(), strict=True)
        pairs = ((int(self.recipe_ids[row]), score) for row, score in found if row >= 0)
        return [Neighbour(recipe_id, score, SIMILAR) for recipe_id, score in pairs if recipe_id not in known][:k]

    def _contains(self, row: int, numbers: Sequence[int]) -> str:
        """The reason of a recipe: which of the given ingredients it contains."""
        basket = set(self._bundle.baskets.of_recipe(row).tolist())
        return "contains:" + ",".join(self.names[number] for number in numbers if number in basket)

    def _reason(self, reason: int) -> str:
        return SIMILAR if reason == BY_TEXT else f"contains:{self.names[reason]}"

    def _product_neighbours(self, found: Sequence[tuple[int, float, int]]) -> list[ProductNeighbour]:
        products = self._bundle.products
        return [ProductNeighbour(products[row], score, self._reason(reason)) for row, score, reason in found]

    def _offered(self, offers: Sequence[Offer]) -> list[ProductNeighbour]:
        return [ProductNeighbour(each.product, each.score, self._reason(each.reason)) for each in offers]

    @property
    def _rankers(self) -> Rankers:
        return self._bundle.relations.rankers

    def closest_partner(self, ingredient: str, given: Sequence[str]) -> tuple[str, float] | None:
        """Which of the given ingredients speaks most for another one, and how much, by EASE; None if none does."""
        blend = self._bundle.blend
        numbers = [number for name in given if (number := self._completed_numbers.get(name)) is not None]
        if not numbers:
            return None
        weights = blend.rankers.ease.weights[numbers, self._completed_numbers[ingredient]]
        best = int(np.argmax(weights))
        return (blend.names[numbers[best]], float(weights[best])) if weights[best] > 0 else None

    def title_weights(self, title: str) -> dict[str, float]:
        """The ingredients that a title speaks for, and how much, by EASE: more than a title that says nothing."""
        blend = self._bundle.blend
        nothing = basket_matrix([[], []], len(blend.names))
        titled, always = blend.rankers.title_ease.scores(Cases(nothing, (title, SAYS_NOTHING)))
        return {blend.names[row]: float(titled[row] - always[row]) for row in np.flatnonzero(titled > always).tolist()}

    @cached_property
    def _completed_numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self._bundle.blend.names)}

    @cached_property
    def completed_ingredients(self) -> frozenset[str]:
        """The ingredients that :meth:`complete` knows, by canonical name."""
        return frozenset(self._bundle.blend.names)

    @cached_property
    def _space(self) -> Space:
        return self._bundle.relations.space(self.names, self._bundle.encoder.encode)

    @cached_property
    def _recipe_candidates(self) -> ProductRecipes:
        return ProductRecipes(self._bundle.relations.recipes, IndexKind.FLAT)

    @cached_property
    def _recipe_rows(self) -> dict[int, int]:
        return {recipe_id: row for row, recipe_id in enumerate(self.recipe_ids.tolist())}

    @cached_property
    def _recipes_by_ingredient(self) -> list[NDArray[np.int32]]:
        return self._bundle.baskets.recipes_by_ingredient(len(self.names))

    @cached_property
    def _idf(self) -> NDArray[np.float32]:
        return self._bundle.baskets.idf(len(self.names))
