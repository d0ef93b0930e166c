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
def bert() -> None:
    """Train the sentence encoder on titles of recipes and products; writes models/bert/ in the artifacts.

    Takes some minutes on a core. UKOK_BERT_BASE_MODEL names a model (name or folder) to fine-tune instead of training a
    small one from scratch, UKOK_TITLES_FILE more titles to learn from, UKOK_JUDGEMENTS_DIR judgements to measure by.
    """
    from pipelines import tasks

    out.print(tasks.train_bert(wall_clock()).version)
