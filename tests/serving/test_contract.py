"""Every path, field and type that the frontend relies on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.testclient import TestClient

from serving.gateway.main import app
from tests.serving.conftest import Person
from tests.serving.small import BIG_ID

NULL = type(None)
TEXT_OR_NULL = (str, NULL)
INT_OR_NULL = (int, NULL)

Shape = Any

CARD = {
    "kok_product_id": int,
    "kok_thumbnail": TEXT_OR_NULL,
    "kok_discount_rate": int,
    "kok_discounted_price": int,
    "kok_product_name": str,
    "kok_store_name": str,
    "kok_review_cnt": int,
    "kok_review_score": float,
}
SLOT = {
    "live_id": int,
    "product_id": int,
    "product_name": str,
    "thumb_img_url": str,
    "live_date": str,
    "live_start_time": str,
    "live_end_time": str,
    "sale_price": int,
    "dc_price": int,
    "dc_rate": int,
}
SCHEDULED = SLOT | {
    "homeshopping_id": int,
    "homeshopping_name": str,
    "homeshopping_channel": int,
    "promotion_type": str,
}
PROVENANCE = {"release_version": TEXT_OR_NULL, "source": TEXT_OR_NULL, "fallback": bool}
RECIPE = {
    "recipe_id": int,
    "recipe_title": str,
    "cooking_name": TEXT_OR_NULL,
    "scrap_count": int,
    "cooking_case_name": TEXT_OR_NULL,
    "cooking_category_name": TEXT_OR_NULL,
    "cooking_introduction": TEXT_OR_NULL,
    "number_of_serving": TEXT_OR_NULL,
    "thumbnail_url": TEXT_OR_NULL,
    "recipe_url": str,
}
KOK_HISTORY = {"kok_history_id": int, "user_id": int, "kok_keyword": str, "kok_searched_at": str}
HS_HISTORY = {
    "homeshopping_history_id": int,
    "user_id": int,
    "homeshopping_keyword": str,
    "homeshopping_searched_at": str,
}


@dataclass(frozen=True)
class Case:
    method: str
    path: str
    shape: Shape
    status: int = 200
    login: bool = False
    send: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case(
        "GET",
        "/api/user/signup/email/check?email=new@example.com",
        {"email": str, "is_duplicate": bool, "message": str},
    ),
    Case("GET", "/api/user/info", {"user_id": int, "email": str, "username": str, "created_at": str}, login=True),
    Case(
        "POST",
        "/api/log/user/activity",
        {"message": str, "user_id": int, "action": str, "path": str, "label": str, "logged": bool},
        status=201,
        login=True,
        send={"json": {"action": "navigation_click", "path": "/kok", "label": "콕 쇼핑몰"}},
    ),
    Case("GET", "/api/homeshopping/schedule", {"schedules": [SCHEDULED]}),
    Case("GET", "/api/homeshopping/schedule?live_date=2025-08-06&page=1&size=20", {"schedules": [SCHEDULED]}),
    Case(
        "GET",
        "/api/homeshopping/product/1",
        {
            "product": SLOT
            | {
                "store_name": TEXT_OR_NULL,
                "is_liked": bool,
                "homeshopping_id": int,
                "homeshopping_name": str,
                "homeshopping_channel": int,
                "homeshopping_channel_name": str,
                "homeshopping_channel_image": str,
            },
            "detail_infos": list,
            "images": list,
        },
    ),
    Case(
        "GET",
        f"/api/homeshopping/product/{BIG_ID}/kok-recommend",
        PROVENANCE
        | {
            "products": [
                {
                    "kok_product_id": int,
                    "kok_thumbnail": TEXT_OR_NULL,
                    "kok_discount_rate": int,
                    "kok_discounted_price": int,
                    "kok_product_name": str,
                    "kok_store_name": str,
                    "reason": str,
                }
            ]
        },
    ),
    Case("GET", f"/api/homeshopping/product/{BIG_ID}/check", {"is_ingredient": bool}),
    Case(
        "GET",
        f"/api/homeshopping/product/{BIG_ID}/recipe-recommend",
        PROVENANCE
        | {
            "recipes": [
                {
                    "recipe_id": int,
                    "recipe_name": str,
                    "scrap_count": int,
                    "ingredients": [str],
                    "description": str,
                    "recipe_image_url": TEXT_OR_NULL,
                    "number_of_serving": TEXT_OR_NULL,
                    "reason": str,
                }
            ],
            "is_ingredient": bool,
            "extracted_keywords": [str],
        },
    ),
    Case(
        "GET",
        "/api/homeshopping/search?keyword=돼지고기&page=1&size=20",
        {"total": int, "page": int, "size": int, "products": [SLOT | {"store_name": TEXT_OR_NULL}]},
    ),
    Case("POST", "/api/homeshopping/search/history", HS_HISTORY, login=True, send={"json": {"keyword": "김치"}}),
    Case("GET", "/api/homeshopping/search/history?limit=20", {"history": list}, login=True),
    Case("GET", "/api/kok/discounted?page=1&size=100&use_cache=true", {"products": [CARD]}),
    Case("GET", "/api/kok/top-selling?sort_by=rating", {"products": [CARD]}),
    Case("GET", "/api/kok/store-best-items?sort_by=review_count", {"products": [CARD]}),
    Case(
        "GET",
        "/api/kok/product/101/info",
        {
            "kok_product_id": int,
            "kok_product_name": str,
            "kok_store_name": str,
            "kok_thumbnail": str,
            "kok_product_price": int,
            "kok_discount_rate": int,
            "kok_discounted_price": int,
            "kok_review_cnt": int,
            "is_liked": bool,
        },
    ),
    Case(
        "GET",
        "/api/kok/search?keyword=돼지고기",
        {"total": int, "page": int, "size": int, "products": [CARD | {"kok_product_price": int}]},
    ),
    Case(
        "POST",
        "/api/kok/search/history",
        {"message": str, "saved": KOK_HISTORY},
        login=True,
        send={"json": {"keyword": "감자"}},
    ),
    Case("GET", "/api/kok/search/history?limit=10", {"history": list}, login=True),
    Case(
        "GET",
        "/api/recipes/by-ingredients?ingredient=감자&ingredient=양파&ingredient=돼지고기"
        "&amount=100&amount=2&amount=300&unit=g&unit=개&unit=g&page=1&size=5",
        {
            "recipes": [
                RECIPE
                | {
                    "matched_ingredient_count": int,
                    "total_ingredients_count": int,
                    "used_ingredients": [
                        {"material_name": str, "measure_amount": (float, NULL), "measure_unit": TEXT_OR_NULL}
                    ],
                }
            ],
            "page": int,
            "total": int,
            "combination_number": int,
            "has_more_combinations": bool,
        },
        login=True,
    ),
    Case(
        "GET",
        "/api/recipes/search?recipe=감자&page=1&size=15&method=recipe",
        {"recipes": [RECIPE], "page": int, "total": int},
        login=True,
    ),
    Case(
        "GET",
        "/api/recipes/search?recipe=감자,양파&method=ingredient",
        {"recipes": [RECIPE], "page": int, "total": int},
        login=True,
    ),
    Case(
        "GET",
        "/api/recipes/9002",
        RECIPE
        | {
            "materials": [
                {
                    "material_id": int,
                    "recipe_id": int,
                    "material_name": str,
                    "measure_amount": TEXT_OR_NULL,
                    "measure_unit": TEXT_OR_NULL,
                    "details": TEXT_OR_NULL,
                }
            ]
        },
        login=True,
    ),
    Case("GET", "/api/recipes/9002/url", {"url": str}, login=True),
    Case("GET", "/api/recipes/9002/rating", {"recipe_id": int, "rating": float}, login=True),
    Case(
        "POST",
        "/api/recipes/9002/rating",
        {"recipe_id": int, "rating": float},
        login=True,
        send={"json": {"rating": 4}},
    ),
    Case(
        "GET",
        "/api/recipes/감자/product-recommend",
        {
            "ingredient": str,
            "recommendations": [
                {
                    "source": str,
                    "name": str,
                    "live_id": INT_OR_NULL,
                    "kok_product_id": INT_OR_NULL,
                    "thumb_img_url": TEXT_OR_NULL,
                    "image_url": TEXT_OR_NULL,
                    "brand_name": TEXT_OR_NULL,
                    "price": INT_OR_NULL,
                    "homeshopping_id": INT_OR_NULL,
                    "kok_discount_rate": INT_OR_NULL,
                    "kok_review_cnt": INT_OR_NULL,
                    "kok_review_score": (float, NULL),
                    "dc_rate": INT_OR_NULL,
                }
            ],
            "total_count": int,
        },
        login=True,
    ),
    Case("GET", "/api/recommend/product/kok/101/recipes", PROVENANCE | {"recipes": list}),
    Case("GET", "/api/recommend/release", {"version": TEXT_OR_NULL, "built_at": TEXT_OR_NULL, "problem": TEXT_OR_NULL}),
    Case("GET", "/api/health", {"status": str, "service": str, "version": str, "timestamp": str}),
    Case("GET", "/healthz", {"status": str}),
    Case("GET", "/readyz", {"status": str, "dependencies": dict, "release": TEXT_OR_NULL}),
)


def mismatches(value: object, shape: Shape, where: str = "body") -> list[str]:
    """What in ``value`` is not as ``shape`` says; fields beyond it are fine."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is no object"]
        missing = [f"{where}.{name} is missing" for name in shape if name not in value]
        return missing + [
            m for name, s in shape.items() if name in value for m in mismatches(value[name], s, f"{where}.{name}")
        ]
    if isinstance(shape, list):
        if not isinstance(value, list) or not value:
            return [f"{where}: {value!r} is no list with something in it"]
        return [m for n, item in enumerate(value) for m in mismatches(item, shape[0], f"{where}[{n}]")]
    kinds = shape if isinstance(shape, tuple) else (shape,)
    fits = type(value) in kinds or (float in kinds and type(value) is int)
    return [] if fits else [f"{where}: {value!r} is none of {kinds}"]


def test_answers_have_the_fields_and_types_that_the_frontend_needs(client: TestClient, person: Person) -> None:
    wrong: list[str] = []
    for case in CASES:
        headers = person.headers if case.login else {}
        answer = client.request(case.method, case.path, headers=headers, **case.send)
        found = [answer.text] if answer.status_code != case.status else mismatches(answer.json(), case.shape)
        assert answer.headers["content-type"] == "application/json"
        wrong += [f"{case.method} {case.path}: {problem}" for problem in found]
    assert wrong == []


def test_routes_that_need_a_login_answer_401_without_one(client: TestClient) -> None:
    for case in CASES:
        if case.login:
            answer = client.request(case.method, case.path, **case.send)
            assert answer.status_code == 401, case.path
            assert isinstance(answer.json()["detail"], str)


def test_errors_have_fastapis_shape(client: TestClient) -> None:
    missing = client.get("/api/kok/product/999999/info")
    assert (missing.status_code, missing.json()) == (404, {"detail": "KOK product 999999 not found"})
    invalid = client.get("/api/kok/discounted?page=0")
    assert invalid.status_code == 422
    assert invalid.json()["detail"][0].keys() == {"type", "loc", "msg", "input"}
    assert client.get("/api/orders/count").json() == {"detail": "Not Found"}


def test_routes_that_are_not_ours_answer_404(client: TestClient) -> None:
    paths = (
        "/api/kok/carts",
        "/api/kok/likes",
        "/api/homeshopping/likes",
        "/api/orders/recent",
        "/api/users/refresh-token",
    )
    assert {client.get(path).status_code for path in paths} == {404}


def test_openapi_describes_every_route_with_its_parameters_and_answer(start: Callable[[], TestClient]) -> None:
    spec = app.openapi()
    for case in CASES:
        path = _documented_path(spec, case)
        operation = spec["paths"][path][case.method.lower()]
        assert operation["description"]
        answers = operation["responses"][str(case.status)]["content"]["application/json"]["schema"]
        assert answers, f"{path} documents no answer"
    schedule = spec["paths"]["/api/homeshopping/schedule"]["get"]
    assert {parameter["name"] for parameter in schedule["parameters"]} == {"live_date", "page", "size"}


def _documented_path(spec: dict[str, Any], case: Case) -> str:
    parts = case.path.split("?")[0].split("/")
    for path in spec["paths"]:
        pattern = path.split("/")
        if len(pattern) == len(parts) and all(
            p in (part, f"{{{p[1:-1]}}}") for p, part in zip(pattern, parts, strict=True)
        ):
            return str(path)
    raise AssertionError(f"{case.path} is not documented")
