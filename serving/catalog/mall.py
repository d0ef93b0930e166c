"""The mall's catalog, read from the service database into memory."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, func, select

from recommender.search.index import Knows, TextIndex, normal
from serving.web.fragments import Fragments
from sql.service.catalog import KokPrice, KokProduct, ProductIngredient, ProductItem, SearchDocument
from sql.service.pages import KokReview, KokSeller, ProductDetail, ProductImage
from sql.service.recipes import Ingredient, IngredientSynonym

SOURCE: Final = "kok"
# A page of the mall shows ten; the table keeps all that any page ever showed.
NEWEST_REVIEWS = 100


class KokItem(NamedTuple):
    """A product with its latest price; ``price`` is None when unknown, and ``price_kind`` says why.

    Listings of the same goods share an ``item_id``; None where they were not compared yet.
    """

    product_id: int
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


@dataclass(frozen=True)
class KokCatalog:
    """Products by id, the listed ones in the orders that the frontend asks for, and their text index.

    Of several listings of the same goods an order holds the one that comes first in it.
    """

    items: dict[int, KokItem] = field(default_factory=dict)
    by_reviews: tuple[KokItem, ...] = ()
    by_rating: tuple[KokItem, ...] = ()
    discounted: tuple[KokItem, ...] = ()
    by_ingredient: dict[str, tuple[KokItem, ...]] = field(default_factory=dict)
    searchable: tuple[KokItem, ...] = ()
    index: TextIndex = field(default_factory=lambda: TextIndex(()))
    fragments: Fragments = field(default_factory=dict)

    def search(self, keyword: str, knows: Knows) -> list[KokItem]:
        """Listed products that match, best first; of listings of the same goods the best that matches."""
        return list(one_of_each_item(self.searchable[position] for position in self.index.find(keyword, knows)))

    def named(self, ingredient: str) -> Iterator[KokItem]:
        """Listed food that is called an ingredient, best first.

        A word of its name ends with it, which is what the word is about: 감자전분 is 전분, but 대파김치 is no 대파 and
        8가지 no 가지. One syllable has to be a word.
        """
        name = re.escape(normal(ingredient)).replace(r"\ ", r"\s*")
        before = r"(?<!\w)" if len(ingredient) == 1 else r"(?<!\d)"
        called = re.compile(rf"{before}{name}(?![^\W\d])")
        return (item for item in self.searchable if item.is_food and called.search(normal(item.name)))


def load_kok(conn: Connection) -> KokCatalog:
    """Read the mall's catalog."""
    ingredients = product_ingredients(conn, (SOURCE,))
    items = [_item(row, ingredients.get((SOURCE, row.kok_product_id), ())) for row in conn.execute(_products())]
    listed = [item for item in items if item.listed]
    by_reviews = sorted(listed, key=lambda item: (-item.review_count, -item.review_score, item.product_id))
    by_rating = sorted(listed, key=lambda item: (-item.review_score, -item.review_count, item.product_id))
    by_discount = sorted((item for item in by_reviews if item.discount_rate > 0), key=lambda item: -item.discount_rate)
    tokens = search_tokens(conn, (SOURCE,))
    return KokCatalog(
        items={item.product_id: item for item in items},
        by_reviews=tuple(one_of_each_item(by_reviews)),
        by_rating=tuple(one_of_each_item(by_rating)),
        discounted=tuple(one_of_each_item(by_discount)),
        by_ingredient=_by_ingredient(by_reviews),
        searchable=tuple(by_reviews),
        index=TextIndex(
            ((f"{i.store} {i.name}", tokens.get((SOURCE, i.product_id), "")) for i in by_reviews), read_synonyms(conn)
        ),
    )


def one_of_each_item(listings: Iterable[KokItem]) -> Iterator[KokItem]:
    """The first of all listings of the same goods, in the order given."""
    seen: set[str] = set()
    for listing in listings:
        if listing.item_id is None:
            yield listing
        elif listing.item_id not in seen:
            seen.add(listing.item_id)
            yield listing


def read_images(conn: Connection, product_id: int) -> list[str]:
    """Addresses of the images of a product's description, in order."""
    mine = (ProductImage.source == SOURCE, ProductImage.source_product_id == product_id)
    return list(conn.scalars(select(ProductImage.image_url).where(*mine).order_by(ProductImage.position)))


def read_reviews(conn: Connection, product_id: int) -> tuple[Row[Any] | None, list[Row[Any]]]:
    """The row of a product, None for an unknown one, and those of its newest reviews, newest first."""
    product = conn.execute(select(KokProduct.__table__).where(KokProduct.kok_product_id == product_id)).first()
    # Where a review without a day goes is otherwise up to the engine.
    newest = (KokReview.written_on.is_(None), KokReview.written_on.desc(), KokReview.review_id.desc())
    reviews = select(KokReview.__table__).where(KokReview.kok_product_id == product_id).order_by(*newest)
    return product, list(conn.execute(reviews.limit(NEWEST_REVIEWS)))


def read_seller(conn: Connection, product_id: int) -> tuple[Row[Any] | None, list[tuple[str, str]]]:
    """The seller of a product, None where its page was not read, and its facts by name and value."""
    seller = conn.execute(select(KokSeller.__table__).where(KokSeller.kok_product_id == product_id)).first()
    mine = (ProductDetail.source == SOURCE, ProductDetail.source_product_id == product_id)
    facts = select(ProductDetail.name, ProductDetail.value).where(*mine).order_by(ProductDetail.position)
    return seller, [(row.name, row.value) for row in conn.execute(facts)]


def product_ingredients(conn: Connection, sources: Iterable[str]) -> dict[tuple[str, int], tuple[str, ...]]:
    """Ingredient names that titles were resolved to by (source, product id), the main one first."""
    query = (
        select(ProductIngredient.source, ProductIngredient.source_product_id, Ingredient.name)
        .join(Ingredient, Ingredient.ingredient_id == ProductIngredient.ingredient_id)
        .where(ProductIngredient.source.in_(tuple(sources)))
        .order_by(ProductIngredient.source, ProductIngredient.source_product_id, ProductIngredient.position)
    )
    found: dict[tuple[str, int], tuple[str, ...]] = defaultdict(tuple)
    for source, product_id, name in conn.execute(query):
        found[(source, product_id)] += (name,)
    return dict(found)


def search_tokens(conn: Connection, sources: Iterable[str]) -> dict[tuple[str, int], str]:
    """Search tokens by (source, document id)."""
    query = select(SearchDocument.source, SearchDocument.document_id, SearchDocument.tokens)
    rows = conn.execute(query.where(SearchDocument.source.in_(tuple(sources))))
    return {(source, document_id): tokens for source, document_id, tokens in rows}


def read_synonyms(conn: Connection) -> dict[str, str]:
    """Canonical ingredient names by the other spellings of them."""
    query = select(IngredientSynonym.variant, Ingredient.name)
    named = query.join(Ingredient, Ingredient.ingredient_id == IngredientSynonym.ingredient_id)
    return dict(conn.execute(named).all())


def _products() -> Select[*tuple[Any, ...]]:
    newest = select(KokPrice.kok_product_id, func.max(KokPrice.observed_at).label("observed_at"))
    latest = newest.group_by(KokPrice.kok_product_id).subquery()
    price = and_(KokPrice.kok_product_id == latest.c.kok_product_id, KokPrice.observed_at == latest.c.observed_at)
    item = and_(ProductItem.source == SOURCE, ProductItem.source_product_id == KokProduct.kok_product_id)
    return (
        select(KokProduct.__table__, KokPrice.price, KokPrice.price_kind, KokPrice.discount_rate, ProductItem.item_id)
        .outerjoin(latest, latest.c.kok_product_id == KokProduct.kok_product_id)
        .outerjoin(KokPrice, price)
        .outerjoin(ProductItem, item)
    )


def _item(row: Row[Any], ingredients: tuple[str, ...]) -> KokItem:
    return KokItem(
        product_id=row.kok_product_id,
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
        ingredients=ingredients,
        item_id=row.item_id,
    )


def _by_ingredient(items: Iterable[KokItem]) -> dict[str, tuple[KokItem, ...]]:
    """Products by ingredient, those first whose main ingredient it is, then ingredients before dishes."""
    found: dict[str, list[tuple[bool, bool, KokItem]]] = defaultdict(list)
    for item in items:
        for position, name in enumerate(dict.fromkeys(item.ingredients)):
            found[name].append((position > 0, not item.is_ingredient, item))
    return {
        name: tuple(one_of_each_item(entry[2] for entry in sorted(rows, key=lambda r: r[:2])))
        for name, rows in found.items()
    }
