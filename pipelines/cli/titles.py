"""`ukok titles`: how titles are read, and what people say of them instead."""

import sys
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import out, table_console
from pipelines.cli.options import wall_clock
from recommender.product_ref import ProductRef, product_of

if TYPE_CHECKING:
    from pipelines.labels.inspect import ShownTitle

app = typer.Typer(no_args_is_help=True, help="See how product titles are read, and label those that are read wrongly.")

By = Annotated[str, typer.Option("--by", default_factory=getuser, help="Who labels.", show_default="your login name")]
Size = Annotated[int, typer.Option(min=1, help="How many to show.")]


def _check_product(name: str) -> ProductRef:
    try:
        return product_of(name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Product = Annotated[
    ProductRef, typer.Argument(parser=_check_product, metavar="PRODUCT", help="A product such as kok:1471015.")
]


@app.command()
def label(
    product: Product,
    kind: Annotated[str, typer.Option(help="ingredient, ready, snack, drink, supplement or nonfood.")],
    by: By,
    ingredient: Annotated[
        list[str] | None, typer.Option(help="A main ingredient, the product's own first; may be repeated.")
    ] = None,
    recipes: Annotated[
        bool | None,
        typer.Option("--recipes/--no-recipes", help="Whether one cooks with it.", show_default="with an ingredient"),
    ] = None,
    note: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Say what a product's title means; that takes precedence over what is read in it.

    The label is kept in table title_label and applies as long as the product has this title. The title is resolved
    again at once; releases that are built later, and the API within a second, go by it.

    Example: `ukok titles label kok:1471015 --kind ready --ingredient 닭고기 --recipes`.
    """
    from pipelines import tasks

    said = {
        "kind": kind,
        "ingredients": ingredient or (),
        "shows_recipes": recipes,
        "labelled_by": by,
        "labelled_at": wall_clock(),
        "note": note,
    }
    for report in tasks.label_title(product, said):
        out.print(str(report))


@app.command("import")
def import_labels(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV in UTF-8, as `export` writes it.")],
    by: By,
) -> None:
    """Import labels from a CSV file, and resolve their titles again.

    Columns: source, product_id, title (as it was labelled) and kind; ingredients (separated by |), shows_recipes,
    labelled_by, labelled_at and note may be blank or missing. Invalid lines are rejected and kept under
    rejects/import_title_labels/ with the line number. Importing twice changes nothing.
    """
    from pipelines import tasks

    for report in tasks.import_labels(file, by, wall_clock()):
        out.print(str(report))


@app.command()
def export(
    file: Annotated[
        Path | None, typer.Argument(dir_okay=False, help="CSV file.", show_default="standard output")
    ] = None,
) -> None:
    """Write all labels as CSV, which `ukok titles import` reads.

    The column state says whether a label applies, is stale because the product's title has changed, or is of a product
    that is not loaded.
    """
    from pipelines import tasks

    if file is None:
        tasks.export_labels(sys.stdout)
        return
    with file.open("w", encoding="utf-8", newline="") as stream:
        out.print(f"{tasks.export_labels(stream):,} labels")


@app.command()
def remove(
    products: Annotated[
        list[ProductRef], typer.Argument(parser=_check_product, metavar="PRODUCT...", help="Such as kok:1471015.")
    ],
) -> None:
    """Delete the labels of products; their titles are then read by the rules and the model again."""
    from pipelines import tasks

    for report in tasks.remove_labels(products):
        out.print(str(report))


@app.command()
def show(title: Annotated[str, typer.Argument(help="A title, or a product such as kok:1471015.")]) -> None:
    """Show how a title is read and why: its words, the probabilities with what weighs most, and its label."""
    from pipelines import tasks

    _print_title(tasks.show_title(title))


@app.command()
def unknown(size: Size = 50) -> None:
    """List the words that no word list knows, by the number of food titles with them, each with an example.

    A word that names an ingredient or a type of goods belongs into the lists under recommender/text/lexicon/.
    """
    from rich.table import Table
    from rich.text import Text

    from pipelines import tasks

    table = Table("word", "titles of food", "titles", "example")
    for word in tasks.unknown_words(size):
        table.add_row(word.word, str(word.edible), str(word.titles), Text(word.example))
    table_console().print(table)


@app.command()
def uncertain(size: Size = 50) -> None:
    """List the titles that are decided most narrowly, which are those that a label is worth most for.

    The probability is that a title is food, an ingredient, or something that recipes are shown for. Titles with a label
    are left out.
    """
    from rich.table import Table
    from rich.text import Text

    from pipelines import tasks

    table = Table("product", "question", "probability", "title")
    for each in tasks.uncertain_titles(size):
        product = f"{each.product.source}:{each.product.product_id}"
        table.add_row(product, each.question, f"{each.probability:.3f}", Text(each.title))
    table_console().print(table)


def _print_title(shown: "ShownTitle") -> None:
    from rich.table import Table

    found = shown.explanation
    resolved, head = found.resolved, found.reading.head
    lines = [
        ("title", found.title),
        ("without packaging", found.words),
        ("read as", _summary(resolved.kind, resolved.ingredients, shows_recipes=None)),
        ("types", ", ".join(resolved.types)),
        ("head", "none" if head is None else f"{head.word.type} ({head.word.sort})"),
        ("known words", ", ".join(f"{hit.word.type or '-'} ({hit.word.sort})" for hit in found.reading.hits)),
    ]
    if shown.label:
        label = shown.label
        said = _summary(label.kind, label.ingredients, shows_recipes=label.shows_recipes)
        lines += [(f"label, {shown.state}", f"{said}; by {label.labelled_by}, {label.labelled_at:%Y-%m-%d %H:%M}")]
        lines += [("note", label.note)] if label.note else []
        lines += [("labelled title", label.title)] if shown.state == "stale" else []
    for name, value in lines:
        out.print(f"{name}: {value}", markup=False)
    table = Table("question", "probability", "what weighs most")
    for question, probability in found.answers._asdict().items():
        reasons = ", ".join(f"{name} {weight:+.2f}" for name, weight in found.reasons[question])
        table.add_row(question, f"{probability:.3f}", reasons)
    table_console().print(table)


def _summary(kind: str, ingredients: tuple[str, ...], *, shows_recipes: bool | None) -> str:
    made_of = f" of {', '.join(ingredients)}" if ingredients else ""
    recipes = "" if shows_recipes is None else ", with recipes" if shows_recipes else ", without recipes"
    return f"{kind}{made_of}{recipes}"
