"""Cards of a category list, wherever their ids are."""

from crawlers.spiders.kok_cards import product_ids, read_cards

CARD = '<div class="card product-section-ul-li"{}>{}</div>'


def test_a_list_is_compared_by_the_ids_of_its_cards_wherever_they_are() -> None:
    html = "".join(
        (
            CARD.format(' data-product-id="1"', ""),
            CARD.format("", '<a data-product-id="2"></a>'),
            '<li data-product-id="3">' + CARD.format("", "") + "</li>",
            CARD.format(' data-product-id="evt-4"', ""),
            '<div class="recent" data-product-id="5"></div>',
        )
    )
    assert product_ids(read_cards(html)) == [1, 2, 3]
