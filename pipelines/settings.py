"""Settings of the batch steps."""

from pathlib import Path

from ukok.settings import Settings


class PipelineSettings(Settings):
    """Recipe file that ``ukok run`` imports, minimum age of events to ingest, base model of the text encoder."""

    recipes_file: Path | None = None
    ingest_grace_seconds: float = 60.0
    bert_base_model: str | None = None
