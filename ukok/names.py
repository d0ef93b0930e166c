"""Misspelt names of settings and parameters."""

import os
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

PREFIX: Final = "UKOK_"
ENV_FILE: Final = Path(".env")
OF_TESTS: Final = ("UKOK_TEST_", "UKOK_SHARED_DATA")
# Fields of all settings classes, some of which take a second to import; a test compares them.
SETTINGS: Final = frozenset(
    [
        "access_token_minutes",
        "alert_email",
        "alert_webhook_url",
        "artifacts_url",
        "bert_base_model",
        "canary_answers",
        "canary_hours",
        "chromium",
        "code_version",
        "contact",
        "cors_origins",
        "crawl_browser",
        "crawl_concurrency",
        "crawl_daily_requests",
        "crawl_delay_seconds",
        "crawl_images",
        "crawl_images_megabytes",
        "crawl_max_wait_seconds",
        "crawl_outage_seconds",
        "crawl_page_age_days",
        "crawl_retries",
        "environment",
        "gate_allow_unjudged",
        "hmall_api_url",
        "hmall_url",
        "hnsmall_url",
        "image_url",
        "judgements_dir",
        "keep_event_days",
        "keep_raw_days",
        "keep_releases",
        "keep_report_days",
        "kok_url",
        "login_days",
        "mail_from",
        "mailer",
        "more_urls",
        "nsmall_api_url",
        "nsmall_url",
        "poll_seconds",
        "purchases_file",
        "recipes_file",
        "refresh_token_days",
        "s3_endpoint_url",
        "secret_key",
        "service_db_url",
        "site_url",
        "smtp_url",
        "spider_modules",
        "titles_file",
        "var_dir",
        "warehouse_db_url",
    ]
)


def unknown_names(names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """Say of each name that is not ``known`` so, with the known name that it resembles."""
    for name in sorted(set(names) - set(known)):
        close = get_close_matches(name, known, n=1)
        yield f"{name} is not known" + (f": did you mean {close[0]}?" if close else "")


def unknown_settings() -> Iterator[str]:
    """Say of each variable ``UKOK_…`` of the environment and of ``.env`` that no setting reads so."""
    names = (name.upper() for name in (*os.environ, *_names_in_env_file()))
    ours = (name for name in names if name.startswith(PREFIX) and not name.startswith(OF_TESTS))
    return unknown_names(ours, {f"{PREFIX}{name.upper()}" for name in SETTINGS})


def _names_in_env_file() -> Iterable[str]:
    try:
        return dotenv_values(ENV_FILE)
    except (OSError, UnicodeDecodeError):  # the settings classes report it
        return ()
