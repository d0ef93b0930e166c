"""Settings of the batch steps."""

from pathlib import Path

from ukok.settings import Settings


class PipelineSettings(Settings):
    """Recipe file of ``ukok run``, grace period of events in seconds, and the text encoder to fine-tune."""

    recipes_file: Path | None = None
    ingest_grace_seconds: float = 60.0
    bert_base_model: str | None = None
