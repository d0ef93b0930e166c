"""Settings of the batch steps."""

from pathlib import Path

from ukok.settings import Settings


class PipelineSettings(Settings):
    """Recipe file of ``ukok run``, and the text encoder to fine-tune."""

    recipes_file: Path | None = None
    bert_base_model: str | None = None
