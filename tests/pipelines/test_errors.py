"""Reasons of errors: one line where a person can act, none for a bug."""

from pathlib import Path

import pymysql
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import OperationalError

from artifacts.errors import StoreError
from artifacts.open import open_store
from artifacts.raw import RawRun, new_run_id
from crawlers.gates.holds import Holds
from crawlers.run_report import CrawlSummary
from crawlers.settings import CrawlSettings
from pipelines.cli.errors import reason_of
from pipelines.errors import is_permanent
from pipelines.load.gates import FileHeldBack, PendingHold
from pipelines.release.publish import ReleaseRefused
from pipelines.train.models import ModelCard, fetch_newest
from recommender.evaluation.results import Word2VecFigures
from tests.builders.small_crawl import DAY, NOON


def invalid(model: type[BaseModel], **values: object) -> ValidationError:
    with pytest.raises(ValidationError) as raised:
        model.model_validate(values)
    return raised.value


def test_an_invalid_setting_is_named() -> None:
    reason = reason_of(invalid(CrawlSettings, kok_url="kok.uplus.co.kr"))
    assert reason is not None
    assert reason.startswith("setting UKOK_KOK_URL: ")


def test_other_invalid_data_is_no_setting() -> None:
    assert reason_of(invalid(CrawlSummary)) is None


@pytest.mark.parametrize(
    "error",
    [
        FileHeldBack([PendingHold(RawRun(new_run_id(NOON), "kok", "prices", DAY), Holds(("why",)), 13)], NOON),
        ReleaseRefused("why"),
        StoreError("why"),
        ValueError("why"),
        OSError("why"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_of_steps_give_their_reason(error: Exception) -> None:
    reason = reason_of(error)
    assert reason is not None
    assert "why" in reason


def test_a_built_in_runtime_error_is_a_bug() -> None:
    assert reason_of(RuntimeError("no standard input")) is None
    assert reason_of(KeyError("name")) is None


def test_a_damaged_model_card_is_named(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put("models/word2vec/1/model.json", b'{"seed": 1}')
    folder = tmp_path / "model"
    with pytest.raises(StoreError, match=r"models/word2vec/1/model.json is not valid .* run `ukok train word2vec`"):
        fetch_newest(store, "word2vec", folder, ModelCard[Word2VecFigures])


@pytest.mark.parametrize(("number", "permanent"), [(1142, True), (1290, False), (1040, False), (1053, False)])
def test_an_outage_passes_and_a_missing_privilege_stays(number: int, permanent: bool) -> None:
    error = OperationalError("INSERT", None, pymysql.err.OperationalError(number, "refused"))
    assert is_permanent(error) == permanent
    assert "the server " in str(reason_of(error))
