"""`ukok crawl show-fault`: faults of a crawl by field and page, and the kept pages."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from artifacts.store import Store
from crawlers.items import CATEGORIES
from crawlers.registry import sources
from crawlers.report.faults import NoSuchFault, read_faults, saved_page
from crawlers.runner.crawl import CrawlFailed, crawl
from crawlers.standin.faults import empty_day, renamed, unavailable
from crawlers.standin.server import Standin, running_standin
from tests.builders.command_line import run_ukok
from tests.builders.small_crawl import DAY, NOON, catalog, kok, show

SOURCES = sources()


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    products = [kok(1_000_000 + n, category=CATEGORIES[n % 13]) for n in range(26)]
    with running_standin(catalog(kok=products, shows=[show(1, "14:00", "15:00", 10_000_001)]), NOON) as running:
        yield running


@pytest.fixture
def artifacts_url(tmp_path: Path) -> str:
    """A folder: the kind of store makes no difference here."""
    return str(tmp_path / "artifacts")


@pytest.fixture
def run_id(standin: Standin, store: Store) -> str:
    """A crawl of the mall: prices are unreadable, and one category could not be read."""
    standin.faults.rules[:] = [unavailable("code=1613&page=1&"), renamed("category/uplus/page", "card-info_price")]
    settings = standin.settings.model_copy(update={"crawl_retries": 0})
    run_id = crawl("kok", DAY, 1, NOON, store, settings)[0].run_id
    standin.faults.rules.clear()
    return run_id


Show = Callable[..., str]


@pytest.fixture
def show_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], artifacts_url: str, tmp_path: Path
) -> Show:
    """Run the command in this process; its output, or after a failure the reason."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UKOK_ARTIFACTS_URL", artifacts_url)

    def run(*arguments: str, code: int = 0) -> str:
        ended = run_ukok(monkeypatch, capsys, "crawl", "show-fault", *arguments)
        assert ended.code == code, ended.err
        return ended.err if code else ended.out

    return run


def test_it_shows_faults_and_prints_and_saves_the_page(show_fault: Show, run_id: str, tmp_path: Path) -> None:
    shown = show_fault("kok")
    assert show_fault(run_id) == show_fault(run_id[:9]) == shown
    assert shown.startswith(f"kok {run_id}\n")
    held, broken = [line for line in shown.splitlines() if "at least 90%" in line]
    assert "contract violated: fill of price is 0.0% of 24 items" in held
    assert [cell.strip() for cell in broken.strip("│").split("│")][:5] == [
        "prices",
        "fill",
        "price",
        "at least 90%",
        "0.0% of 24 items",
    ]
    (fault,) = [line for line in shown.splitlines() if "missing or 0" in line]
    dataset, field, count, page, reason, saved = (cell.strip() for cell in fault.strip("│").split("│"))
    assert (dataset, field, count, reason) == ("prices", "price", "24", "missing or 0")
    assert page.startswith("http://127.0.0.1:")
    (scope,) = [line for line in shown.splitlines() if "category 1613" in line]
    assert "HTTP 503" in scope
    text = show_fault("kok", "--page", saved)
    assert "card-info_price_v2" in text
    show_fault("kok", "--page", saved, "--save", "page.html")
    assert (tmp_path / "page.html").read_text() == text.removesuffix("\n")


def test_a_missing_run_or_page_is_an_error(show_fault: Show, run_id: str) -> None:
    assert f"no run '1999'; the newest are {run_id} (kok)" in show_fault("1999", code=1)
    assert f"run {run_id} has saved pages 1 to " in show_fault(run_id, "--page", "99", code=1)
    assert "--page" in show_fault(run_id, "--save", "page.html", code=2)
    assert "no run 'hmall'" in show_fault("hmall", code=1)


def test_a_crawl_without_faults(standin: Standin, store: Store, show_fault: Show) -> None:
    crawl("kok", DAY, 1, NOON, store, standin.settings)
    assert "no faults, every contract holds, all scopes complete" in show_fault("kok")


def test_before_the_first_crawl(show_fault: Show) -> None:
    assert "no run 'kok'; nothing has been crawled yet" in show_fault("kok", code=1)


def test_a_prefix_of_two_runs(standin: Standin, store: Store, show_fault: Show) -> None:
    runs = {crawl("hnsmall", DAY, 1, NOON, store, standin.settings)[0].run_id for _ in range(2)}
    said = show_fault("20250806T03", code=1)
    assert "2 runs begin with '20250806T03'" in said
    assert all(f"{run} (hnsmall)" in said for run in runs)


def test_a_failed_crawl_is_shown(standin: Standin, store: Store, show_fault: Show) -> None:
    standin.faults.rules[:] = [empty_day("tvschedule-list")]
    with pytest.raises(CrawlFailed, match="read no item from") as failed:
        crawl("hnsmall", DAY, 1, NOON, store, standin.settings)
    standin.faults.rules.clear()
    assert store.list("raw/") == []
    found = read_faults(store, "hnsmall", SOURCES)
    assert f"`ukok crawl show-fault {found.run_id}`" in str(failed.value)
    shown = show_fault("hnsmall")
    assert shown.startswith(f"hnsmall {found.run_id}: read no item from")
    assert {violation.rule for _, violation in found.violations} == {"items"}
    assert "scheduleWrap" in show_fault(found.run_id, "--page", "1")
    with pytest.raises(NoSuchFault, match="not 0"):
        saved_page(store, found, 0)
