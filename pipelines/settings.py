"""Settings of the batch steps."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class PipelineSettings(BaseSettings):
    """What ``ukok run`` imports, how late an event may still be on its way, and which text encoder is tuned."""

    model_config = SettingsConfigDict(env_prefix="UKOK_", env_file=".env", extra="ignore")

    var_dir: Path = Path("var")
    recipes_file: Path | None = None
    ingest_grace_seconds: float = 60.0
    bert_base_model: str | None = None
