"""Where artifacts are kept."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class ArtifactSettings(BaseSettings):
    """A folder (default ``var/artifacts``) or ``s3://bucket/prefix``; the usual AWS variables hold S3 credentials."""

    model_config = SettingsConfigDict(env_prefix="UKOK_", env_file=".env", extra="ignore", env_ignore_empty=True)

    artifacts_url: str | None = None
    s3_endpoint_url: str | None = None
    var_dir: Path = Path("var")
