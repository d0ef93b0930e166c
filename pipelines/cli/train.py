"""`ukok train`: the models that a release is built from."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.console import out, table_console
from pipelines.cli.options import wall_clock

app = typer.Typer(no_args_is_help=True, help="Train the models that a release is built from.")


@app.command()
def word2vec() -> None:
    """Train ingredient vectors on the recipes of the service database; writes models/word2vec/ in the artifacts."""
    from pipelines import tasks

    out.print(tasks.train_word2vec(wall_clock()).version)


@app.command()
def item2vec() -> None:
    """Train product vectors on sessions of events and purchases; writes models/item2vec/ in the artifacts.

    Events come from the warehouse, purchases from the file that UKOK_PURCHASES_FILE names. With too few of both it
    says so and trains nothing.
    """
    from pipelines import tasks

    out.print(tasks.train_item2vec(wall_clock()).outcome)


@app.command()
def personal() -> None:
    """Train what users are recommended on events and purchases; writes models/personal/ in the artifacts.

    Reads what `ukok train item2vec` reads. With too few events, or too few people who came back later, it says so and
    trains nothing: users then get what goes with the things they viewed last.
    """
    from pipelines import tasks

    out.print(tasks.train_personal(wall_clock()).outcome)


@app.command()
def bert() -> None:
    """Train the sentence encoder on titles of recipes and products; writes models/bert/ in the artifacts.

    Takes some minutes on a core. UKOK_BERT_BASE_MODEL names a model (name or folder) to fine-tune instead of training a
    small one from scratch, UKOK_TITLES_FILE more titles to learn from, UKOK_JUDGEMENTS_DIR judgements to measure by.
    """
    from pipelines import tasks

    out.print(tasks.train_bert(wall_clock()).version)


@app.command()
def ranker(
    judgements: Annotated[
        list[Path] | None,
        typer.Option(exists=True, file_okay=False, help="Folder of NAME.tsv with query, candidate, grade."),
    ] = None,
) -> None:
    """Train the rankers of the relations on graded judgements; writes models/ranker/ in the artifacts.

    Without a folder they learn from clicks on recommendations: what was clicked is right, what was passed over above it
    is not. With too few clicks it says so and trains nothing. A relation that nothing judges, or whose weights find
    more of what is clicked than the learnt ones, keeps its weights. Figures are by cross-validation over queries.
    """
    from rich.table import Table

    from pipelines import tasks
    from pipelines.train.models import SavedModel

    trained = tasks.train_ranker(judgements or [], wall_clock())
    if not isinstance(trained, SavedModel):
        out.print(trained.outcome)
        return
    table = Table("relation", "queries", "nDCG@5", "wrong@5", "unjudged")
    for name, figures in trained.figures.cross_validated.items():
        values = (figures.ndcg_at_5, figures.wrong_at_5, figures.unjudged)
        table.add_row(name, str(figures.queries), *("" if value is None else f"{value:.3f}" for value in values))
    table_console().print(table)
    out.print(trained.version)
