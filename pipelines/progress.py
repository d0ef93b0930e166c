"""Shows a run while it works: a live line on a terminal, plain lines otherwise, and a table at the end."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from crawlers import job
from pipelines.run import Done, Step, peak_memory_bytes, timed


def follow(steps: Iterable[Step], console: Console) -> None:
    """Do the steps in order and say how each went; the first that raises ends the run."""
    done: list[Done] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for step in steps:
            line = progress.add_task(step.title)
            done.append(timed(step))
            progress.remove_task(line)
            for said in done[-1].lines:
                console.print(f"[green]✓[/] {step.title:<14} {said}")
    console.print(_summary(done))


@contextmanager
def watching(source: str, console: Console) -> Iterator[Callable[[job.Progress], None]]:
    """Show how far a crawl is, on a terminal only: requests made of those known to be needed, items, and the rate."""
    found = TextColumn("{task.fields[found]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), found, TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        line = bar.add_task(source, total=None, found="")

        def watch(now: job.Progress) -> None:
            rate = now.requests / max(now.seconds, 1)
            bar.update(line, completed=now.requests, total=now.known, found=f"{now.items:,} items, {rate:,.1f} pages/s")

        yield watch


def _summary(done: Iterable[Done]) -> Table:
    table = Table("step", "seconds", title="What the run took")
    total = 0.0
    for each in done:
        table.add_row(each.title, f"{each.seconds:.1f}")
        total += each.seconds
    table.add_section()
    table.add_row("the whole job", f"{total:.1f}")
    table.add_row("peak memory", f"{peak_memory_bytes() / 2**20:,.0f} MiB")
    return table
