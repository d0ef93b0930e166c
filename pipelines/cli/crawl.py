"""`ukok crawl`: read the sources, and show what a crawl found."""

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawlers.registry import MALL, sources
from pipelines.cli.console import err, out, table_console
from pipelines.cli.options import DAYS, Day, Days, day_of, instant_of, wall_clock

if TYPE_CHECKING:
    from crawlers.report.figures import CrawlReport

app = typer.Typer(no_args_is_help=True, help="Read the sources into the raw zone, and show what a crawl found.")

HELP = """Read SOURCE into the raw zone: {listings}, and the product pages that are due.

    Writes raw/SOURCE/... under UKOK_ARTIFACTS_URL, with a report of what was covered. If a crawl was killed, run it
    again: it takes over the product pages that were read. Parts that could not be read in full are marked incomplete,
    and loading concludes nothing from them; pages with faults are kept under faults/SOURCE/. Prints a summary and
    where the full report is. Fails when no item was read, when too few of the due product pages were received (what
    was read is kept), or when UKOK_CRAWL_DAILY_REQUESTS are used up.

    {days}

    Example: `{example}`.
    """


def _add_mall(source: str) -> None:
    """Add the command `ukok crawl SOURCE` of the mall, which has no schedule."""
    days = "It shows the prices of this moment, so another day can be named for a stand-in only."
    text = HELP.format(listings="the lists of all categories", days=days, example="ukok crawl SOURCE")

    @app.command(source, help=text.replace("SOURCE", source), short_help=f"Read {source} into the raw zone.")
    def crawl(day: Day = None) -> None:
        _crawl(source, day_of(day), 1)


def _add_broadcaster(source: str) -> None:
    """Add the command `ukok crawl SOURCE` of a broadcaster."""
    days = "Schedules of past and coming days are read as they are shown now, and stamped with this moment."
    text = HELP.format(listings="schedules", days=days, example="ukok crawl SOURCE --days 5")

    @app.command(source, help=text.replace("SOURCE", source), short_help=f"Read {source} into the raw zone.")
    def crawl(day: Day = None, days: Days = DAYS) -> None:
        _crawl(source, day_of(day), days)


def _crawl(source: str, day: date, days: int) -> None:
    from pipelines import tasks
    from pipelines.progress import crawl_progress

    with crawl_progress(source, err) as watch:
        step, crawled = tasks.crawl_and_report(source, day, days, instant_of(day, [source]), watch)
    out.print(str(step))
    _print_report(crawled)


for name in sources():
    if name == MALL:
        _add_mall(name)
    else:
        _add_broadcaster(name)


@app.command()
def report(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]", help="A run id, a unique beginning of one, or a source.", show_default="the newest"
        ),
    ] = None,
) -> None:
    """Summarise what a crawl read, missed and changed since the crawl before, and write the full report.

    The report is one HTML file that needs no network: reports/crawl/SOURCE/RUN.html in the artifacts. Every crawl
    writes its own; this command writes it again, e.g. if the crawl was killed before it could.

    Example: `ukok crawl report kok`.
    """
    from artifacts.open import open_store
    from pipelines.crawl import report_crawl

    _print_report(report_crawl(open_store(), run))


@app.command("show-fault")
def show_fault(
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run id, a unique beginning of one, or a source for its newest crawl."),
    ],
    page: Annotated[int | None, typer.Option(min=1, help="Print saved page number N as the source sent it.")] = None,
    save: Annotated[Path | None, typer.Option(dir_okay=False, help="Write that page to a file instead.")] = None,
) -> None:
    """Show what went wrong in a crawl: what is held back, contract violations, faults, and incomplete scopes.

    Also shows crawls that failed altogether. Pages with faults are kept under faults/ in the artifacts.

    Example: `ukok crawl show-fault kok --page 1 --save page.html`.
    """
    from artifacts.open import open_store
    from pipelines.show_fault import fault_page, fault_tables

    if page is None:
        if save is not None:
            raise typer.BadParameter("name the page to save with --page", param_hint="--save")
        console = table_console()
        for part in fault_tables(open_store(), run):
            console.print(part)
        return
    body = fault_page(open_store(), run, page)
    if save is None:
        typer.echo(body.decode(errors="replace"))
    else:
        save.write_bytes(body)
        out.print(f"wrote {len(body):,} bytes to {save}", markup=False)


@app.command()
def record(
    url: Annotated[str, typer.Argument(help="Address of a page that a spider reads, e.g. of a product.")],
    into: Annotated[Path, typer.Option(help="Folder of the recordings.")] = Path("tests/crawlers/recorded"),
    name: Annotated[
        str | None, typer.Option(help="Name of the recording.", show_default="derived from the address")
    ] = None,
) -> None:
    """Record a page of a source with the items that its spider reads from it, as a test case.

    Fetches the page as politely as a crawl. Check items.json before you commit it: the tests will expect its content.
    Names of customers are masked.

    Example: `ukok crawl record 'https://m.nsmall.com/goods/34501619' --name nsmall_without_metas`.
    """
    from crawlers.runner.record import record as record_page
    from crawlers.settings import CrawlSettings

    folder = into / (name or "_".join(re.findall(r"[\w.]+", url)[1:]))
    items = record_page(url, folder, wall_clock(), CrawlSettings())
    out.print(f"{len(items)} items in {folder}", markup=False)


def _print_report(crawled: "CrawlReport") -> None:
    from artifacts.open import store_url
    from crawlers.report.terminal import summary

    console = table_console()
    for part in summary(crawled, f"{store_url()}/{crawled.key}"):
        console.print(part)
