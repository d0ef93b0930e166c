"""Settings of the batch steps."""

from pathlib import Path

from pydantic import Field

from ukok.settings import Settings

MOST_DAYS = 36_500  # more would reach before the first year


class PipelineSettings(Settings):
    """Files to learn from, the text encoder to fine-tune, the version of the code, and retention."""

    recipes_file: Path | None = None
    bert_base_model: str | None = None
    purchases_file: Path | None = None
    code_version: str | None = Field(default=None, description="Commit of the program; by default that of its checkout")

    keep_releases: int = Field(default=5, ge=1, description="Newest releases, and newest models of each kind, to keep")
    keep_raw_days: int = Field(
        default=400, ge=31, le=MOST_DAYS, description="Days for which files of the raw zone are kept"
    )
    keep_event_days: int = Field(
        default=30, ge=2, le=MOST_DAYS, description="Days for which ingested events stay in user_event"
    )
    keep_report_days: int = Field(
        default=90,
        ge=2,
        le=MOST_DAYS,
        description="Days for which reports, saved pages, rejects, logs and step_run are kept",
    )
