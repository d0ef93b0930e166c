"""The word lists that come with the project."""

import csv
import re
from collections import Counter

from pipelines.train.titles import EXAMPLES
from recommender.text import lexicon
from recommender.text.title_words import Kind

SECTION = re.compile(r"\[[^/\[\]\s]+/[^/\[\]\s]+ (?P<kind>[a-z]+)\]")
LINE = re.compile(r"[^=>\[\],]+( = [^=>\[\],]+(, [^=>\[\],]+)*)?( > [^=>\[\],]+(, [^=>\[\],]+)*)?")


def product_lines() -> list[str]:
    text = (lexicon.FOLDER / "products.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def example_rows() -> list[dict[str, str]]:
    with EXAMPLES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_every_line_of_the_product_list_is_understood() -> None:
    wrong = [line for line in product_lines() if not (SECTION if line[0] == "[" else LINE).fullmatch(line)]
    assert wrong == []


def test_only_ready_dishes_name_what_they_are_made_of() -> None:
    assert {product.kind for product in lexicon.products().values() if product.ingredients} == {Kind.READY}


def test_every_section_is_of_a_known_kind() -> None:
    kinds = {match["kind"] for line in product_lines() if (match := SECTION.fullmatch(line))}
    assert kinds == set(Kind) - {Kind.INGREDIENT}
    assert {product.kind for product in lexicon.products().values()} == kinds


def test_no_spelling_of_the_product_list_is_listed_twice() -> None:
    names = [line.partition(">")[0].replace("=", ",") for line in product_lines() if line[0] != "["]
    spellings = Counter(part.replace(" ", "").lower() for line in names for part in line.split(",") if part.strip())
    assert [spelling for spelling, count in spellings.items() if count > 1] == []
    assert set(spellings) == set(lexicon.products())


def test_finished_products_are_made_of_listed_ingredients() -> None:
    made_of = {name for product in lexicon.products().values() for name in product.ingredients}
    assert made_of
    assert made_of <= set(lexicon.ingredients().canonical)


def test_a_product_line_gives_type_shelf_and_ingredients() -> None:
    found = lexicon.products()["왕갈비탕"]
    assert (found.name, found.kind, found.shelf, found.department) == ("갈비탕", "ready", "국탕", "조리식품")
    assert found.ingredients == ("소갈비",)


def test_every_shelf_is_in_one_department() -> None:
    departments = lexicon.departments()
    shelves = {*lexicon.ingredients().kind.values(), *(product.shelf for product in lexicon.products().values())}
    assert shelves == set(departments)
    assert all(departments.values())
    places = {(product.shelf, product.department) for product in lexicon.products().values()}
    assert len(places) == len({shelf for shelf, _ in places})


def test_shelves_of_ingredients_have_a_department() -> None:
    assert lexicon.departments()["채소"] == "농산"
    assert lexicon.departments()["소고기"] == lexicon.departments()["돼지고기"] == "축산"
    assert lexicon.shelves()["감자"] == "채소"
    assert lexicon.shelves()["갈비탕"] == "국탕"


def test_examples_have_a_kind_and_say_whether_one_cooks() -> None:
    rows = example_rows()
    assert len(rows) > 2000
    assert {tuple(row) for row in rows} == {("title", "kind", "recipes", "ingredients")}
    assert {row["kind"] for row in rows} == set(Kind)
    assert {row["recipes"] for row in rows} == {"0", "1"}
    assert [row for row in rows if not row["title"].strip()] == []


def test_examples_name_canonical_ingredients() -> None:
    listed = lexicon.ingredients().kind
    named = {name for row in example_rows() for name in row["ingredients"].split("|") if name}
    assert named
    assert named <= set(listed)


def test_nobody_cooks_with_what_is_no_food() -> None:
    inedible = [row for row in example_rows() if row["kind"] in {Kind.NONFOOD, Kind.SUPPLEMENT}]
    assert [row for row in inedible if row["recipes"] == "1" or row["ingredients"]] == []


def test_no_example_is_given_twice() -> None:
    titles = Counter(row["title"] for row in example_rows())
    assert [title for title, count in titles.items() if count > 1] == []
