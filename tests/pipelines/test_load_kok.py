"""Loading the mall: products, price history, vanished products."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from artifacts.store import Store
from pipelines.load import title_resolver
from pipelines.load.ledger import DATA_VERSION, table_of
from pipelines.load.sources import load_source
from pipelines.report import Report
from recommender.text import title_rules
from sql.service import catalog
from sql.service.recipes import Ingredient, RecipeIngredient
from sql.warehouse import history, steps
from tests.builders.raw_runs import Item, kst, price, product, put_prices, put_products, rows

PRODUCT, PRICE = table_of(catalog.KokProduct), table_of(catalog.KokPrice)
FCT_PRICE, DIM_PRODUCT = table_of(history.FctPrice), table_of(history.DimProduct)
STEP_RUN = table_of(steps.StepRun)

Load = Callable[..., list[Report]]
T = [kst("02:00") + timedelta(hours=3 * hour) for hour in range(8)]


@pytest.fixture
def load(service: Engine, warehouse: Engine, store: Store) -> Load:
    return lambda **options: load_source("kok", service, warehouse, store, **options)


def history_of(service: Engine, product_id: int) -> list[tuple[int, Any]]:
    """Return crawl number and price of each row of a product's history."""
    found = rows(service, PRICE, "kok_product_id", "observed_at", "price")
    return [(T.index(at), won) for number, at, won in found if number == product_id]


def vanished(service: Engine) -> dict[int, int | None]:
    found = rows(service, PRODUCT, "kok_product_id")
    with service.connect() as conn:
        at = {n: conn.scalar(select(PRODUCT.c.vanished_at).where(PRODUCT.c.kok_product_id == n)) for (n,) in found}
    return {number: None if instant is None else T.index(instant) for number, instant in at.items()}


def version(service: Engine) -> int:
    with service.connect() as conn:
        return conn.scalar(select(DATA_VERSION.c.version).where(DATA_VERSION.c.dataset == "kok")) or 0


def test_products_and_prices_are_loaded_in_full(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    put_products(
        store, T[0], [product(2**40 + 1, "국내산 감자 1kg"), product(2, "Café 🍣", list_price=None, review_score=None)]
    )
    put_prices(store, T[0], [price(2**40 + 1, 1000, 50), price(2, None, 0, "consult"), price(3, None, 0, "unknown")])
    report, _ = load()
    assert (report.read, report.rejected) == (5, {})
    found = rows(service, PRODUCT, "kok_product_id", "store_name", "product_name", "list_price", "first_seen_at")
    assert found == [(2, "햇살농장", "Café 🍣", None, T[0]), (2**40 + 1, "햇살농장", "국내산 감자 1kg", 2000, T[0])]
    prices = rows(service, PRICE, "kok_product_id", "observed_at", "price_kind")
    assert prices == [(2, T[0], "consult"), (3, T[0], "unknown"), (2**40 + 1, T[0], "amount")]
    assert history_of(service, 2**40 + 1) == [(0, 1000)]
    in_warehouse = rows(warehouse, FCT_PRICE, "source_product_id", "price_kind", "list_price")
    assert in_warehouse == [(2, "consult", None), (3, "unknown", None), (2**40 + 1, "amount", 2000)]
    assert rows(warehouse, DIM_PRODUCT, "source_product_id", "product_name") == [
        (2, "Café 🍣"),
        (2**40 + 1, "국내산 감자 1kg"),
    ]


def test_the_last_products_of_a_crawl_are_written(service: Engine, store: Store, load: Load) -> None:
    put_products(store, T[0], [product(number) for number in range(1, 8)])
    load()
    assert len(rows(service, PRODUCT, "kok_product_id")) == 7


def test_a_price_that_returns_to_an_old_value_is_a_change(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    for at, won in zip(T, (1000, 1200, 1000, 1000), strict=False):
        put_prices(store, at, [price(1, won)])
    load()
    assert history_of(service, 1) == [(0, 1000), (1, 1200), (2, 1000)]
    assert rows(warehouse, FCT_PRICE, "observed_at", "price") == [(T[0], 1000), (T[1], 1200), (T[2], 1000)]


def test_a_rate_or_kind_that_changes_is_a_change(service: Engine, store: Store, load: Load) -> None:
    for at, card in zip(T, (price(1, 1000, 0), price(1, 1000, 10), price(1, None, 10, "consult")), strict=False):
        put_prices(store, at, [card])
    load()
    assert history_of(service, 1) == [(0, 1000), (1, 1000), (2, None)]


def test_a_rate_that_could_not_be_read_goes_with_its_price(service: Engine, store: Store, load: Load) -> None:
    unread = {"unread": ["discount_rate"]}
    for at, won in zip(T, (1000, 1000, 900), strict=False):
        put_prices(store, at, [price(1, won, 10) if at == T[0] else price(1, won) | unread])
    load()
    assert rows(service, PRICE, "price", "discount_rate") == [(900, 0), (1000, 10)]


def unread_price(product_id: int, category: str = "1611") -> Item:
    """A card whose price is a text such as ``품절``."""
    return price(product_id, None, 0, "unknown", category) | {"unread": ["discount_rate", "price", "price_kind"]}


def test_a_price_that_could_not_be_read_replaces_no_known_one(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    put_prices(store, T[0], [price(1, 1000, 10), price(2, None, 0, "consult")])
    put_prices(store, T[1], [unread_price(1), unread_price(2), unread_price(3)])
    put_products(store, T[1], [product(1, list_price=1111)])
    put_prices(store, T[2], [price(1, 1000, 10), price(3, 500)])
    load()
    stored = rows(service, PRICE, "kok_product_id", "observed_at", "price_kind", "discount_rate")
    assert stored == [(1, T[0], "amount", 10), (2, T[0], "consult", 0), (3, T[1], "unknown", 0), (3, T[2], "amount", 0)]
    assert history_of(service, 1) == [(0, 1000)]
    in_warehouse = rows(warehouse, FCT_PRICE, "source_product_id", "observed_at", "price_kind", "price")
    assert in_warehouse == [
        (1, T[0], "amount", 1000),
        (2, T[0], "consult", None),
        (3, T[1], "unknown", None),
        (3, T[2], "amount", 500),
    ]


def test_another_list_gives_a_price_that_could_not_be_read(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    cards = [unread_price(1), price(1, 1000, 5, category="1613"), price(2), unread_price(2, category="1613")]
    put_prices(store, T[0], cards)
    report, _ = load()
    assert (report.rejected, report.details["repeated"]) == ({}, 2)
    for engine, table, key in ((service, PRICE, "kok_product_id"), (warehouse, FCT_PRICE, "source_product_id")):
        assert rows(engine, table, key, "price", "discount_rate") == [(1, 1000, 5), (2, 1000, 0)]


@pytest.mark.parametrize(
    ("loaded", "late", "expected"),
    [
        ({0: 1000, 2: 1000}, {1: 1200}, [(0, 1000), (1, 1200), (2, 1000)]),
        ({0: 1000, 2: 1200}, {1: 1200}, [(0, 1000), (1, 1200)]),
        ({0: 1000, 2: 1200}, {1: 1000}, [(0, 1000), (2, 1200)]),
        ({1: 1000, 2: 1000}, {0: 1000}, [(0, 1000)]),
        ({1: 1000}, {0: 900}, [(0, 900), (1, 1000)]),
        ({0: 1000, 3: 1000, 4: 900}, {1: 1100, 2: 1000}, [(0, 1000), (1, 1100), (2, 1000), (4, 900)]),
    ],
)
def test_a_late_price_file_is_put_in_its_place(
    service: Engine,
    warehouse: Engine,
    store: Store,
    load: Load,
    loaded: dict[int, int],
    late: dict[int, int],
    expected: list[tuple[int, int]],
) -> None:
    for part in (loaded, late):
        for crawl, won in part.items():
            put_prices(store, T[crawl], [price(1, won)])
        load()
    assert history_of(service, 1) == expected
    assert rows(warehouse, FCT_PRICE, "observed_at", "price") == [(T[crawl], won) for crawl, won in expected]


def test_identical_content_writes_nothing_but_report_and_ledger(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    for at in T[:2]:
        put_products(store, at, [product(1), product(2, "목장 우유 2팩")])
        put_prices(store, at, [price(1), price(2, 2000)])
        reports = load()
    assert [(report.read, report.written, report.unchanged) for report in reports] == [(4, 0, 4), (4, 0, 4)]
    assert version(service) == 1
    ledger = table_of(catalog.LoadedFile)
    assert len(rows(service, ledger, "run_id")) == 4
    assert rows(service, ledger, "dataset", "rows_read")[0] == ("prices", 2)
    assert len(rows(warehouse, table_of(steps.LoadedFile), "run_id")) == 4
    reports_kept = rows(warehouse, STEP_RUN, "step", "status")
    assert reports_kept == sorted([("load_kok", "done"), ("load_kok_history", "done")] * 2)


def test_a_load_without_files_changes_nothing(service: Engine, store: Store, load: Load) -> None:
    assert [(report.read, report.written) for report in load()] == [(0, 0), (0, 0)]
    assert version(service) == 0


def test_a_product_vanishes_when_two_crawls_miss_it(service: Engine, store: Store, load: Load) -> None:
    put_products(store, T[0], [product(1), product(2)])
    found = []
    for at, listed in zip(T, ([1, 2], [1], [1], [1], [1, 2]), strict=False):
        put_prices(store, at, [price(number) for number in listed])
        load()
        found.append(vanished(service)[2])
    assert found == [None, None, 2, 2, None]
    assert vanished(service)[1] is None


def test_a_product_on_no_page_of_a_changing_list_stays(service: Engine, store: Store, load: Load) -> None:
    """A list that changes while its pages are read shows another product on none of them each time."""
    ids = range(1, 45)
    put_products(store, T[0], [product(number) for number in ids])
    for crawl in range(6):
        put_prices(store, T[crawl], [price(number) for number in ids if crawl == 0 or number != 20 + crawl])
        load()
    assert set(vanished(service).values()) == {None}


def test_a_list_seen_to_change_proves_little(service: Engine, store: Store, load: Load) -> None:
    put_products(store, T[0], [product(1), product(2)])
    put_prices(store, T[0], [price(1), price(2)])
    for at in T[1:8]:
        put_prices(store, at, [price(1)], shifted=["1611"])
    load()
    assert vanished(service) == {1: None, 2: 6}


def test_a_returning_product_needs_no_new_page(service: Engine, warehouse: Engine, store: Store, load: Load) -> None:
    put_products(store, T[0], [product(1), product(2)])
    for at, listed in zip(T, ([1, 2], [1], [1, 2]), strict=False):
        put_prices(store, at, [price(number) for number in listed])
        load()
    assert vanished(service) == {1: None, 2: None}
    assert history_of(service, 2) == [(0, 1000)]
    assert rows(service, PRODUCT, "kok_product_id", "first_seen_at") == [(1, T[0]), (2, T[0])]
    assert len(rows(warehouse, DIM_PRODUCT, "source_product_id")) == 2


def test_a_product_vanishes_only_by_complete_lists(service: Engine, store: Store, load: Load) -> None:
    put_products(store, T[0], [product(1), product(2)])
    put_prices(store, T[0], [price(1), price(2)])
    for crawl, missing in enumerate((["1624"], ["1611"], ["1611"], ["1624"])):
        put_prices(store, T[crawl + 1], [price(1)], missing=missing)
        load()
        assert vanished(service) == {1: None, 2: 4 if crawl == 3 else None}  # its category is 1611


def test_a_product_with_a_rejected_card_has_not_vanished(service: Engine, store: Store, load: Load) -> None:
    others = [price(number) for number in range(10, 60)]
    put_products(store, T[0], [product(1), product(2)])
    put_prices(store, T[0], [price(1), price(2), *others])
    for at in T[1:3]:
        put_prices(store, at, [price(1, 0), *others])
    load()
    assert vanished(service) == {1: None, 2: 2}
    put_prices(store, T[3], [price(1), price(2), *others])
    for at in T[4:6]:
        put_prices(store, at, [price(1) | {"kok_product_id": None}, *others])
    load()
    assert vanished(service) == {1: None, 2: None}


def test_no_product_vanishes_by_pages_alone(service: Engine, store: Store, load: Load) -> None:
    put_products(store, T[0], [product(1), product(2)])
    put_prices(store, T[0], [price(1), price(2)])
    put_products(store, T[1], [product(1)])
    load()
    assert vanished(service) == {1: None, 2: None}


def test_incomplete_lists_only_bring_products_back(service: Engine, store: Store, load: Load) -> None:
    put_products(store, T[0], [product(1), product(2)])
    put_prices(store, T[0], [price(1)])
    put_prices(store, T[1], [price(2)], missing=["1624"])
    load()
    assert vanished(service) == {1: None, 2: None}


def test_an_older_list_loaded_late_does_not_hide_a_product(service: Engine, store: Store, load: Load) -> None:
    put_products(store, T[0], [product(1), product(2)])
    put_prices(store, T[2], [price(1), price(2)])
    load()
    put_prices(store, T[1], [price(1)])
    load()
    assert vanished(service) == {1: None, 2: None}
    for at in (T[4], T[5]):
        put_prices(store, at, [price(1)])
        load()
    put_prices(store, T[3], [price(1)])
    load()
    assert vanished(service) == {1: None, 2: 4}


def test_an_older_page_loaded_late_changes_no_product(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    put_products(store, T[2], [product(1, "햇감자 1kg", list_price=3000)])
    load()
    put_products(store, T[0], [product(1, "묵은 감자 1kg", list_price=1500), product(2)])
    load()
    found = rows(service, PRODUCT, "kok_product_id", "product_name", "list_price", "first_seen_at")
    assert found == [(1, "햇감자 1kg", 3000, T[0]), (2, "국내산 감자 1kg", 2000, T[0])]
    versions = rows(warehouse, DIM_PRODUCT, "source_product_id", "valid_from", "product_name")
    assert versions == [(1, T[0], "묵은 감자 1kg"), (1, T[2], "햇감자 1kg"), (2, T[0], "국내산 감자 1kg")]


def test_versions_of_a_product_follow_one_another(warehouse: Engine, store: Store, load: Load) -> None:
    for at, name in ((T[0], "가"), (T[3], "다"), (T[4], "다"), (T[1], "나"), (T[2], "나")):
        put_products(store, at, [product(1, name)])
        load()
    with warehouse.connect() as conn:
        found = conn.execute(
            select(DIM_PRODUCT.c.product_name, DIM_PRODUCT.c.valid_from, DIM_PRODUCT.c.valid_to).order_by(
                DIM_PRODUCT.c.valid_from
            )
        )
        assert [tuple(row) for row in found] == [("가", T[0], T[1]), ("나", T[1], T[3]), ("다", T[3], None)]


def test_list_price_of_a_page_and_price_of_a_list_share_a_row(warehouse: Engine, store: Store, load: Load) -> None:
    put_prices(store, T[0], [price(1, 900, 10)])
    put_products(store, T[0], [product(1, list_price=1000)])
    put_prices(store, T[1], [price(1, 800, 20)])
    load()
    found = rows(warehouse, FCT_PRICE, "observed_at", "price", "list_price", "discount_rate")
    assert found == [(T[0], 900, 1000, 10), (T[1], 800, 1000, 20)]


def test_a_list_price_alone_does_not_date_the_price_anew(warehouse: Engine, store: Store, load: Load) -> None:
    put_prices(store, T[0], [price(1, 900, 10)])
    put_products(store, T[0], [product(1, list_price=1000)])
    put_products(store, T[1], [product(1, list_price=1100)])
    put_prices(store, T[2], [price(1, 990, 10)])
    put_products(store, T[2], [product(1, list_price=1100)])
    load()
    found = rows(warehouse, FCT_PRICE, "observed_at", "price", "list_price", "discount_rate")
    assert found == [(T[0], 900, 1000, 10), (T[2], 990, 1100, 10)]


def test_a_title_is_resolved_and_found_by_its_words(service: Engine, store: Store, load: Load) -> None:
    with service.begin() as conn:
        ingredient = table_of(catalog.ProductIngredient)
        names = ["감자", "양파"]
        conn.execute(table_of(Ingredient).insert(), [{"ingredient_id": 7 + i, "name": n} for i, n in enumerate(names)])
        conn.execute(
            table_of(RecipeIngredient).insert(),
            [{"recipe_id": 1, "position": i, "name": n, "ingredient_id": 7 + i} for i, n in enumerate(names)],
        )
    put_products(store, T[0], [product(1, "국내산 감자 1kg"), product(2, "햇양파 3kg")])
    load()
    assert rows(service, ingredient, "source", "source_product_id", "position", "ingredient_id") == [
        ("kok", 1, 0, 7),
        ("kok", 2, 0, 8),
    ]
    flags = rows(service, PRODUCT, "kok_product_id", "is_food", "is_ingredient")
    assert flags == [(1, True, True), (2, True, True)]
    documents = dict(rows(service, table_of(catalog.SearchDocument), "document_id", "tokens"))
    assert "감자" in documents[1].split()
    put_products(store, T[1], [product(1, "제주 햇양파 2kg"), product(2, "햇양파 3kg")])
    load()
    assert rows(service, ingredient, "source_product_id", "ingredient_id") == [(1, 8), (2, 8)]


def test_what_a_title_says_is_stored_and_follows_the_title(service: Engine, store: Store, load: Load) -> None:
    columns = ("kok_product_id", "kind", "product_types", "recipe_probability")
    put_products(store, T[0], [product(1, "국내산 감자 1kg"), product(2, "뼈없는 갈비탕 700g 10팩")])
    load()
    potato, soup = rows(service, PRODUCT, *columns)
    assert (potato[1:3], soup[1:3]) == (("ingredient", "감자"), ("ready", "갈비탕"))
    assert potato[3] > 0.5 > soup[3]
    put_products(store, T[1], [product(1, "홍삼 스틱 30포"), product(2, "뼈없는 갈비탕 700g 10팩")])
    load()
    renamed, same = rows(service, PRODUCT, *columns)
    assert renamed[1:3] != potato[1:3]
    assert same == soup


def test_a_load_without_new_titles_builds_no_analyser(
    service: Engine, store: Store, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_products(store, T[0], [product(1)])
    load()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an analyser was built")

    title_resolver._resolver.cache_clear()
    monkeypatch.setattr(title_rules, "Kiwi", refuse)
    put_products(store, T[1], [product(1, list_price=1900)])
    report, _ = load()
    assert report.details["rows"]["kok_product"]["updated"] == 1
    put_products(store, T[2], [product(1, "햇감자 2kg")])
    with pytest.raises(AssertionError, match="analyser"):
        load()


def test_an_item_that_is_not_valid_is_rejected_and_kept(
    service: Engine, warehouse: Engine, store: Store, load: Load
) -> None:
    items: list[Item] = [price(number) for number in range(1, 60)]
    put_prices(store, T[0], [*items, price(0), price(60, 0), price(61, None)])
    report, _ = load()
    assert report.rejected == {"invalid item": 3}
    assert len(rows(service, PRICE, "kok_product_id")) == 59
    assert store.exists(report.rejects_key)


def test_the_same_card_in_two_categories_is_one_product(service: Engine, store: Store, load: Load) -> None:
    others = [price(number) for number in range(10, 60)]
    put_prices(store, T[0], [price(1, 1000), price(1, 1000, category="1613"), price(1, 900, category="1614"), *others])
    report, _ = load()
    assert report.rejected == {"contradicts another item": 1}
    assert history_of(service, 1) == [(0, 1000)]
