"""The mall's lists, pages and search."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, insert
from starlette.testclient import TestClient

from sql.service.pages import KokReview
from tests.builders.small_catalog import WITH_PAGE, same_item
from tests.serving.conftest import Person, sign_up


def ids(client: TestClient, path: str) -> list[int]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return [product["kok_product_id"] for product in answer.json()["products"]]


def test_discounted_holds_what_has_a_rate_now_the_largest_first(client: TestClient) -> None:
    assert ids(client, "/api/kok/discounted") == [103, 101]


def test_a_list_is_cut_into_pages_of_the_size_asked_for(client: TestClient) -> None:
    assert ids(client, "/api/kok/discounted?page=1&size=1") == [103]
    assert ids(client, "/api/kok/discounted?page=2&size=1") == [101]
    assert ids(client, "/api/kok/discounted?page=3&size=1") == []
    assert ids(client, "/api/kok/discounted?page=1&size=100") == [103, 101]
    assert [ids(client, f"/api/kok/top-selling?page={page}&size=3") for page in (1, 2, 3)] == [
        [103, 101, 102],
        [104],
        [],
    ]


def test_top_selling_is_what_people_reviewed_in_either_order(client: TestClient) -> None:
    assert ids(client, "/api/kok/top-selling") == [103, 101, 102, 104]
    assert ids(client, "/api/kok/top-selling?sort_by=rating") == [102, 103, 101, 104]
    assert ids(client, "/api/kok/store-best-items?sort_by=rating")[:2] == [102, 103]


def test_an_unknown_price_is_a_number_with_its_kind_beside_it(client: TestClient) -> None:
    unknown = client.get("/api/kok/product/104/info").json()
    assert (unknown["kok_product_price"], unknown["kok_discounted_price"], unknown["price_kind"]) == (
        11000,
        0,
        "unknown",
    )
    no_list_price = client.get("/api/kok/product/105/info").json()
    assert (no_list_price["kok_product_price"], no_list_price["kok_discounted_price"]) == (20000, 20000)


def test_a_vanished_product_keeps_its_page_but_is_in_no_list(client: TestClient) -> None:
    for path in ("/discounted", "/top-selling?size=100", "/store-best-items", "/search?keyword=감자"):
        assert 106 not in ids(client, f"/api/kok{path}")
    assert client.get("/api/kok/product/106/info").status_code == 200


def test_search_finds_substrings_first_then_words_in_any_spacing(client: TestClient) -> None:
    assert ids(client, "/api/kok/search?keyword=산지마을") == [101, 102]
    assert ids(client, "/api/kok/search?keyword=햇 감자") == [101]
    assert ids(client, "/api/kok/search?keyword=밀키트 돼지고기") == [104, 103], "with all words first"
    assert ids(client, "/api/kok/search?keyword=돼지고기") == [103, 104]
    assert ids(client, "/api/kok/search?keyword=CAFÉ") == [105]
    assert ids(client, "/api/kok/search?keyword=🍣") == [105]
    assert ids(client, "/api/kok/search?keyword=🍺") == []


def test_search_pages_truly(client: TestClient) -> None:
    first = client.get("/api/kok/search?keyword=돼지고기&page=1&size=1").json()
    second = client.get("/api/kok/search?keyword=돼지고기&page=2&size=1").json()
    assert (first["total"], second["total"]) == (2, 2)
    assert [p["kok_product_id"] for p in first["products"] + second["products"]] == [103, 104]


def test_lists_and_search_show_one_listing_of_each_item(filled: Engine, start: Callable[[], TestClient]) -> None:
    same_item(filled, 106, 101, 103, 104)
    client = start()
    assert ids(client, "/api/kok/discounted") == [103], "with the largest rate"
    assert ids(client, "/api/kok/top-selling") == [103, 102], "with the most reviews"
    assert ids(client, "/api/kok/top-selling?sort_by=rating") == [102, 103], "the best rated"
    assert ids(client, "/api/kok/store-best-items") == [103, 102]
    found = client.get("/api/kok/search?keyword=돼지고기").json()
    assert (found["total"], [product["kok_product_id"] for product in found["products"]]) == (1, [103])
    assert ids(client, "/api/kok/search?keyword=밀키트") == [104], "the only one of its item that matches"
    assert ids(client, "/api/kok/search?keyword=햇감자") == [101]


def test_a_product_page_has_zeros_and_empty_texts_for_unknowns(client: TestClient) -> None:
    page = f"/api/kok/product/{WITH_PAGE}"
    reviews = client.get(f"{page}/reviews").json()
    stats = reviews["stats"]
    assert (stats["kok_review_score"], stats["kok_review_cnt"]) == (4.7, 300)
    assert [stats[f"kok_{stars}_ratio"] for stars in (5, 4, 3, 2, 1)] == [70, 20, 6, 3, 1]
    assert [stats[f"kok_aspect_{of}"] for of in ("price", "delivery", "taste")] == ["저렴해요", "빨라요", "맛있어요"]
    assert [stats[f"kok_aspect_{of}_ratio"] for of in ("price", "delivery", "taste")] == [61, 72, 83]
    assert [row["kok_review_date"] for row in reviews["reviews"]] == ["2025-08-02", "2025-07-30", ""]
    newest, _, silent = reviews["reviews"]
    said = [newest[f"kok_{of}"] for of in ("review_user", "price_eval", "delivery_eval", "taste_eval", "review_text")]
    assert said == ["박**", "저렴해요", "빨라요", "맛있어요", "잡내가 없습니다 🐷"]
    assert (silent["kok_nickname"], silent["kok_review_score"], silent["kok_review_text"]) == ("", 0, "")
    details = client.get(f"{page}/seller-details").json()
    assert details["detail_info"][1] == {"kok_detail_col": "중량", "kok_detail_val": "1kg"}
    assert details["seller_info"] == {
        "kok_co_ceo": "홍길동",
        "kok_co_reg_no": "000-00-00000",
        "kok_co_ec_reg": "제2025-서울가나-00000호",
        "kok_tell": "02-000-0000",
        "kok_ver_item": "사업자등록",
        "kok_ver_date": "2025-01-02",
        "kok_co_addr": "서울특별시 가나구 다라로 1",
        "kok_return_addr": "",
    }
    assert [image["kok_img_id"] for image in client.get(f"{page}/tabs").json()["images"]] == [1, 2]


def test_the_newest_hundred_reviews_are_shown(client: TestClient, filled: Engine) -> None:
    review = {"kok_product_id": WITH_PAGE, "written_on": date(2025, 8, 3)}
    with filled.begin() as conn:
        for number in range(98):
            conn.execute(insert(KokReview), review | {"content_hash": f"more {number}"})
    days = [row["kok_review_date"] for row in client.get(f"/api/kok/product/{WITH_PAGE}/reviews").json()["reviews"]]
    assert days == ["2025-08-03"] * 98 + ["2025-08-02", "2025-07-30"], "not the one of an unknown day"


@pytest.mark.parametrize(
    "query", ["use_cache=perhaps", "size=0", "size=101", "page=0", "page=x", "use_cache=true&size=1000"]
)
def test_a_list_rejects_invalid_parameters(client: TestClient, query: str) -> None:
    assert client.get("/api/kok/discounted?use_cache=false").status_code == 200
    assert client.get(f"/api/kok/discounted?{query}").status_code == 422


def test_search_history_is_per_user_and_newest_first(client: TestClient, person: Person) -> None:
    def saved(keyword: str) -> dict[str, Any]:
        answer = client.post("/api/kok/search/history", json={"keyword": keyword}, headers=person.headers)
        return dict(answer.json()["saved"])

    first, second = saved("감자"), saved("Café 🍣")
    history = client.get("/api/kok/search/history?limit=1", headers=person.headers).json()["history"]
    assert history == [second]
    other = sign_up(client)
    path = f"/api/kok/search/history/{first['kok_history_id']}"
    assert client.get("/api/kok/search/history", headers=other.headers).json() == {"history": []}
    assert client.delete(path, headers=other.headers).status_code == 404
    assert client.delete(path, headers=person.headers).status_code == 200
    assert client.delete(path, headers=person.headers).status_code == 404
    assert client.get("/api/kok/search/history", headers=person.headers).json()["history"] == [second]
