"""The mall's catalog, read from the service database into memory."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, func, select

from recommender.product_ref import KOK, ProductRef
from recommender.relations.facts import ProductFacts
from recommender.search.documents import Document
from recommender.search.index import Knows, SearchIndex
from recommender.search.texts import normal
from recommender.search.weights import load_weights
from serving.catalog.ingredient_names import read_synonyms
from serving.catalog.products import product_facts, read_product_ingredients, read_product_tokens
from serving.catalog.search import Found, empty_index
from serving.web.fragments import Fragments
from sql.service.catalog import KokPrice, KokProduct, ProductItem


class KokItem(NamedTuple):
    """A mall product with its latest price; ``price`` is None when unknown, and ``price_kind`` says why.

    Listings of the same item share an ``item_id``, which is None until the listing has been linked. ``facts``: what its
    title was understood as.
    """

    ref: ProductRef
    name: str
    store: str
    thumbnail: str | None
    list_price: int | None
    price: int | None
    price_kind: str
    discount_rate: int
    review_count: int
    review_score: float
    listed: bool
    is_food: bool
    is_ingredient: bool
    ingredients: tuple[str, ...]
    item_id: str | None
    facts: ProductFacts


@dataclass(frozen=True)
class KokCatalog:
    """Mall products by id, the listed ones in the orders that the frontend asks for, and their text index.

    Each order holds one listing of an item, the one that ranks first in that order.
    """

    items: dict[int, KokItem] = field(default_factory=dict)
    by_reviews: tuple[KokItem, ...] = ()
    by_rating: tuple[KokItem, ...] = ()
    discounted: tuple[KokItem, ...] = ()
    by_ingredient: dict[str, tuple[KokItem, ...]] = field(default_factory=dict)
    searchable: tuple[KokItem, ...] = ()
    index: SearchIndex = field(default_factory=lambda: empty_index("products"))
    fragments: Fragments = field(default_factory=dict)

    def search(self, keyword: str, knows: Knows) -> Found[KokItem]:
        """Listed products that match, best first, one listing of each item."""
        answer = self.index.find(keyword, knows)
        items = one_listing_per_item(self.searchable[position] for position in answer.positions)
        return Found(list(items), answer.did_you_mean)

    def named(self, ingredient: str) -> Iterator[KokItem]:
        """Listed food whose name has a word that ends with an ingredient, best first.

        The end of a Korean word is its head: 감자전분 is 전분, but 대파김치 is not 대파. A match right after a digit
        does not count (8가지 is not 가지), and an ingredient of one syllable must be a whole word.
        """
        name = re.escape(normal(ingredient)).replace(r"\ ", r"\s*")
        before = r"(?<!\w)" if len(ingredient) == 1 else r"(?<!\d)"
        pattern = re.compile(rf"{before}{name}(?![^\W\d])")
        return (item for item in self.searchable if item.is_food and pattern.search(normal(item.name)))


def load_kok(conn: Connection) -> KokCatalog:
    """Read the mall's catalog."""
    ingredients = read_product_ingredients(conn, (KOK,))
    tokens = read_product_tokens(conn, (KOK,))
    items = [_item(row, ingredients, tokens) for row in conn.execute(_products())]
    listed = [item for item in items if item.listed]
    by_reviews = sorted(listed, key=lambda item: (-item.review_count, -item.review_score, item.ref))
    by_rating = sorted(listed, key=lambda item: (-item.review_score, -item.review_count, item.ref))
    by_discount = sorted((item for item in by_reviews if item.discount_rate > 0), key=lambda item: -item.discount_rate)
    documents = (_document(item, tokens.get(item.ref, "")) for item in by_reviews)
    return KokCatalog(
        items={item.ref.product_id: item for item in items},
        by_reviews=tuple(one_listing_per_item(by_reviews)),
        by_rating=tuple(one_listing_per_item(by_rating)),
        discounted=tuple(one_listing_per_item(by_discount)),
        by_ingredient=_by_ingredient(by_reviews),
        searchable=tuple(by_reviews),
        index=SearchIndex(documents, load_weights("products"), read_synonyms(conn)),
    )


def one_listing_per_item(listings: Iterable[KokItem]) -> Iterator[KokItem]:
    """Keep the first listing of each item, and every listing that has not been linked to an item."""
    seen: set[str] = set()
    for listing in listings:
        if listing.item_id is None:
            yield listing
        elif listing.item_id not in seen:
            seen.add(listing.item_id)
            yield listing


def _products() -> Select[*tuple[Any, ...]]:
    newest = select(KokPrice.kok_product_id, func.max(KokPrice.observed_at).label("observed_at"))
    latest = newest.group_by(KokPrice.kok_product_id).subquery()
    price = and_(KokPrice.kok_product_id == latest.c.kok_product_id, KokPrice.observed_at == latest.c.observed_at)
    item = and_(ProductItem.source == KOK, ProductItem.source_product_id == KokProduct.kok_product_id)
    return (
        select(KokProduct.__table__, KokPrice.price, KokPrice.price_kind, KokPrice.discount_rate, ProductItem.item_id)
        .outerjoin(latest, latest.c.kok_product_id == KokProduct.kok_product_id)
        .outerjoin(KokPrice, price)
        .outerjoin(ProductItem, item)
    )


def _item(row: Row[Any], ingredients: dict[ProductRef, tuple[str, ...]], tokens: dict[ProductRef, str]) -> KokItem:
    ref = ProductRef(KOK, row.kok_product_id)
    return KokItem(
        ref=ref,
        name=row.product_name,
        store=row.store_name,
        thumbnail=row.thumbnail_url,
        list_price=row.list_price,
        price=row.price,
        price_kind=row.price_kind or "unknown",
        discount_rate=row.discount_rate or 0,
        review_count=row.review_count or 0,
        review_score=row.review_score or 0.0,
        listed=row.vanished_at is None,
        is_food=row.is_food,
        is_ingredient=row.is_ingredient,
        ingredients=ingredients.get(ref, ()),
        item_id=row.item_id,
        facts=product_facts(row, ref, ingredients, tokens, row.review_count or 0),
    )


def _document(item: KokItem, tokens: str) -> Document:
    return Document(
        title=item.name,
        store=item.store,
        tokens=tokens,
        ingredients=item.ingredients,
        is_food=item.is_food,
        is_ingredient=item.is_ingredient,
        popularity=item.review_count,
    )


def _by_ingredient(items: Iterable[KokItem]) -> dict[str, tuple[KokItem, ...]]:
    """Group products by ingredient: first those whose main ingredient it is, raw ingredients before dishes."""
    groups: dict[str, list[tuple[bool, bool, KokItem]]] = defaultdict(list)
    for item in items:
        for position, name in enumerate(dict.fromkeys(item.ingredients)):
            groups[name].append((position > 0, not item.is_ingredient, item))
    return {
        name: tuple(one_listing_per_item(entry[2] for entry in sorted(rows, key=lambda r: r[:2])))
        for name, rows in groups.items()
    }
