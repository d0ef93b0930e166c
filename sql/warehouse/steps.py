"""Pipeline bookkeeping: step reports, the ledger of loaded files, the register of releases."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Double, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sql.types import UtcDateTime
from sql.warehouse.base import WarehouseBase


class StepRun(WarehouseBase):
    """The report of one run of one step."""

    __tablename__ = "step_run"
    __table_args__ = (
        {"comment": "Reports of pipeline steps, one row per run", "info": {"grain": "one row per run of a step"}},
    )

    run_id: Mapped[str] = mapped_column(String(64), primary_key=True, comment="Id of the run; ids sort by time")
    step: Mapped[str] = mapped_column(String(60), index=True, comment="load_kok, ingest_logs, build_release, ...")
    status: Mapped[str] = mapped_column(String(10), comment="running, done, failed, or killed: its process is gone")
    interval_start: Mapped[datetime | None] = mapped_column(UtcDateTime, comment="Data interval, start included")
    interval_end: Mapped[datetime | None] = mapped_column(UtcDateTime, comment="Data interval, end excluded")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="Wall clock")
    seconds: Mapped[float | None] = mapped_column(Double, comment="Duration; NULL while running and if killed")
    rows_read: Mapped[int] = mapped_column(BigInteger, comment="Items read")
    rows_written: Mapped[int] = mapped_column(BigInteger, comment="Rows inserted or changed")
    rows_unchanged: Mapped[int] = mapped_column(BigInteger, comment="Items that changed nothing")
    rejected: Mapped[dict[str, int]] = mapped_column(JSONB, comment="Items rejected, by reason")
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Metrics of the step")
    error: Mapped[str | None] = mapped_column(Text, comment="One line; NULL unless failed or killed")


class LoadedFile(WarehouseBase):
    """Ledger of raw files; a row is written in the transaction that loads the file."""

    __tablename__ = "loaded_file"
    __table_args__ = (
        {"comment": "Raw files already loaded into the warehouse", "info": {"grain": "one row per raw file"}},
    )

    source: Mapped[str] = mapped_column(String(20), primary_key=True, comment="kok, hnsmall, hmall, nsmall or recipes")
    dataset: Mapped[str] = mapped_column(String(40), primary_key=True, comment="prices, products, schedule, recipes")
    run_id: Mapped[str] = mapped_column(String(64), primary_key=True, comment="Crawl that wrote the file")
    day: Mapped[str] = mapped_column(String(10), comment="KST date of the crawl")
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="Wall clock of the load")
    rows_read: Mapped[int] = mapped_column(BigInteger, comment="Items in the file")
    status: Mapped[str] = mapped_column(
        String(10),
        server_default="loaded",
        comment="loaded; overtaken if it was held back until newer files took its place",
    )
    held_scopes: Mapped[str | None] = mapped_column(
        Text, comment="Scopes that are held back and not loaded, one a line; NULL without any"
    )


class ReleaseRecord(WarehouseBase):
    """A built release with its evaluation."""

    __tablename__ = "release"
    __table_args__ = ({"comment": "Register of releases", "info": {"grain": "one row per built release"}},)

    version: Mapped[str] = mapped_column(String(64), primary_key=True, comment="Name under releases/")
    built_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="When it was built")
    promoted_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, comment="When it last became current; NULL = never"
    )
    replaced: Mapped[str | None] = mapped_column(
        String(64), comment="Release that it replaced when it last became current; NULL after a rollback to it"
    )
    evaluation: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="Metrics and gate decision")


class ReleaseWatch(WarehouseBase):
    """A decision about a release that is served to some visitors, or that went live a short time ago."""

    __tablename__ = "release_watch"
    __table_args__ = (
        {
            "comment": "Decisions about canaries and new live releases, with the figures that they rest on",
            "info": {"grain": "one row per decision"},
        },
    )

    run_id: Mapped[str] = mapped_column(String(64), primary_key=True, comment="Run of the step watch_release")
    watched_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True, comment="Instant that the figures go up to")
    kind: Mapped[str] = mapped_column(
        String(10), comment="canary: served beside its baseline; promotion: live since a short time ago"
    )
    version: Mapped[str] = mapped_column(String(64), comment="The release in question")
    baseline: Mapped[str] = mapped_column(String(64), comment="The release that it is compared with")
    share: Mapped[float | None] = mapped_column(Double, comment="Share of the visitors; NULL for a promotion")
    since: Mapped[datetime] = mapped_column(UtcDateTime, comment="Begin of its figures")
    baseline_since: Mapped[datetime] = mapped_column(UtcDateTime, comment="Begin of the figures of the baseline")
    shown: Mapped[int] = mapped_column(BigInteger, comment="Recommendations that it answered, empty ones included")
    clicked: Mapped[int] = mapped_column(BigInteger, comment="Of these, how many somebody clicked an item of")
    simpler: Mapped[int] = mapped_column(BigInteger, comment="Of these, how many were empty or of a simpler stage")
    failed: Mapped[int] = mapped_column(BigInteger, comment="Requests that it answered by an error of the API")
    baseline_shown: Mapped[int] = mapped_column(BigInteger, comment="As shown, of the baseline")
    baseline_clicked: Mapped[int] = mapped_column(BigInteger, comment="As clicked, of the baseline")
    baseline_simpler: Mapped[int] = mapped_column(BigInteger, comment="As simpler, of the baseline")
    baseline_failed: Mapped[int] = mapped_column(BigInteger, comment="As failed, of the baseline")
    p_value: Mapped[float | None] = mapped_column(
        Double, comment="Chance of so low a click-through if it is no worse; NULL if it was not compared"
    )
    decision: Mapped[str] = mapped_column(String(10), comment="promote, roll_back or wait")
    reason: Mapped[str] = mapped_column(Text, comment="Why, in one line")
