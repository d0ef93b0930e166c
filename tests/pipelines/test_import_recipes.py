"""Recipes from the CSV to the tables."""

import gzip
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from artifacts.raw import list_runs, read_items
from artifacts.store import Store
from pipelines.load.ledger import DATA_VERSION, table_of
from pipelines.load.products import KOK_PRODUCT, PRODUCT_INGREDIENT
from pipelines.load.recipe_csv import NotARecipeFile
from pipelines.load.recipes import DOCUMENT, INGREDIENT, LINE, RECIPE, SYNONYM, import_recipes
from pipelines.load.sources import load_source
from sql.service import catalog
from tests.builders.raw_runs import kst, product, put_products, rows
from tests.pipelines.test_recipe_csv import AUTHOR, AUTHOR_ID, row, write

NOW = kst("10:00")


def version(service: Engine, dataset: str) -> int:
    with service.connect() as conn:
        return conn.scalar(select(DATA_VERSION.c.version).where(DATA_VERSION.c.dataset == dataset)) or 0


def everything(service: Engine) -> str:
    """Every text of every table of recipes."""
    with service.connect() as conn:
        found = [conn.execute(select(table)).all() for table in (RECIPE, LINE, INGREDIENT, SYNONYM, DOCUMENT)]
    return str(found)


def test_a_recipe_lands_whole(service: Engine, warehouse: Engine, store: Store, tmp_path: Path) -> None:
    lines = "[재료] 감자 2개| 다진 양파 1/2개 [양념] 소금 약간| 이름모를것99"
    write(tmp_path / "r.csv", [row(6812345, "Café 감자볶음 🍣", lines)], encoding="utf-8")
    report, _ = import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    assert (report.read, report.unchanged, report.rejected) == (1, 0, {})
    assert rows(service, RECIPE, "recipe_id", "title", "dish", "view_count") == [
        (6812345, "Café 감자볶음 🍣", "볶음", 1204)
    ]
    assert rows(service, LINE, "position", "section", "name")[:3] == [
        (0, "재료", "감자"),
        (1, "재료", "다진 양파"),
        (2, "양념", "소금"),
    ]
    names = dict(rows(service, INGREDIENT, "name", "ingredient_id"))
    with service.connect() as conn:
        recognised = dict(conn.execute(select(LINE.c.name, LINE.c.ingredient_id)).all())
    assert recognised["감자"] == names["감자"]
    assert recognised["다진 양파"] == names["양파"]
    assert ("다진 양파", names["양파"]) in rows(service, SYNONYM, "variant", "ingredient_id")
    assert "볶음" in rows(service, DOCUMENT, "source", "document_id", "tokens")[0][2].split()
    assert version(service, "recipes") == 1


def test_a_damaged_row_does_not_replace_a_stored_one(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    write(tmp_path / "r.csv", [row(1, "된장"), row(2, "국\ufffd")])
    import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    damaged = [row(1, "된장", "[재료] 감\ufffd 2개"), row(2, "\ufffd국"), row(3, "\ufffd")]
    write(tmp_path / "r.csv", damaged)
    report, _ = import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    assert rows(service, RECIPE, "recipe_id", "title") == [(1, "된장"), (2, "\ufffd국"), (3, "\ufffd")]
    assert rows(service, LINE, "recipe_id", "name") == [(1, "감자"), (2, "감자"), (3, "감자")]
    assert "3 rows with characters that could not be decoded" in str(report)
    assert "1 damaged rows, in whose place the stored ones were kept" in str(report)


def test_importing_twice_changes_nothing(service: Engine, warehouse: Engine, store: Store, tmp_path: Path) -> None:
    write(tmp_path / "r.csv", [row(n, f"감자볶음 {n}") for n in range(1, 6)])
    import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    before = everything(service)
    report, resolved = import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    assert (report.read, report.written, report.unchanged) == (5, 0, 5)
    assert resolved.written == 0
    assert everything(service) == before
    assert version(service, "recipes") == 1
    assert len(rows(service, table_of(catalog.LoadedFile), "run_id")) == 2


def test_a_recipe_that_changed_loses_the_lines_that_are_gone(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    for title, lines in (("감자볶음", "[재료] 감자 2개| 양파 1개| 소금 약간"), ("감자조림", "[재료] 감자 3개")):
        write(tmp_path / "r.csv", [row(1, title, lines), row(2)])
        import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    assert rows(service, RECIPE, "recipe_id", "title") == [(1, "감자조림"), (2, "감자볶음")]
    assert rows(service, LINE, "recipe_id", "position", "name", "amount") == [(1, 0, "감자", "3"), (2, 0, "감자", "2")]
    assert version(service, "recipes") == 2


def test_authors_are_stored_nowhere(service: Engine, warehouse: Engine, store: Store, tmp_path: Path) -> None:
    rejected = row(5, "")
    short = row(6)
    del short[2]
    write(tmp_path / "r.csv", [row(1), row(2)[:-1], rejected, short, row(1)])
    import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    with warehouse.connect() as conn:
        reports = str(conn.execute(text("SELECT * FROM step_run")).all())
    stored = [gzip.decompress(store.get(key)) if key.endswith(".gz") else store.get(key) for key in store.list("")]
    for place in (everything(service), reports, *(content.decode() for content in stored)):
        assert AUTHOR not in place
        assert AUTHOR_ID not in place


def test_rejected_rows_are_kept_with_their_line(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    write(tmp_path / "r.csv", [row(1, "처음"), row("x"), row(3, ""), row(1, "마지막")])
    report, _ = import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    assert report.rejected == {"repeats an id": 1, "no id": 1, "no title": 1}
    kept = [json.loads(line) for line in gzip.decompress(store.get(report.rejects_key)).splitlines()]
    assert [(reject["item"]["line"], reject["reason"]) for reject in kept] == [
        (2, "repeats an id"),
        (3, "no id"),
        (4, "no title"),
    ]
    assert rows(service, RECIPE, "recipe_id", "title") == [(1, "마지막")]


def test_texts_longer_than_their_column_are_cut(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    values = row(1, "가" * 600, f"[{'나' * 30}] {'다' * 400} 2개")
    values[8] = "라" * 60
    write(tmp_path / "r.csv", [values])
    import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    assert rows(service, RECIPE, "title", "method") == [("가" * 500, "라" * 50)]
    assert rows(service, LINE, "section", "name") == [("나" * 30, "다" * 255)]


def test_a_file_that_is_no_recipe_file_changes_nothing(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    write(tmp_path / "r.csv", [row(""), row("")])
    with pytest.raises(NotARecipeFile, match="no row with an id and a title"):
        import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    assert list_runs(store, "recipes", "recipes") == []
    with warehouse.connect() as conn:
        status, error = conn.execute(text("SELECT status, error FROM step_run")).one()
    assert (status, error.partition(":")[0]) == ("failed", "NotARecipeFile")


def test_the_raw_file_keeps_the_list_as_written(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    lines = "[재료] 어묵\x072\x07개\x07사각| 김"
    write(tmp_path / "r.csv", [row(1, ingredients=lines)])
    import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    (run,) = list_runs(store, "recipes", "recipes")
    assert [item["ingredients"] for item in read_items(store, run)] == [lines]
    assert rows(service, LINE, "position", "name") == [(0, "어묵"), (1, "김")]


def test_new_ingredients_resolve_titles_loaded_before(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    put_products(store, NOW, [product(1, "국내산 햇감자 1kg")])
    load_source("kok", service, warehouse, store)
    assert rows(service, PRODUCT_INGREDIENT, "source_product_id") == []
    (old,) = rows(service, KOK_PRODUCT, "resolver_version")
    write(tmp_path / "r.csv", [row(n) for n in range(1, 5)])
    _, resolved = import_recipes(service, warehouse, store, tmp_path / "r.csv", NOW)
    names = dict(rows(service, INGREDIENT, "ingredient_id", "name"))
    found = [names[number] for _, number in rows(service, PRODUCT_INGREDIENT, "source_product_id", "ingredient_id")]
    assert found == ["감자"]
    assert resolved.written > 0
    assert rows(service, KOK_PRODUCT, "resolver_version") != [old]
    assert version(service, "kok") == 2
