"""Report of a crawl: its figures are those of the run reports, its changes those of the source."""

import gzip
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from artifacts.open import open_store
from artifacts.raw import ITEMS, REPORT, RawRun, read_items, write_run
from artifacts.store import Store
from crawlers.report.figures import CrawlReport, gather
from crawlers.report.page import render
from crawlers.report.run_index import NoSuchCrawl, find_crawl
from crawlers.report.terminal import summary
from crawlers.run_report import ContractCheck, ContractViolation
from crawlers.runner.crawl import CrawlFailed, crawl
from crawlers.standin.faults import unavailable
from crawlers.standin.server import running_standin
from tests.builders.pages import self_contained
from tests.builders.raw_runs import crawl_report, scope
from tests.builders.small_crawl import DAY, NOON, catalog, day, kok, show

SOURCES = ("kok", "hmall", "hnsmall", "nsmall")
SCRIPT = "<script>alert(1)</script>"
LATER = NOON + timedelta(hours=3)
LAST = NOON + timedelta(hours=6)

KOK = {number: kok(number, price=1_000 * number % 9_000 + 1_000) for number in range(101, 109)}
KOK |= {1600 + code: kok(1600 + code, price=5_000, category=f"16{code}") for code in range(13, 25)}
HMALL = (
    show(2, "09:00", "10:00", 3_001),
    show(2, "12:00", "13:00", 3_002),
    show(2, "14:00", "15:00", 3_003),
    show(2, "16:00", "17:00", 3_004, on=1),
    show(3, "11:00", "12:00", 3_005),
    show(3, "11:00", "12:00", 3_005, on=1),
)


@dataclass(frozen=True)
class Reported:
    """A store with three crawls of the mall and two of a broadcaster, and the report of each."""

    store: Store
    kok: list[CrawlReport]
    hmall: list[CrawlReport]


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    store = open_store(str(tmp_path_factory.mktemp("store")))
    runs: dict[str, list[str]] = {"kok": [], "hmall": []}
    dearer, cheaper = KOK[102].price * 2, KOK[103].price // 2
    second = KOK | {
        102: kok(102, price=dearer, product_name=SCRIPT),
        103: kok(103, price=cheaper),
        109: kok(109, price=2_000),
    }
    del second[104], second[105]
    third = second | {102: KOK[102], 104: KOK[104]}
    changed_shows = (
        show(2, "09:00", "10:00", 3_001, price_text="29,900", dc_price=29_900),
        show(2, "14:00", "15:00", 3_002),
        show(2, "14:00", "15:00", 3_006, "sub"),
        show(2, "16:00", "17:00", 3_004, on=1),
        show(3, "11:00", "12:00", 3_005),
        show(3, "11:00", "12:00", 3_005, on=1),
        show(2, "10:00", "11:00", 3_007, on=2),
    )
    with running_standin(catalog(kok=KOK.values(), shows=HMALL), NOON) as standin:
        runs["kok"].append(crawl("kok", DAY, 1, NOON, store, standin.settings)[0].run_id)
        runs["hmall"].append(crawl("hmall", DAY, 2, NOON, store, standin.settings)[0].run_id)
        standin.show(catalog(kok=second.values(), shows=changed_shows), LATER)
        # A category that cannot be read: what it lists has not vanished.
        standin.faults.rules[:] = [unavailable("code=1613&")]
        runs["kok"].append(crawl("kok", DAY, 1, LATER, store, standin.settings)[0].run_id)
        runs["hmall"].append(crawl("hmall", DAY, 3, LATER, store, standin.settings)[0].run_id)
        standin.show(catalog(kok=third.values(), shows=changed_shows), LAST)
        standin.faults.rules.clear()
        runs["kok"].append(crawl("kok", DAY, 1, LAST, store, standin.settings)[0].run_id)
    reports = {
        source: [gather(store, find_crawl(store, SOURCES, run_id)) for run_id in ids] for source, ids in runs.items()
    }
    return Reported(store, reports["kok"], reports["hmall"])


def last_alone(reported: Reported, folder: Path, **changed: object) -> Store:
    """A store with only the last crawl of the mall, without its page state; ``changed``: fields of its reports."""
    store = open_store(str(folder))
    crawled = find_crawl(reported.store, SOURCES, reported.kok[2].run_id)
    for run in crawled.runs:
        if run.dataset != "pages":
            report = crawled.reports[run.dataset].model_copy(update=changed)
            write_run(store, run, read_items(reported.store, run), report)
    return store


def printed(report: CrawlReport, width: int = 400) -> list[str]:
    file = StringIO()
    console = Console(file=file, width=width, highlight=False)
    for part in summary(report, "var/artifacts/page.html"):
        console.print(part)
    return file.getvalue().splitlines()


def test_plots_are_loaded_only_to_draw_them() -> None:
    code = "import sys, pipelines.crawl, crawlers.report.terminal; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_first_crawl_has_no_changes(reported: Reported) -> None:
    first = reported.kok[0]
    assert first.changes is None
    assert "first crawl of kok" in render(first)
    assert any("this is the first crawl" in line for line in printed(first))


def test_new_vanished_and_returned_products_and_prices_of_the_mall(reported: Reported) -> None:
    changes = reported.kok[1].changes
    assert changes is not None
    assert changes.since == reported.kok[0].run_id
    # 1613 is in the category that could not be read, so it has not vanished.
    assert (changes.new, changes.returned, changes.vanished) == (1, 0, 2)
    assert (changes.cheaper, changes.dearer, changes.percents) == (1, 1, {-50: 1, 100: 1})
    assert [(price.product_id, price.name) for price in changes.biggest] == [(102, SCRIPT), (103, "햇감자 103g")]
    assert changes.moved is None
    assert changes.shows == []


def test_a_product_returns_only_if_its_scope_was_complete_before(reported: Reported) -> None:
    changes = reported.kok[2].changes
    assert changes is not None
    assert (changes.new, changes.returned, changes.vanished) == (0, 1, 0)
    (price,) = changes.biggest
    assert (price.product_id, price.after, price.percent) == (102, KOK[102].price, -50)


def test_shows_that_were_added_cancelled_and_moved(reported: Reported) -> None:
    changes = reported.hmall[1].changes
    assert changes is not None
    # 3007 is on a day that the first crawl did not ask for: new, but not added to a known day.
    assert (changes.added, changes.cancelled, changes.moved, changes.new) == (1, 1, 1, 2)
    kinds = {change.product_id: change.kind for change in changes.shows}
    assert kinds == {3_002: "moved", 3_003: "cancelled", 3_006: "added"}
    (moved,) = (change for change in changes.shows if change.kind == "moved")
    assert moved.before is not None
    assert moved.after is not None
    assert moved.after[1] - moved.before[1] == timedelta(hours=2)
    assert (changes.cheaper, changes.dearer, changes.vanished) == (1, 0, None)


def test_figures_are_those_of_the_run_reports(reported: Reported) -> None:
    for gathered in (*reported.kok, *reported.hmall):
        found = find_crawl(reported.store, SOURCES, gathered.run_id)
        by_dataset = {dataset.name: dataset for dataset in gathered.datasets}
        for run in found.runs:
            report = found.reports[run.dataset]
            if run.dataset == "pages":
                continue
            dataset = by_dataset.pop(run.dataset)
            assert (dataset.items, dataset.requests) == (report.items, report.requests)
            assert dataset.items == len(list(read_items(reported.store, run)))
            assert dataset.complete == sum(scope.complete for scope in report.scopes)
            assert dataset.size == len(reported.store.get(f"{run.stem}.jsonl.gz"))
            assert gathered.traffic == report.traffic
            assert {fill.field: fill.share for fill in gathered.fill if fill.dataset == run.dataset} == (
                report.contract_check.fill if report.items and report.contract_check else {}
            )
            faults = sum(faults.count for faults in gathered.faults if faults.dataset == run.dataset)
            assert faults == sum(fault.count for fault in report.faults)
        assert by_dataset == {}


def test_the_usual_is_the_median_of_the_crawls_before(reported: Reported) -> None:
    prices = [next(dataset for dataset in gathered.datasets if dataset.name == "prices") for gathered in reported.kok]
    assert [dataset.usual for dataset in prices] == [None, 20, (20 + 18) / 2]


def test_product_pages_that_were_read_and_not_due(reported: Reported) -> None:
    first, second, _ = (gathered.pages for gathered in reported.kok)
    assert first is not None
    assert (first.listed, first.changed, first.unchanged, first.not_due, first.left) == (20, 20, 0, 0, 0)
    assert second is not None
    # Two with another price, one that is new.
    assert (second.listed, second.changed + second.unchanged, second.not_due, second.left) == (18, 3, 15, 0)


def test_an_incomplete_scope_is_reported_with_its_reason(reported: Reported) -> None:
    second = reported.kok[1]
    assert second.decision.loadable
    assert "2 of 14 scopes are incomplete" in second.decision.sentence
    assert [each.scope.label for each in second.incomplete] == ["category 1613", "products due"]
    page = render(second)
    assert "HTTP 503" in page
    assert f"ukok crawl show-fault {second.run_id}" in page
    (fault,) = second.faults
    for _, key in fault.saved_pages:
        assert f'href="../../../{key}"' in page
        assert reported.store.exists(key)


@pytest.mark.parametrize("which", ["kok", "hmall"])
def test_the_page_is_valid_self_contained_and_reproducible(which: str, reported: Reported) -> None:
    for gathered in getattr(reported, which):
        page = render(gathered)
        self_contained(page)
        again = gather(reported.store, find_crawl(reported.store, SOURCES, gathered.run_id))
        assert again == gathered
        assert render(again) == page


def test_changed_shows_that_are_not_listed_are_counted(reported: Reported) -> None:
    gathered = reported.hmall[1]
    assert gathered.changes is not None
    assert "more.</p>" not in render(gathered)
    changes = replace(gathered.changes, shows=gathered.changes.shows[:1])
    assert "And 2 more." in render(replace(gathered, changes=changes))


def test_names_are_escaped(reported: Reported) -> None:
    page = render(reported.kok[1])
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert any(SCRIPT in line for line in printed(reported.kok[1]))


def test_korean_stays_text_and_plots_take_the_colours_of_the_page(reported: Reported) -> None:
    page = render(reported.kok[1])
    assert "햇감자 103g" in page
    assert "var(--series)" in page


def test_no_secret_of_the_environment_is_in_the_page(reported: Reported, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"UKOK_WAREHOUSE_DB_URL": "postgresql://u:pa55word@h/w", "AWS_SECRET_ACCESS_KEY": "s3cr3t-key"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    page = render(gather(reported.store, find_crawl(reported.store, SOURCES, "kok")))
    assert not [value for value in secrets.values() if value in page]


def test_the_terminal_gets_the_essentials_in_25_lines(reported: Reported) -> None:
    for gathered in (*reported.kok, *reported.hmall):
        assert len(printed(gathered, width=80)) <= 25
    lines = printed(reported.kok[1])
    assert lines[0].startswith("✓ Loadable, but 2 of 14 scopes are incomplete")
    text = "\n".join(lines)
    assert "1 new, 0 returned, 2 vanished, 1 cheaper, 1 dearer" in text
    assert "category 1613: HTTP 503" in text
    assert "var/artifacts/page.html" in text
    assert "\x1b" not in text
    assert any("1 added, 1 cancelled, 1 moved" in line for line in printed(reported.hmall[1]))


def test_a_contract_violation_is_the_load_decision(reported: Reported, tmp_path: Path) -> None:
    violation = ContractViolation(
        rule="fill", field="price", expected="at least 90%", found="3.0% of 300 items", page=None
    )
    check = ContractCheck(violations=[violation], fill={}, items=300)
    store = last_alone(reported, tmp_path, contract_check=check, gate=None)
    gathered = gather(store, find_crawl(store, SOURCES, "kok"))
    assert not gathered.decision.loadable
    reason = "contract violated: fill of price is 3.0% of 300 items, expected at least 90% (and 1 more)."
    assert gathered.decision.sentence == f"Held back: prices, {reason}"
    assert 'class="decision bad"' in render(gathered)
    assert printed(gathered)[0].startswith("✗ Held back")


def test_a_run_without_contract_check_and_page_state(reported: Reported, tmp_path: Path) -> None:
    store = last_alone(reported, tmp_path, contract_check=None)
    gathered = gather(store, find_crawl(store, SOURCES, "kok"))
    assert (gathered.fill, gathered.pages) == ([], None)
    assert gathered.decision.sentence == "Loadable: no contract was checked, and all 14 scopes are complete."
    ET.fromstring(render(gathered))  # noqa: S314 (our own page)
    assert len(printed(gathered)) > 3


def test_an_unreadable_report_of_an_earlier_crawl_is_left_out(reported: Reported, tmp_path: Path) -> None:
    store = last_alone(reported, tmp_path)
    earlier = RawRun("20250805", "kok", "prices", day(-1))
    write_run(store, earlier, [], crawl_report(earlier, NOON).model_copy(update={"schema_version": 0}))
    gathered = gather(store, find_crawl(store, SOURCES, reported.kok[2].run_id))
    assert gathered.changes is None
    assert earlier.stem in str(gathered.not_compared)
    assert [dataset.usual for dataset in gathered.datasets] == [None, None]


def cut_gzip(items: bytes) -> bytes:
    return items[: len(items) // 2]


def cut_json(items: bytes) -> bytes:
    return gzip.compress(gzip.decompress(items)[:-9])


def in_cp949(_: bytes) -> bytes:
    return gzip.compress('{"category": "1611", "product_name": "포기김치"}\n'.encode("cp949"))


def other_values(_: bytes) -> bytes:
    return gzip.compress(b'{"category": "1611", "kok_product_id": 1, "price": "cheap"}\n')


def no_objects(_: bytes) -> bytes:
    return gzip.compress(b"[]\n")


@pytest.mark.parametrize("damage", [cut_gzip, cut_json, in_cp949, other_values, no_objects])
@pytest.mark.parametrize("dataset", ["prices", "pages"])
def test_a_damaged_file_of_the_last_crawl_is_no_failure(
    reported: Reported, tmp_path: Path, damage: Callable[[bytes], bytes], dataset: str
) -> None:
    store = last_alone(reported, tmp_path)
    for run in find_crawl(reported.store, SOURCES, reported.kok[1].run_id).runs:
        for ending in (ITEMS, REPORT):
            data = reported.store.get(run.stem + ending)
            store.put(run.stem + ending, damage(data) if (run.dataset, ending) == (dataset, ITEMS) else data)
    gathered = gather(store, find_crawl(store, SOURCES, reported.kok[2].run_id))
    assert gathered.changes is None
    assert f"/{dataset}/" in str(gathered.not_compared) or "page state" in str(gathered.not_compared)
    assert "Not compared with the last crawl" in render(gathered)
    assert any("not compared: " in line for line in printed(gathered))
    assert "first crawl" not in render(gathered)


def test_a_crawl_without_items_is_reported_too(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    with running_standin(catalog(kok=[kok(1)]), NOON) as standin:
        standin.faults.rules[:] = [unavailable("/m/event/")]
        with pytest.raises(CrawlFailed):
            crawl("kok", DAY, 1, NOON, store, standin.settings.model_copy(update={"crawl_retries": 0}))
    gathered = gather(store, find_crawl(store, SOURCES))
    assert not gathered.decision.loadable
    assert gathered.decision.sentence.startswith("Failed: the crawl read no item from 14 scopes")
    ET.fromstring(render(gathered))  # noqa: S314 (our own page)
    assert len(printed(gathered, width=80)) <= 25


def test_a_crawl_is_found_by_its_id_its_beginning_or_its_source(reported: Reported) -> None:
    store = reported.store
    assert find_crawl(store, SOURCES).run_id == reported.kok[2].run_id
    assert find_crawl(store, SOURCES, "hmall").run_id == reported.hmall[1].run_id
    beginning = reported.kok[2].run_id.partition("-")[0]
    assert find_crawl(store, SOURCES, beginning).source == "kok"
    for name, reason in {
        "2025": r"5 runs begin with '2025': 20250806T09",
        "2024": r"no run '2024'; the newest are 20250806T09",
        "nsmall": r"no run 'nsmall'; nothing has been crawled yet",
    }.items():
        with pytest.raises(NoSuchCrawl, match=reason):
            find_crawl(store, SOURCES, name)


def test_a_show_on_air_without_a_start_is_the_same_show(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    listed = scope(complete=True, items=1, channel_id=1, day=day(0).isoformat())
    item: dict[str, Any] = {
        "channel_id": 1,
        "requested_day": day(0).isoformat(),
        "source_product_id": 5,
        "product_name": "포기김치",
        "price": 10_000,
        "page_url": "http://example/",
        "ends_at": "2025-08-06T06:00:00Z",
    }
    for run_id, starts_at in (("a", "2025-08-06T05:00:00Z"), ("b", None)):
        run = RawRun(run_id, "hnsmall", "schedule", DAY)
        report = crawl_report(run, NOON, items=1).model_copy(update={"scopes": [listed]})
        write_run(store, run, [item | {"starts_at": starts_at}], report)
    changes = gather(store, find_crawl(store, SOURCES)).changes
    assert changes is not None
    assert (changes.added, changes.cancelled, changes.moved) == (0, 0, 0)
