"""Contract with the frontend: every path, field and type that it relies on, and the OpenAPI."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from jsonschema_rs import Draft202012Validator
from sqlalchemy import Engine
from starlette.testclient import TestClient

from serving.gateway.main import create_app
from tests.builders.small_catalog import BIG_ID
from tests.serving.conftest import Person, sign_up

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
PROVENANCE = {"release_version": TEXT_OR_NULL, "stage": TEXT_OR_NULL, "fallback": bool}
RECIPE = {
    "recipe_id": int,
    "recipe_title": str,
    "cooking_name": TEXT_OR_NULL,
    "scrap_count": INT_OR_NULL,
    "cooking_case_name": TEXT_OR_NULL,
    "cooking_category_name": TEXT_OR_NULL,
    "cooking_introduction": TEXT_OR_NULL,
    "number_of_serving": TEXT_OR_NULL,
    "thumbnail_url": TEXT_OR_NULL,
    "recipe_url": str,
}
USED = {"material_name": str, "measure_amount": (float, NULL), "measure_unit": TEXT_OR_NULL}
KOK_HISTORY = {"kok_history_id": int, "user_id": int, "kok_keyword": str, "kok_searched_at": str}
HS_HISTORY = {
    "homeshopping_history_id": int,
    "user_id": int,
    "homeshopping_keyword": str,
    "homeshopping_searched_at": str,
}


ITEM = PROVENANCE | {"reason": str}
COMPLEMENT = ITEM | {"ingredient": str}
FOUND_RECIPE = ITEM | {"recipe_id": int, "recipe_title": str}
OFFER = ITEM | {
    "product_source": str,
    "product_id": int,
    "product_name": str,
    "store_name": TEXT_OR_NULL,
    "thumb_img_url": TEXT_OR_NULL,
    "sale_price": int,
    "dc_price": int,
    "dc_rate": int,
    "price_kind": str,
    "live_id": INT_OR_NULL,
    "live_date": TEXT_OR_NULL,
    "live_start_time": TEXT_OR_NULL,
    "live_end_time": TEXT_OR_NULL,
    "on_air": bool,
}
AIRED = ITEM | SLOT | {"store_name": TEXT_OR_NULL, "similarity_score": (float, NULL)}
LOGIN = {"login_id": str, "started_at": str, "last_used_at": str, "device": TEXT_OR_NULL, "is_current": bool}
TOKENS = {"access_token": str, "token_type": str, "refresh_token": str, "expires_in": int}


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
                "homeshopping_channel_image": NULL,
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
                    "scrap_count": INT_OR_NULL,
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
                    "used_ingredients": [USED],
                }
            ],
            "page": int,
            "total": int,
            "combination_number": int,
            "has_more_combinations": bool,
            "complements": [COMPLEMENT],
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
    Case("GET", "/api/homeshopping/on-air", {"channels": list}),
    Case(
        "GET",
        "/api/kok/product/103/tabs",
        {"images": [{"kok_img_id": int, "kok_product_id": int, "kok_img_url": str}]},
    ),
    Case(
        "GET",
        "/api/kok/product/103/reviews",
        {
            "stats": {
                "kok_review_score": float,
                "kok_review_cnt": int,
                **{f"kok_{stars}_ratio": int for stars in (5, 4, 3, 2, 1)},
                **{f"kok_aspect_{aspect}": str for aspect in ("price", "delivery", "taste")},
                **{f"kok_aspect_{aspect}_ratio": int for aspect in ("price", "delivery", "taste")},
            },
            "reviews": [
                {
                    "kok_review_id": int,
                    "kok_product_id": int,
                    "kok_nickname": str,
                    "kok_review_user": str,
                    "kok_review_date": str,
                    "kok_review_score": int,
                    "kok_price_eval": str,
                    "kok_delivery_eval": str,
                    "kok_taste_eval": str,
                    "kok_review_text": str,
                }
            ],
        },
    ),
    Case(
        "GET",
        "/api/kok/product/103/seller-details",
        {
            "seller_info": {
                "kok_co_ceo": str,
                "kok_co_reg_no": str,
                "kok_co_ec_reg": str,
                "kok_tell": str,
                "kok_ver_item": str,
                "kok_ver_date": str,
                "kok_co_addr": str,
                "kok_return_addr": str,
            },
            "detail_info": [{"kok_detail_col": str, "kok_detail_val": str}],
        },
    ),
    Case(
        "GET",
        "/api/kok/product/homeshopping-recommend?k=3",
        {
            "kok_product_id": INT_OR_NULL,
            "kok_product_name": str,
            "recommendations": [AIRED],
            "total_count": int,
            "algorithm_info": dict,
            "product_recommendations": dict,
        },
        login=True,
    ),
    Case(
        "GET",
        f"/api/kok/carts/recipe-recommend?product_ids=101,{BIG_ID}&page=1&size=5",
        {
            "recipes": [
                {
                    "recipe_id": int,
                    "recipe_title": str,
                    "cooking_name": TEXT_OR_NULL,
                    "description": str,
                    "cooking_introduction": TEXT_OR_NULL,
                    "scrap_count": int,
                    "recipe_url": str,
                    "thumbnail_url": TEXT_OR_NULL,
                    "number_of_serving": TEXT_OR_NULL,
                    "ingredients": [str],
                    "matched_ingredient_count": int,
                    "total_ingredients_count": int,
                    "used_ingredients": [USED],
                    "reason": str,
                }
            ],
            "total_count": int,
            "page": int,
            "size": int,
            "total_pages": int,
            "keyword_extraction": [str],
            "complements": [COMPLEMENT],
        },
        login=True,
    ),
    Case(
        "GET",
        "/api/recipes/9002/status",
        {
            "recipe_id": int,
            "user_id": int,
            "ingredients": [{"material_name": str, "status": str, "order_info": NULL, "cart_info": NULL}],
            "summary": {"total_ingredients": int, "owned_count": int, "cart_count": int, "not_owned_count": int},
        },
        login=True,
    ),
    Case("GET", "/api/recommend/product/kok/101/products?target=home_shopping", PROVENANCE | {"products": [OFFER]}),
    Case("GET", "/api/recommend/recipe/9001/products", PROVENANCE | {"products": [OFFER]}),
    Case("GET", "/api/recommend/me/recipes", PROVENANCE | {"recipes": [FOUND_RECIPE]}, login=True),
    Case("GET", "/api/recommend/me/products", PROVENANCE | {"products": [OFFER]}, login=True),
    Case(
        "GET",
        "/api/recommend/search?keyword=감자",
        {"recipes": PROVENANCE | {"recipes": [FOUND_RECIPE]}, "products": PROVENANCE | {"products": [OFFER]}},
    ),
    Case("GET", "/api/recommend/ingredients?prefix=감", {"suggestions": [{"ingredient": str, "recipe_count": int}]}),
    Case(
        "GET",
        "/api/recommend/complete?ingredient=감자",
        PROVENANCE | {"ingredients": [str], "unknown": list, "title": str, "complements": [COMPLEMENT]},
    ),
    Case("GET", "/api/recommend/ingredient/감자/substitutes", PROVENANCE | {"ingredient": str, "substitutes": list}),
    Case(
        "POST",
        "/api/log/user/activity/batch",
        {"message": str, "logged": bool, "count": int, "event_ids": [str]},
        status=201,
        login=True,
        send={"json": {"events": [{"action": "navigation_click"}, {"action": "navigation_click"}]}},
    ),
    Case("GET", "/api/log/user/event", {"service": str, "status": str}),
    Case("GET", "/api/log/user/event/health", {"service": str, "status": str}),
    Case(
        "GET",
        "/api/health/ml",
        {"status": str, "release_version": TEXT_OR_NULL, "problem": TEXT_OR_NULL, "canary": NULL},
    ),
    Case("GET", "/api/health", {"status": str, "service": str, "version": str, "timestamp": str}),
    Case("GET", "/healthz", {"status": str}),
    Case("GET", "/readyz", {"status": str, "dependencies": dict, "release": TEXT_OR_NULL}),
)


def mismatches(value: object, shape: Shape, where: str = "body") -> list[str]:
    """Where ``value`` does not have ``shape``; additional fields are fine."""
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


# Routes whose calls depend on one another; the test below calls them in order.
WALKED = {
    ("POST", "/api/user/signup"),
    ("POST", "/api/user/login"),
    ("POST", "/api/auth/refresh"),
    ("POST", "/api/user/logout"),
    ("DELETE", "/api/user"),
    ("GET", "/api/user/logins"),
    ("GET", "/api/user/export"),
    ("DELETE", "/api/user/logins/{login_id}"),
    ("POST", "/api/user/logout/all"),
    ("POST", "/api/user/password"),
    # These are tested with a mail server.
    ("POST", "/api/user/password/reset"),
    ("POST", "/api/user/password/reset/confirm"),
    ("POST", "/api/user/email/verification"),
    ("POST", "/api/user/email/verification/confirm"),
    ("POST", "/api/log/user/event"),
    ("GET", "/api/log/user/event/{user_id}"),
    ("DELETE", "/api/kok/search/history/{history_id}"),
    ("DELETE", "/api/homeshopping/search/history"),
}


def test_accounts_events_and_histories_answer_as_the_frontend_needs(client: TestClient) -> None:
    wrong: list[str] = []

    def call(method: str, path: str, shape: Shape, status: int = 200, **send: Any) -> Any:
        answer = client.request(method, path, **send)
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        wrong.extend(f"{method} {path}: {problem}" for problem in mismatches(answer.json(), shape))
        return answer.json()

    account = {"email": "someone@example.com", "password": "a right password", "username": "손님"}
    account_shape = {"user_id": int, "email": str, "username": str, "created_at": str, "email_verified": bool}
    user = call("POST", "/api/user/signup", account_shape, 201, json=account)
    form = {"grant_type": "password", "username": account["email"], "password": account["password"], "scope": ""}
    by_form = call("POST", "/api/user/login", TOKENS, data=form)
    call("POST", "/api/user/login", TOKENS, json=account)
    tokens = call("POST", "/api/auth/refresh", TOKENS, json={"refresh_token": by_form["refresh_token"]})
    assert tokens["token_type"] == "bearer"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    event = {"event_id": str, "user_id": int, "event_type": str, "event_data": dict, "created_at": str, "log_id": NULL}
    body = {"user_id": user["user_id"], "event_type": "recipe_detail_view", "event_data": {"recipe_id": 9001}}
    call("POST", "/api/log/user/event", event, 201, json=body, headers=headers)
    call("GET", f"/api/log/user/event/{user['user_id']}", [event], headers=headers)
    message = {"message": str}
    saved = client.post("/api/kok/search/history", json={"keyword": "감자"}, headers=headers).json()["saved"]
    call("DELETE", f"/api/kok/search/history/{saved['kok_history_id']}", message, headers=headers)
    row = client.post("/api/homeshopping/search/history", json={"keyword": "감자"}, headers=headers).json()
    forget = {"homeshopping_history_id": row["homeshopping_history_id"]}
    call("DELETE", "/api/homeshopping/search/history", message, json=forget, headers=headers)
    call("POST", "/api/user/logout", message, headers=headers)
    again = call("POST", "/api/user/login", TOKENS, data=form)
    headers = {"Authorization": f"Bearer {again['access_token']}"}
    logins = call("GET", "/api/user/logins", {"logins": [LOGIN]}, headers=headers)["logins"]
    stored = {"account": {"user_id": int}, "ratings": list, "searches": list, "logins": [dict], "events": list}
    call("GET", "/api/user/export", stored, headers=headers)
    (entry,) = (login for login in logins if login["is_current"])
    new = account | {"password": "another word"}
    change = {"current_password": account["password"], "new_password": new["password"]}
    call("POST", "/api/user/password", message, json=change, headers=headers)
    call("DELETE", f"/api/user/logins/{entry['login_id']}", message, headers=headers)
    for method, path in (("POST", "/api/user/logout/all"), ("DELETE", "/api/user")):
        again = call("POST", "/api/user/login", TOKENS, json=new)
        headers = {"Authorization": f"Bearer {again['access_token']}"}
        call(method, path, message, json={"password": new["password"]}, headers=headers)
    assert wrong == []


def test_every_route_has_its_case() -> None:
    spec = create_app().openapi()
    cases = {(case.method, _documented_path(spec, case)) for case in CASES} | WALKED | {("GET", "/metrics")}
    routes = {(method.upper(), path) for path, operations in spec["paths"].items() for method in operations}
    assert routes - cases == set()


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


def test_an_unsupported_method_is_answered_with_allow(client: TestClient) -> None:
    several = client.put("/api/homeshopping/search/history")
    assert (several.status_code, several.json()) == (405, {"detail": "Method Not Allowed"})
    assert several.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, POST"
    assert client.delete("/api/recipes/9001").headers["allow"] == "GET, HEAD, OPTIONS"


def test_a_proxy_may_put_a_prefix_before_the_paths(client: TestClient, person: Person) -> None:
    behind = TestClient(client.app, root_path="/shop")
    for path in ("/api/homeshopping/on-air", "/api/kok/product/101/info", "/api/recipes/9001", "/api/user/info"):
        direct = client.get(path, headers=person.headers)
        assert direct.status_code == 200
        assert behind.get(f"/shop{path}", headers=person.headers).json() == direct.json()


def test_routes_out_of_scope_answer_404(client: TestClient) -> None:
    paths = (
        "/api/kok/carts",
        "/api/kok/likes",
        "/api/homeshopping/likes",
        "/api/orders/recent",
        "/api/users/refresh-token",
    )
    assert {client.get(path).status_code for path in paths} == {404}


def test_openapi_describes_parameters_and_answer_of_every_route(start: Callable[[], TestClient]) -> None:
    spec = create_app().openapi()
    for case in CASES:
        path = _documented_path(spec, case)
        operation = spec["paths"][path][case.method.lower()]
        assert operation["description"]
        answers = operation["responses"][str(case.status)]["content"]["application/json"]["schema"]
        assert answers, f"{path} documents no answer"
    operations = [operation for methods in spec["paths"].values() for operation in methods.values()]
    assert all(("requestBody" in operation) == ("413" in operation["responses"]) for operation in operations)
    schedule = spec["paths"]["/api/homeshopping/schedule"]["get"]
    assert {parameter["name"] for parameter in schedule["parameters"]} == {"live_date", "page", "size"}


def test_the_documentation_page_loads_everything_from_its_server(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "ukok gateway" in page
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(addresses) >= 3
    for address in addresses:
        asset = client.get(address)
        assert address.startswith("/docs/assets/")
        assert asset.status_code == 200
        assert len(asset.content) > 1000
    assert "https://" not in page


def test_openapi_says_where_login_is_optional() -> None:
    spec = create_app().openapi()
    bearer: dict[str, list[str]] = {"OAuth2PasswordBearer": []}
    assert spec["paths"]["/api/homeshopping/schedule"]["get"]["security"] == [{}, bearer]
    assert spec["paths"]["/api/recipes/{recipe_id}"]["get"]["security"] == [bearer]
    for case in CASES:
        operation = spec["paths"][_documented_path(spec, case)][case.method.lower()]
        # Events need a login or a session id.
        needed = case.login and not case.path.startswith("/api/log/user/activity")
        assert (operation.get("security") == [bearer]) == needed, case.path


def test_openapi_shows_an_example_of_every_field_of_every_body() -> None:
    spec = create_app().openapi()
    missing: list[str] = []
    for method, path, operation in _operations(spec):
        bodies = {status: answer for status, answer in operation["responses"].items() if status < "300"}
        bodies |= {"request": operation["requestBody"]} if "requestBody" in operation else {}
        for name, body in bodies.items():
            for content in body["content"].values():
                missing += _without_example(spec, content["schema"], _examples(content), f"{method} {path} {name}")
    assert missing == [], "\n".join(missing)


def test_openapi_explains_every_route_and_parameter_by_example() -> None:
    wrong: list[str] = []
    for method, path, operation in _operations(create_app().openapi()):
        wrong += [] if operation.get("description") else [f"{method} {path}: description"]
        for parameter in operation.get("parameters", []):
            if not parameter.get("description") or not {"examples", "default", "enum"} & parameter["schema"].keys():
                wrong.append(f"{method} {path}: {parameter['name']}")
    assert wrong == []


def test_openapi_shows_an_example_of_every_error() -> None:
    spec = create_app().openapi()
    statuses: dict[str, set[str]] = {}
    for method, path, operation in _operations(spec):
        for status, answer in operation["responses"].items():
            if status >= "300":
                examples = _error_examples(spec, answer)
                assert examples, f"{method} {path}: {status}"
                statuses.setdefault(str(examples), set()).add(status)
    assert [shared for shared in statuses.items() if len(shared[1]) > 1] == []


def test_examples_of_the_openapi_match_their_schemas() -> None:
    spec = create_app().openapi()
    wrong: list[str] = []

    def check(part: Any, where: str) -> None:
        if isinstance(part, list):
            for place, each in enumerate(part):
                check(each, f"{where}/{place}")
        elif isinstance(part, dict):
            for example in _examples(part):
                # References point into the whole document.
                schema = part.get("schema", part) | {"components": spec["components"]}
                errors = Draft202012Validator(schema, validate_formats=True).iter_errors(example)
                wrong.extend(f"{where}: {error.message}" for error in errors)
            for name, each in part.items():
                if name not in {"example", "examples"}:
                    check(each, f"{where}/{name}")

    check(spec, "")
    assert wrong == []


def test_openapi_documents_exact_bounds_of_integers() -> None:
    spec = create_app().openapi()
    user_id = spec["components"]["schemas"]["NewEvent"]["properties"]["user_id"]
    assert (user_id["minimum"], user_id["maximum"]) == (0, 2**63 - 1)
    by_ingredients = spec["paths"]["/api/recipes/by-ingredients"]["get"]["parameters"]
    amounts = next(parameter for parameter in by_ingredients if parameter["name"] == "amount")
    assert {"minimum", "maximum"} <= amounts["schema"]["anyOf"][0]["items"].keys()


def test_example_requests_of_the_openapi_answer_as_it_documents(
    service: Engine, start: Callable[[], TestClient]
) -> None:
    client = start()  # on an empty catalog
    spec = create_app().openapi()
    seen: set[int] = set()
    good, false = sign_up(client).headers, {"Authorization": "Bearer false"}
    for method, path, operation in _operations(spec):
        ends_the_login = path in {"/api/user/logout", "/api/user/logout/all"}
        for headers in (false,) if ends_the_login else (false, good):
            answer = client.request(method, headers=headers, **_example_request(spec, path, operation))
            if answer.status_code >= 400:
                examples = _error_examples(spec, operation["responses"][str(answer.status_code)])
                assert answer.json() in examples, f"{method} {path}"
                seen.add(answer.status_code)
    # The account may be user 7, who may read the events of the example.
    assert seen - {403} == {401, 404, 409}


Spec = dict[str, Any]


def _operations(spec: Spec) -> Iterator[tuple[str, str, Spec]]:
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def _examples(part: Spec) -> list[Any]:
    """The examples of a schema, a parameter or a body itself."""
    return [part["example"]] if "example" in part else part.get("examples", [])


def _resolved(spec: Spec, schema: Spec) -> Spec:
    name = schema.get("$ref", "").rpartition("/")[2]
    return spec["components"]["schemas"][name] if name else schema


def _without_example(spec: Spec, schema: Spec, above: list[Any], where: str) -> list[str]:
    """Fields without an example. Where the whole has examples (``above``), its parts need none."""
    # Examples may stand beside a reference, too.
    examples = above or _examples(schema)
    schema = _resolved(spec, schema)
    examples = examples or _examples(schema)
    if "anyOf" in schema:
        kinds = [kind for kind in schema["anyOf"] if kind != {"type": "null"}]
        return [each for kind in kinds for each in _without_example(spec, kind, examples, where)]
    if "properties" in schema:
        bodies = [each for each in examples if isinstance(each, dict)]
        missing: list[str] = []
        for name, field in schema["properties"].items():
            values = [body[name] for body in bodies if name in body]
            if bodies and not values:
                missing.append(f"{where}.{name}")
            else:
                missing += _without_example(spec, field, values, f"{where}.{name}")
        return missing
    if "items" in schema:
        items = [item for each in examples if isinstance(each, list) for item in each]
        return _without_example(spec, schema["items"], items, f"{where}[]") if items or not examples else []
    if isinstance(schema.get("additionalProperties"), dict):
        values = [value for each in examples if isinstance(each, dict) for value in each.values()]
        return _without_example(spec, schema["additionalProperties"], values, f"{where}.*")
    return [] if examples or "const" in schema else [where]


def _error_examples(spec: Spec, answer: Spec) -> list[Any]:
    """The examples of an error response, its own or those of its schema."""
    content = answer["content"]["application/json"]
    return _examples(content) or _examples(_resolved(spec, content["schema"]))


def _example_request(spec: Spec, path: str, operation: Spec) -> dict[str, Any]:
    """A request built from the examples."""
    given = {
        kind: {p["name"]: p["schema"]["examples"][0] for p in operation.get("parameters", []) if _has_example(p, kind)}
        for kind in ("path", "query")
    }
    request: dict[str, Any] = {"url": path.format_map(given["path"]), "params": given["query"]}
    if "requestBody" in operation:
        request["json"] = _example_value(spec, operation["requestBody"]["content"]["application/json"]["schema"])
    return request


def _has_example(parameter: Spec, kind: str) -> bool:
    return parameter["in"] == kind and "examples" in parameter["schema"]


def _example_value(spec: Spec, schema: Spec) -> Any:
    schema = _resolved(spec, schema)
    if examples := _examples(schema):
        return examples[0]
    if "anyOf" in schema:
        return _example_value(spec, schema["anyOf"][0])
    if "items" in schema:
        return [_example_value(spec, schema["items"])]
    return {name: _example_value(spec, field) for name, field in schema["properties"].items()}


def _documented_path(spec: dict[str, Any], case: Case) -> str:
    parts = case.path.split("?")[0].split("/")
    for path in spec["paths"]:
        pattern = path.split("/")
        if len(pattern) == len(parts) and all(
            p in (part, f"{{{p[1:-1]}}}") for p, part in zip(pattern, parts, strict=True)
        ):
            return str(path)
    raise AssertionError(f"{case.path} is not documented")
