"""Progress of a run or a crawl for the person at the terminal: one line per step, and a bar while a step takes long."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import structlog
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from crawlers import job
from pipelines.errors import PartlyDone
from pipelines.run import Step, Watch, peak_memory_bytes

log = structlog.get_logger(__name__)

BAR_AFTER_SECONDS = 2.0
MANY_SKIPPED = 3  # skipped steps that are still named one by one
# A mark for terminals that know Unicode, one for those that do not, and the colour of both.
MARKS = {"done": ("✓", "+", "green"), "failed": ("✗", "x", "red"), "skipped": ("–", "-", "yellow")}


@dataclass(frozen=True)
class StepResult:
    """How a step ended: its figures, the reason of its failure, or the step that it lacked; and its seconds.

    ``usable``: steps that need it can run.
    """

    name: str
    status: Literal["done", "failed", "skipped"]
    detail: str
    seconds: float = 0.0
    usable: bool = False


class SlowStepProgress(Progress):
    """A progress bar that is shown once a task has taken ``after`` seconds; never if the console is no terminal."""

    def __init__(self, console: Console, after: float) -> None:
        self.after = after
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
        )
        # Standard error goes to the log; the bar must not catch it.
        super().__init__(
            *columns,
            console=console,
            transient=True,
            disable=not console.is_terminal,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """Only the tasks that take long."""
        yield self.make_tasks_table([task for task in self.tasks if (task.elapsed or 0.0) >= self.after])


@contextmanager
def crawl_progress(name: str, console: Console, after: float = 0.0) -> Iterator[Watch]:
    """Show a bar while the block runs, and yield a function that takes the progress of a crawl.

    The bar shows requests made of those known to be needed, items and the rate; until the first call it only moves.
    """
    with SlowStepProgress(console, after) as bar:
        task = bar.add_task(name, total=None, detail="")

        def watch(now: job.Progress) -> None:
            rate = now.requests / max(now.seconds, 1)
            detail = f"{now.requests:,}/{now.known:,}  {now.items:,} items, {rate:,.1f} pages/s"
            bar.update(task, completed=now.requests, total=now.known, detail=detail)

        yield watch


def run_steps(
    steps: Iterable[Step],
    console: Console,
    reason_of: Callable[[Exception], str | None],
    after: float = BAR_AFTER_SECONDS,
    check_stop: Callable[[], None] = lambda: None,
) -> list[StepResult]:
    """Run the steps in order and print a line for each; a step that needs one that failed is skipped.

    It runs if that one was ``PartlyDone``. ``reason_of`` words an error that a person can act on; of any other the log
    has the traceback. Steps that take longer than ``after`` seconds show a bar. ``check_stop`` is called before each
    step and raises if the run is to end.
    """
    results: dict[str, StepResult] = {}
    for step in steps:
        check_stop()
        lacking = next((name for name in step.needs if not results[name].usable), None)
        if lacking is None:
            with crawl_progress(step.name, console, after) as watch:
                result = _run(step, watch, reason_of)
        else:
            result = StepResult(step.name, "skipped", f"skipped, it needs {lacking}")
        results[step.name] = result
        console.print(_line(result, ascii_only=console.options.ascii_only))
    total, peak = sum(result.seconds for result in results.values()), peak_memory_bytes() / 2**20
    console.print(f"{_counts(results.values())} in {total:.1f} s, peak memory {peak:,.0f} MiB", markup=False)
    return list(results.values())


def why_incomplete(results: Iterable[StepResult]) -> str | None:
    """Name the steps that failed and were skipped, in one line; None if all are done."""
    failed, skipped = ([r.name for r in results if r.status == status] for status in ("failed", "skipped"))
    if not failed:
        return None
    if len(skipped) > MANY_SKIPPED:
        skipped = [f"{len(skipped)} steps that need them"]
    return f"failed: {', '.join(failed)}" + (f"; skipped: {', '.join(skipped)}" if skipped else "")


def _run(step: Step, watch: Watch, reason_of: Callable[[Exception], str | None]) -> StepResult:
    began = time.monotonic()
    try:
        detail = step.run(watch)
    except Exception as error:
        log.exception("step failed", step=step.name)
        reason = reason_of(error) or f"{type(error).__name__}: {error}"
        seconds, usable = time.monotonic() - began, isinstance(error, PartlyDone)
        return StepResult(step.name, "failed", " ".join(reason.split()), seconds, usable)
    return StepResult(step.name, "done", detail, time.monotonic() - began, usable=True)


def _line(result: StepResult, *, ascii_only: bool) -> Text:
    mark, ascii_mark, style = MARKS[result.status]
    seconds = "" if result.status == "skipped" else f"{result.seconds:.1f} s"
    detail_style = "" if result.status == "done" else style
    text = f" {result.name:<14} {seconds:>7}  "
    return Text.assemble((ascii_mark if ascii_only else mark, style), text, (result.detail, detail_style))


def _counts(results: Iterable[StepResult]) -> str:
    counts = Counter(result.status for result in results)
    return ", ".join(f"{count} {status}" for status, count in counts.items())
