"""What is shown while something works: on a terminal only."""

from io import StringIO

from rich.console import Console

from crawlers.job import Progress
from pipelines.progress import crawl_progress


def shown(*, terminal: bool) -> str:
    told = StringIO()
    with crawl_progress("kok", Console(file=told, force_terminal=terminal, width=100)) as watch:
        watch(Progress(requests=120, known=4_532, items=2_400, seconds=60))
    return told.getvalue()


def test_a_terminal_shows_how_far_a_crawl_is() -> None:
    line = shown(terminal=True)
    assert "kok" in line
    assert "120/4,532" in line
    assert "2,400 items, 2.0 pages/s" in line


def test_a_file_gets_none_of_it() -> None:
    assert shown(terminal=False).strip() == ""
