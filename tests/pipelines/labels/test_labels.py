"""Labels of titles take precedence over what the resolver reads, as long as the title is the labelled one."""

import csv
import unicodedata
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.labels.label import InvalidLabel
from pipelines.labels.label_file import NotALabelFile
from pipelines.labels.step import UnknownProduct, export_labels, import_labels, label_title, remove_product_labels
from pipelines.labels.table import LABEL
from pipelines.load.products import HOME_SHOPPING, KOK_PRODUCT, PRODUCT_INGREDIENT
from pipelines.release.products import read_products
from recommender.product_ref import ProductRef
from recommender.text.title_words import Kind
from tests.builders.raw_runs import kst, product, rows
from tests.pipelines.labels.conftest import SHOWN, Reload

AT = kst("12:00")
POTATO = ProductRef("kok", 1)
READY = {"kind": "ready", "ingredients": ["햇감자"], "shows_recipes": None, "labelled_by": "김", "labelled_at": AT}
READING = ("kok_product_id", "kind", "is_food", "is_ingredient", "recipe_probability")
HEADER = "source,product_id,title,kind,ingredients,shows_recipes,labelled_by,labelled_at,note"


def of_potato(service: Engine) -> tuple[object, ...]:
    return rows(service, KOK_PRODUCT, *READING)[0][1:]


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join((HEADER, *lines)), encoding="utf-8")
    return path


@pytest.mark.usefixtures("catalog")
def test_a_label_decides_instead_of_the_resolver(service: Engine, warehouse: Engine, store: Store) -> None:
    before = of_potato(service)
    assert before[:3] == ("ingredient", True, True)
    label_title(service, warehouse, store, POTATO, READY | {"ingredients": ["양파"]})
    assert of_potato(service) == ("ready", True, False, 0.0)
    assert rows(service, PRODUCT_INGREDIENT, "source_product_id", "ingredient_id")[0] == (1, 8)
    (facts,) = (each for each in read_products(service) if each.ref == POTATO)
    assert (facts.kind, facts.ingredients, facts.recipes) == (Kind.READY, ("양파",), 0.0)
    remove_product_labels(service, warehouse, store, [POTATO])
    assert of_potato(service) == before
    with pytest.raises(UnknownProduct, match="no label of kok:1"):
        remove_product_labels(service, warehouse, store, [POTATO])


@pytest.mark.usefixtures("catalog")
def test_a_label_waits_for_its_title(
    service: Engine, warehouse: Engine, store: Store, reload: Reload, tmp_path: Path
) -> None:
    label_title(service, warehouse, store, POTATO, READY)
    renamed, _ = reload(kst("05:00"), [product(1, "햇감자 5kg")])
    assert of_potato(service)[0] == "ingredient", "the label is of another title"
    assert "1 labels of titles that have changed" in str(renamed)
    file = StringIO()
    assert export_labels(service, file) == 1
    assert file.getvalue().splitlines()[1].endswith(",stale")
    reload(kst("08:00"), [product(1, "국내산 감자 1kg")])
    assert of_potato(service)[0] == "ready", "the product has its labelled title again"
    new = write(tmp_path / "new.csv", "kok,3,무농약 감자,nonfood,,,박,,")
    early, _ = import_labels(service, warehouse, store, new, "김", AT)
    assert "1 labels of products that are not loaded" in str(early)
    reload(kst("09:00"), [product(3, "무농약 감자")])
    assert rows(service, KOK_PRODUCT, *READING)[-1] == (3, "nonfood", False, False, 0.0)


@pytest.mark.usefixtures("catalog")
def test_labels_are_exported_as_they_are_imported(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    given = write(
        tmp_path / "labels.csv",
        'kok,1,국내산 감자 1kg,ready,햇감자|양파,yes,박,2026-11-30T10:00:00+09:00,"반찬, 조림"',
        f"hnsmall,{SHOWN},햇양파 3kg,ingredient,양파,,,,",
    )
    report, _ = import_labels(service, warehouse, store, given, "김", AT)
    assert (report.read, report.written, report.rejected) == (2, 2, {})
    assert rows(service, LABEL, "source_product_id", "ingredients", "shows_recipes", "labelled_by") == [
        (1, "감자|양파", True, "박"),
        (SHOWN, "양파", True, "김"),
    ]
    assert rows(service, HOME_SHOPPING, "kind", "recipe_probability") == [("ingredient", 1.0)]
    copy = tmp_path / "copy.csv"
    with copy.open("w", encoding="utf-8") as file:
        export_labels(service, file)
    for path in (given, copy):
        again, resolved = import_labels(service, warehouse, store, path, "김", kst("13:00"))
        assert (again.written, again.unchanged, resolved.written) == (0, 2, 0)
    (_, last) = csv.DictReader(StringIO(copy.read_text(encoding="utf-8")))
    assert (last["ingredients"], last["note"], last["state"]) == ("감자|양파", "반찬, 조림", "applies")


@pytest.mark.usefixtures("catalog")
def test_invalid_lines_are_rejected_and_kept(service: Engine, warehouse: Engine, store: Store, tmp_path: Path) -> None:
    faults = {
        "jmall,1,감자,ready,,,,,": "source: unknown source 'jmall'",
        "kok,x,감자,ready,,,,,": "product_id: ",
        "kok,1,,ready,,,,,": "title: Field required",
        "kok,1,감자,goods,,,,,": "kind: ",
        "kok,1,감자,ready,뭉게구름,,,,": "ingredients: 뭉게구름: not in the word list",
        "kok,1,감자,nonfood,감자,,,,": "label: what is not food has neither",
        "kok,1,감자,ready,,perhaps,,,": "shows_recipes: ",
        "kok,1,감자,ready,,,,2026-11-30T10:00:00,": "labelled_at: ",
    }
    path = write(tmp_path / "labels.csv", *faults, "kok,2,감자,ready,,,,,", "kok,2,감자,snack,,,,,")
    report, _ = import_labels(service, warehouse, store, path, "김", AT)
    assert report.rejected == {"invalid label": len(faults), "repeats a product": 1}
    details = [str(reject["detail"]) for reject in report.rejects]
    for number, (detail, message) in enumerate(zip(details, faults.values(), strict=False), start=2):
        assert detail.startswith(f"line {number}: {message}")
    assert rows(service, LABEL, "source_product_id", "kind") == [(2, "ready")]
    assert store.exists(report.rejects_key)


@pytest.mark.usefixtures("catalog")
def test_a_label_that_cannot_be_is_refused(service: Engine, warehouse: Engine, store: Store) -> None:
    with pytest.raises(UnknownProduct, match="no product kok:99"):
        label_title(service, warehouse, store, ProductRef("kok", 99), READY)
    with pytest.raises(InvalidLabel, match="ingredients: 없는것: not in the word list"):
        label_title(service, warehouse, store, POTATO, READY | {"ingredients": ["없는것"]})
    assert rows(service, LABEL, "kind") == []


@pytest.mark.usefixtures("catalog")
def test_unreadable_and_older_lines_leave_the_others(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path
) -> None:
    written = unicodedata.normalize("NFD", "국내산 감자 1kg")
    lines = (f"kok,2,{'감' * 140_000},ready,,,,,", "kok,2,감\0자,ready,,,,,", f"kok,1,{written},ready,감자,,,,")
    path = write(tmp_path / "labels.csv", *lines)
    report, _ = import_labels(service, warehouse, store, path, "김", AT)
    assert (report.written, report.rejected) == (1, {"unreadable line": 2})
    assert [str(each["detail"])[:7] for each in report.rejects] == ["line 2:", "line 3:"]
    assert of_potato(service)[0] == "ready", "the same title in another normal form"
    old = write(tmp_path / "old.csv", "kok,1,국내산 감자 1kg,nonfood,,,박,2020-01-01T10:00:00+09:00,")
    report, _ = import_labels(service, warehouse, store, old, "김", AT)
    assert (report.written, report.rejected) == (0, {"older than the stored label": 1})
    assert of_potato(service)[0] == "ready"


@pytest.mark.parametrize(
    ("content", "message"),
    [(HEADER.encode().replace(b"kind", b"sort"), "lacks the columns kind"), ("한글".encode("cp949"), "is not UTF-8")],
)
def test_another_file_is_refused_as_a_whole(
    service: Engine, warehouse: Engine, store: Store, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(NotALabelFile, match=message):
        import_labels(service, warehouse, store, tmp_path / "labels.csv", "김", AT)
