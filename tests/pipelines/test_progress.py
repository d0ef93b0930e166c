"""What a run and a crawl show while they work, and how failures of steps are shown."""

import signal
from collections.abc import Callable
from io import StringIO

import pytest
from rich.console import Console

from crawlers.job import Progress
from pipelines.cli.signals import STOP, stop_signals
from pipelines.errors import PartlyDone
from pipelines.progress import crawl_progress, run_steps, why_incomplete
from pipelines.run import Step, Watch

pytestmark = pytest.mark.usefixtures("default_signals")


def shown(*, terminal: bool, after: float = 0) -> str:
    output = StringIO()
    with crawl_progress("kok", Console(file=output, force_terminal=terminal, width=100), after) as watch:
        watch(Progress(requests=120, known=4_532, items=2_400, seconds=60))
    return output.getvalue()


def test_a_terminal_shows_how_far_a_crawl_is() -> None:
    line = shown(terminal=True)
    assert "kok" in line
    assert "120/4,532" in line
    assert "2,400 items, 2.0 pages/s" in line


def test_a_file_gets_no_progress_bar() -> None:
    assert shown(terminal=False).strip() == ""


def test_a_short_step_shows_no_progress_bar() -> None:
    assert "kok" not in shown(terminal=True, after=60)


def step(name: str, result: str | Exception, *needs: str) -> Step:
    def run(_: Watch) -> str:
        if isinstance(result, Exception):
            raise result
        return result

    return Step(name, run, needs)


def reason_of(error: Exception) -> str | None:
    return str(error) if isinstance(error, ValueError) else None


def ran(*steps: Step) -> tuple[list[str], str | None]:
    """The lines of a run of these steps, and why it is incomplete."""
    output = StringIO()
    results = run_steps(steps, Console(file=output, width=200), reason_of)
    return output.getvalue().splitlines(), why_incomplete(results)


def test_each_step_has_a_line_with_its_seconds_and_figures() -> None:
    lines, incomplete = ran(step("crawl kok", "600 read"), step("load kok", "[bold] 5 written", "crawl kok"))
    assert [line.split() for line in lines[:2]] == [
        ["✓", "crawl", "kok", "0.0", "s", "600", "read"],
        ["✓", "load", "kok", "0.0", "s", "[bold]", "5", "written"],
    ]
    assert lines[2].startswith("2 done in 0.0 s, peak memory ")
    assert len(lines) == 3
    assert incomplete is None


def test_only_steps_that_need_a_failed_one_are_skipped() -> None:
    lines, incomplete = ran(
        step("crawl kok", ValueError("the mall is\nunreachable")),
        step("load kok", "never", "crawl kok"),
        step("prices", "never", "load kok"),
        step("load hmall", "7 read"),
    )
    assert [line.split(maxsplit=1)[0] for line in lines] == ["✗", "–", "–", "✓", "1"]
    assert lines[0].endswith("the mall is unreachable")
    assert lines[1].endswith("skipped, it needs crawl kok")
    assert lines[2].endswith("skipped, it needs load kok")
    assert lines[4].startswith("1 failed, 2 skipped, 1 done in ")
    assert incomplete == "failed: crawl kok; skipped: load kok, prices"


def test_a_step_that_is_partly_done_does_not_stop_the_next() -> None:
    partly = step("crawl kok", PartlyDone("18 of 20 pages"))
    lines, incomplete = ran(partly, step("load kok", "5 written", "crawl kok"))
    assert [line.split(maxsplit=1)[0] for line in lines] == ["✗", "✓", "1"]
    assert incomplete == "failed: crawl kok"


def test_a_bug_fails_its_step_in_one_line() -> None:
    lines, incomplete = ran(step("link", KeyError("price")), step("events", "0 read"))
    assert lines[0].endswith("KeyError: 'price'")
    assert lines[1].startswith("✓ events")
    assert incomplete == "failed: link"


def test_many_skipped_steps_are_counted() -> None:
    names = [f"step {number}" for number in range(5)]
    _, incomplete = ran(step("databases", ValueError("away")), *(step(name, "", "databases") for name in names))
    assert incomplete == "failed: databases; skipped: 5 steps that need them"


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_ends_the_run(interrupt: Callable[[], BaseException]) -> None:
    def stop(_: Watch) -> str:
        raise interrupt()

    with pytest.raises(BaseException) as caught:  # noqa: PT011 (which one is asserted below)
        ran(Step("crawl kok", stop, ()), step("load kok", "never"))
    assert type(caught.value) is interrupt


def test_a_swallowed_interrupt_ends_the_run_after_its_step() -> None:
    stopped = []

    def swallow(_: Watch) -> str:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            stopped.append("swallow")
        return "done all the same"

    steps = (Step("crawl kok", swallow, ()), step("load kok", "never"))
    output = StringIO()
    with pytest.raises(KeyboardInterrupt), stop_signals() as check:
        run_steps(steps, Console(file=output, width=200), reason_of, check_stop=check)
    assert stopped == ["swallow"]
    assert "crawl kok" in output.getvalue()
    assert "load kok" not in output.getvalue()


@pytest.mark.parametrize("number", sorted(STOP))
def test_a_stop_signal_ends_a_block_until_its_end(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises((KeyboardInterrupt, SystemExit)) as caught, stop_signals():
        signal.raise_signal(number)
    assert getattr(caught.value, "code", 130) == 128 + number
    assert signal.getsignal(number) is before


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals() as check:
            signal.raise_signal(signal.SIGHUP)
            check()
    finally:
        signal.signal(signal.SIGHUP, before)
