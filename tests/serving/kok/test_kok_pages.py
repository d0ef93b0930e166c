"""What the page of a mall product shows beyond name and price."""

from datetime import date

from sqlalchemy import Engine, insert, update
from starlette.testclient import TestClient

from sql.service.catalog import KokProduct
from sql.service.pages import KokReview, KokSeller, ProductDetail, ProductImage

PAGE = "/api/kok/product/101"
UNKNOWN = "/api/kok/product/999999"


def test_tabs_list_images_in_order_and_none_for_unknown_products(client: TestClient, filled: Engine) -> None:
    key = {"source": "kok", "source_product_id": 101}
    with filled.begin() as conn:
        for position in (1, 0):
            row = {"position": position, "image_url": f"https://img.example.com/{position}.jpg"}
            conn.execute(insert(ProductImage), key | row)
    assert client.get(f"{PAGE}/tabs").json() == {
        "images": [
            {"kok_img_id": n + 1, "kok_product_id": 101, "kok_img_url": f"https://img.example.com/{n}.jpg"}
            for n in (0, 1)
        ]
    }
    answer = client.get(f"{UNKNOWN}/tabs")
    assert (answer.status_code, answer.json()) == (200, {"images": []})


def test_reviews_show_numbers_and_texts_never_null(client: TestClient, filled: Engine) -> None:
    with filled.begin() as conn:
        conn.execute(update(KokProduct).where(KokProduct.kok_product_id == 101).values(five_star_share=90))
        for number, day in ((1, date(2025, 8, 1)), (2, date(2025, 8, 3))):
            row = {
                "kok_product_id": 101,
                "content_hash": str(number),
                "nickname": "감**",
                "written_on": day,
                "score": 5,
            }
            conn.execute(insert(KokReview), row | {"text": f"맛있어요 {number}"})
    body = client.get(f"{PAGE}/reviews").json()
    assert [review["kok_review_text"] for review in body["reviews"]] == ["맛있어요 2", "맛있어요 1"]
    first = body["reviews"][0]
    assert (first["kok_nickname"], first["kok_review_user"]) == ("감**", "감**")
    assert (first["kok_review_date"], first["kok_review_score"], first["kok_price_eval"]) == ("2025-08-03", 5, "")
    assert body["stats"]["kok_5_ratio"] == 90
    assert (body["stats"]["kok_1_ratio"], body["stats"]["kok_aspect_price"]) == (0, "")
    assert (body["stats"]["kok_review_score"], body["stats"]["kok_review_cnt"]) == (4.5, 120)
    assert client.get(f"{UNKNOWN}/reviews").status_code == 404


def test_seller_details_show_the_seller_and_the_facts(client: TestClient, filled: Engine) -> None:
    fact = {"source": "kok", "source_product_id": 101, "position": 0, "name": "원산지", "value": "국내산"}
    with filled.begin() as conn:
        conn.execute(insert(KokSeller), {"kok_product_id": 101, "ceo_name": "김대표", "phone": "02-000-0000"})
        conn.execute(insert(ProductDetail), fact)
    body = client.get(f"{PAGE}/seller-details").json()
    assert (body["seller_info"]["kok_co_ceo"], body["seller_info"]["kok_tell"]) == ("김대표", "02-000-0000")
    assert body["seller_info"]["kok_return_addr"] == ""
    assert body["detail_info"] == [{"kok_detail_col": "원산지", "kok_detail_val": "국내산"}]
    unread = client.get("/api/kok/product/102/seller-details").json()
    assert (unread["seller_info"]["kok_co_ceo"], unread["detail_info"]) == ("", [])
    assert client.get(f"{UNKNOWN}/seller-details").status_code == 404
