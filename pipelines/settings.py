"""Settings of the batch steps."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class PipelineSettings(BaseSettings):
    """Recipe file of ``ukok run``, grace period of events in seconds, and the text encoder to fine-tune."""

    model_config = SettingsConfigDict(env_prefix="UKOK_", env_file=".env", extra="ignore")

    var_dir: Path = Path("var")
    recipes_file: Path | None = None
    ingest_grace_seconds: float = 60.0
    bert_base_model: str | None = None
