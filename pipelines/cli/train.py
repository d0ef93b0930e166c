"""`ukok train`: the models that a release is built from."""

import typer

from pipelines.cli.console import out
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
    from pipelines.train.models import SavedModel

    model = tasks.train_item2vec(wall_clock())
    out.print(model.version if isinstance(model, SavedModel) else str(model))


@app.command()
def bert() -> None:
    """Train the sentence encoder on recipe titles and ingredients; writes models/bert/ in the artifacts.

    Takes a minute or two on two cores. UKOK_BERT_BASE_MODEL names a model (name or folder) to fine-tune instead of
    training a small one from scratch.
    """
    from pipelines import tasks

    out.print(tasks.train_bert(wall_clock()).version)
