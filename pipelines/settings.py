"""Settings of the batch steps."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from ukok.settings import Settings, parse_list

MOST_DAYS = 36_500  # more would reach before the first year


class PipelineSettings(Settings):
    """Files to learn from, the encoder to fine-tune, gate and watch of releases, the version of the code, retention."""

    recipes_file: Path | None = None
    bert_base_model: str | None = None
    titles_file: Path | None = Field(default=None, description="Product titles with a category, as JSON lines")
    purchases_file: Path | None = None
    judgements_dir: Path | None = Field(
        default=None, description="Folder of graded judgements that releases are evaluated with"
    )
    gate_allow_unjudged: Annotated[frozenset[str], NoDecode, BeforeValidator(parse_list)] = Field(
        default=frozenset(), description="Checks of a release that may be without cases, by name"
    )
    code_version: str | None = Field(default=None, description="Commit of the program; by default that of its checkout")

    canary_hours: int = Field(
        default=24, ge=1, le=24 * 14, description="Hours for which a canary, and a new live release, is watched"
    )
    canary_answers: int = Field(
        default=1000, ge=20, description="Recommendations of each release that the promotion of a canary needs"
    )

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
