"""Event types: each has a payload, and the payloads say what anonymised events keep."""

import json

import pytest
from pydantic import ValidationError, create_model

from sql.warehouse.event_types import (
    NOT_RECORDED,
    PAYLOADS,
    EventType,
    HomeshoppingKokRecommendation,
    Impression,
    RecipeRatingCreate,
    ResultCount,
    item_fields,
    preserved_fields,
)

# What the earlier backend recorded, which analysts know.
EARLIER = [
    "user_signup",
    "user_email_duplicate_check",
    "user_login",
    "user_logout",
    "user_info_view",
    "homeshopping_schedule_view",
    "homeshopping_product_detail_view",
    "homeshopping_search",
    "homeshopping_search_history_save",
    "homeshopping_search_history_view",
    "homeshopping_search_history_delete",
    "homeshopping_recipe_recommendation",
    "homeshopping_live_stream_view",
    "homeshopping_likes_toggle",
    "kok_discounted_products_view",
    "kok_top_selling_products_view",
    "kok_store_best_items_view",
    "kok_product_info_view",
    "kok_product_tabs_view",
    "kok_product_reviews_view",
    "kok_product_details_view",
    "kok_product_search",
    "kok_search_history_view",
    "kok_search_history_save",
    "kok_search_history_delete",
    "kok_homeshopping_recommendation",
    "kok_cart_recipe_recommend",
    "recipe_search_by_ingredients",
    "recipe_search_by_keyword",
    "recipe_detail_view",
    "recipe_url_view",
    "recipe_rating_view",
    "recipe_rating_create",
    "recipe_ingredients_status_view",
    "ingredient_product_recommend",
    "log_write_success",
]


def test_every_type_has_a_described_payload() -> None:
    assert set(PAYLOADS) == set(EventType)
    for event_type in EventType:
        name = "".join(word.capitalize() for word in event_type.split("_"))
        assert event_type.payload.__name__ == name
        assert "`" in (event_type.payload.__doc__ or ""), f"{name} does not say which route records it"


def test_names_of_the_earlier_backend_are_accounted_for() -> None:
    assert set(EARLIER) <= set(EventType) | set(NOT_RECORDED)
    assert set(EventType).isdisjoint(NOT_RECORDED)


def test_anonymised_events_keep_ids_and_positions_only() -> None:
    kept = preserved_fields()
    assert {name for name, field in kept.items() if field.pattern is None} == {
        "recipe_id",
        "recipe_ids",
        "anchor_recipe_id",
        "product_id",
        "product_ids",
        "kok_product_id",
        "kok_product_ids",
        "live_id",
        "live_ids",
        "homeshopping_id",
        "position",
        "positions",
        "rating",
        "result_count",
    }
    assert {name for name, field in kept.items() if field.pattern} == {"release_version", "stage", "product_source"}
    assert item_fields() == {"impressions", "cart"}


def test_a_field_is_personal_in_every_payload_or_in_none() -> None:
    shown, searched = create_model("Shown", keyword=(ResultCount, ...)), create_model("Searched", keyword=(str, ...))
    for models in ([shown, searched], [searched, shown]):
        with pytest.raises(TypeError, match="keyword and the same field of another payload are marked differently"):
            preserved_fields(models)
    assert set(preserved_fields([shown])) == {"keyword"}


def test_payload_omits_fields_that_were_not_given() -> None:
    shown = [Impression(position=1, recipe_id=7, reason="popular")]
    payload = HomeshoppingKokRecommendation(product_id=5, release_version=None, stage=None, impressions=shown)
    assert json.loads(payload.to_json()) == {
        "product_id": 5,
        "release_version": None,
        "stage": None,
        "impressions": [{"position": 1, "recipe_id": 7, "reason": "popular"}],
    }


def test_payload_refuses_unknown_fields() -> None:
    with pytest.raises(ValidationError, match="keyword"):
        RecipeRatingCreate.model_validate({"recipe_id": 1, "rating": 5, "keyword": "감자"})
