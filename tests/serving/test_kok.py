"""The mall's lists, pages and search."""

from typing import Any

from starlette.testclient import TestClient

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


def test_a_product_that_vanished_is_in_no_list_but_keeps_its_page(client: TestClient) -> None:
    for path in ("/discounted", "/top-selling?size=100", "/store-best-items", "/search?keyword=감자"):
        assert 106 not in ids(client, f"/api/kok{path}")
    assert client.get("/api/kok/product/106/info").status_code == 200


def test_search_finds_pieces_of_name_and_store_then_words_however_they_are_spaced(client: TestClient) -> None:
    assert ids(client, "/api/kok/search?keyword=산지마을") == [101, 102]
    assert ids(client, "/api/kok/search?keyword=햇 감자") == [101]
    assert ids(client, "/api/kok/search?keyword=밀키트 돼지고기") == [104], "words in another order"
    assert ids(client, "/api/kok/search?keyword=돼지고기") == [103, 104]
    assert ids(client, "/api/kok/search?keyword=CAFÉ") == [105]
    assert ids(client, "/api/kok/search?keyword=🍣") == [105]
    assert ids(client, "/api/kok/search?keyword=🍺") == []


def test_search_pages_truly(client: TestClient) -> None:
    first = client.get("/api/kok/search?keyword=돼지고기&page=1&size=1").json()
    second = client.get("/api/kok/search?keyword=돼지고기&page=2&size=1").json()
    assert (first["total"], second["total"]) == (2, 2)
    assert [p["kok_product_id"] for p in first["products"] + second["products"]] == [103, 104]


def test_search_history_is_kept_newest_first_and_each_user_sees_their_own(client: TestClient, person: Person) -> None:
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
