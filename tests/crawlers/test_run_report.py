"""Run reports: what is written is read back, and a damaged or newer report is refused with its file name."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from artifacts.errors import StoreError
from artifacts.raw import SCHEMA_VERSION, RawRun, UnreadableReport, dump_report, write_run
from artifacts.store import Store
from crawlers.report.run_index import find_crawl
from crawlers.run_report import CrawlRunReport, FailedCrawlReport, read_crawl_report
from tests.builders.raw_runs import crawl_report, scope
from tests.builders.small_crawl import DAY, NOON

RUN = RawRun("20250806T030000000000Z-aaaaaa", "kok", "prices", DAY)
KEY = "raw/kok/prices/dt=2025-08-06/20250806T030000000000Z-aaaaaa.report.json"


def written(store: Store) -> CrawlRunReport:
    """Write a run with its report, and return the report."""
    scopes = [scope(complete=True, items=3, category="1611"), scope(complete=False, channel_id=4, day="2025-08-06")]
    report = crawl_report(RUN, NOON, items=3).model_copy(update={"scopes": scopes, "taken_over": {"a": 7}})
    write_run(store, RUN, [{}] * 3, report)
    return report


def change(store: Store, **values: Any) -> None:
    """Change values of the stored report."""
    store.put(KEY, json.dumps(json.loads(store.get(KEY)) | values).encode())


def test_a_report_is_read_as_it_was_written(store: Store) -> None:
    report = written(store)
    assert read_crawl_report(store, RUN) == report
    assert [type(value) for key in report.scopes for value in key.key.values()] == [str, int, str]
    assert json.loads(store.get(KEY))["schema_version"] == SCHEMA_VERSION


def test_a_report_is_frozen_and_gets_the_number_of_items_written(store: Store) -> None:
    report = crawl_report(RUN, NOON)
    write_run(store, RUN, [{}] * 3, report)
    assert (report.items, read_crawl_report(store, RUN).items) == (0, 3)
    with pytest.raises(ValidationError, match="frozen"):
        report.items = 3  # type: ignore[misc]  # what is tested


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, None])
def test_a_report_of_another_schema_version_is_refused(store: Store, version: int | None) -> None:
    written(store)
    change(store, schema_version=version)
    with pytest.raises(
        UnreadableReport, match=f"{KEY} has schema version {version}, .* reads version {SCHEMA_VERSION}"
    ):
        read_crawl_report(store, RUN)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"items": "many"}, "items: Input should be a valid integer"),
        ({"traffic": None}, "traffic: Input should be"),
        ({"scopes": [{"key": {}}]}, r"scopes\.0\.complete: Field required"),
        ({"verdict": "good"}, "verdict: Extra inputs are not permitted"),
    ],
)
def test_a_damaged_report_names_its_file_and_field(store: Store, values: dict[str, Any], reason: str) -> None:
    written(store)
    change(store, **values)
    with pytest.raises(UnreadableReport, match=f"the report {KEY} is damaged: {reason}"):
        read_crawl_report(store, RUN)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"schema_version": 1', b"\xff"])
def test_a_report_that_is_not_a_json_object_is_refused(store: Store, data: bytes) -> None:
    written(store)
    store.put(KEY, data)
    with pytest.raises(StoreError, match=f"the report {KEY} is not a JSON object"):
        read_crawl_report(store, RUN)


def test_the_report_of_a_failed_crawl_is_found_and_checked(store: Store) -> None:
    report = crawl_report(RUN, NOON)
    key = f"faults/kok/{RUN.run_id}/report.json"
    store.put(key, dump_report(FailedCrawlReport(failed="read no item", datasets={"prices": report})))
    crawl = find_crawl(store, ["kok"])
    assert (crawl.failed, crawl.reports, crawl.runs) == ("read no item", {"prices": report}, [])
    store.put(key, b'{"schema_version": 1}')
    with pytest.raises(UnreadableReport, match=f"the report {key} is damaged: failed: Field required"):
        find_crawl(store, ["kok"])
