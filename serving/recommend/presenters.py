"""Build the bodies of the recommendation routes."""

from datetime import datetime

import orjson

from recommender.rankers.substitute import Substitute as RankedSubstitute
from serving.catalog.broadcasts import Show
from serving.catalog.ingredient_names import Completion
from serving.catalog.mall import KokItem
from serving.catalog.recipes import Recipe
from serving.recommend.schemas import (
    Complements,
    IngredientSuggestion,
    IngredientSuggestions,
    ProductFields,
    Substitute,
    Substitutes,
)
from serving.recommendations.asked_ingredients import AskedIngredient, AskedIngredients
from serving.recommendations.offers import Offer
from serving.recommendations.presenters import complement_rows, item_provenance, provenance
from serving.recommendations.stages import Recommendation, RecommendedItem
from serving.runtime.snapshot import Snapshot
from serving.web.fragments import extended, fragment, listed
from serving.web.money import shown_price


def recipes_body(picked: Recommendation[Recipe]) -> bytes:
    """:class:`~serving.recommend.schemas.RecommendedRecipes` as JSON."""
    rows = [
        {
            "recipe_id": entry.item.recipe_id,
            "recipe_title": entry.item.title,
            **item_provenance(entry, picked.release_version),
        }
        for entry in picked.items
    ]
    return orjson.dumps({"recipes": rows, **provenance(picked)})


def products_body(snapshot: Snapshot, picked: Recommendation[Offer], now: datetime) -> bytes:
    """:class:`~serving.recommend.schemas.RecommendedProducts` as JSON. What time does not change is encoded once."""
    rows = (
        extended(
            _fields_of(snapshot, entry.item),
            {"on_air": _on_air(entry.item, now), **item_provenance(entry, picked.release_version)},
        )
        for entry in picked.items
    )
    return extended(b'{"products":' + listed(rows) + b"}", provenance(picked))


def found_body(
    snapshot: Snapshot,
    recipes: Recommendation[Recipe],
    products: Recommendation[Offer],
    now: datetime,
    did_you_mean: str | None,
) -> bytes:
    """:class:`~serving.recommend.schemas.Found` as JSON."""
    parts = recipes_body(recipes), products_body(snapshot, products, now), orjson.dumps(did_you_mean)
    return b'{"recipes":%b,"products":%b,"did_you_mean":%b}' % parts


def suggestions(found: Completion) -> IngredientSuggestions:
    """Ingredients that complete a prefix."""
    rows = [IngredientSuggestion(ingredient=each.name, recipe_count=each.recipe_count) for each in found.suggestions]
    return IngredientSuggestions(suggestions=rows, did_you_mean=found.did_you_mean)


def substitutes(asked: AskedIngredient, picked: Recommendation[RankedSubstitute]) -> Substitutes:
    """Substitutes for an ingredient."""
    rows = [
        Substitute(
            ingredient=entry.item.name,
            score=entry.item.score,
            relation=entry.item.relation,
            **item_provenance(entry, picked.release_version),
        )
        for entry in picked.items
    ]
    return Substitutes(ingredient=asked.name, substitutes=rows, did_you_mean=asked.did_you_mean, **provenance(picked))


def substitute_names(picked: Recommendation[RankedSubstitute]) -> Recommendation[str]:
    """The names of substitutes, as events have them."""
    items = (RecommendedItem(entry.item.name, entry.reason, entry.stage, entry.score) for entry in picked.items)
    return Recommendation(tuple(items), picked.stage, picked.release_version)


def complements(asked: AskedIngredients, title: str, found: Recommendation[str]) -> Complements:
    """Ingredients that go with others."""
    return Complements(
        ingredients=list(asked.names),
        unknown=list(asked.unknown),
        title=title,
        complements=complement_rows(found),
        did_you_mean=asked.did_you_mean,
        **provenance(found),
    )


def _fields_of(snapshot: Snapshot, offer: Offer) -> bytes:
    if isinstance(offer, Show):
        return fragment(snapshot.schedule.fragments, "offer", offer.live_id, _show_fields, offer)
    return fragment(snapshot.kok.fragments, "offer", offer.ref.product_id, _mall_fields, offer)


def _on_air(offer: Offer, now: datetime) -> bool:
    return isinstance(offer, Show) and offer.starts_at <= now < offer.ends_at


def _show_fields(show: Show) -> ProductFields:
    price, product = shown_price(show.list_price, show.price, show.price_kind, show.discount_rate), show.product
    return ProductFields(
        product_source=product.ref.source,
        product_id=product.ref.product_id,
        product_name=product.name,
        store_name=product.store or show.station.name,
        thumb_img_url=product.thumbnail or None,
        sale_price=price.sale,
        dc_price=price.dc,
        dc_rate=price.rate,
        price_kind=price.kind,
        live_id=show.live_id,
        live_date=show.day,
        live_start_time=show.start_time,
        live_end_time=show.end_time,
    )


def _mall_fields(item: KokItem) -> ProductFields:
    price = shown_price(item.list_price, item.price, item.price_kind, item.discount_rate or None)
    return ProductFields(
        product_source=item.ref.source,
        product_id=item.ref.product_id,
        product_name=item.name,
        store_name=item.store,
        thumb_img_url=item.thumbnail,
        sale_price=price.sale,
        dc_price=price.dc,
        dc_rate=price.rate,
        price_kind=price.kind,
        live_id=None,
        live_date=None,
        live_start_time=None,
        live_end_time=None,
    )
