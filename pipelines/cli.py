"""The command line `ukok`: one command a step."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from crawlers.registry import sources

if TYPE_CHECKING:
    from crawlers.report.figures import CrawlReport

KST = ZoneInfo("Asia/Seoul")
DAYS = 11
# A request that is never sent to its end must not keep the API from stopping.
STOP_SECONDS = 8

app = typer.Typer(
    name="ukok",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="The data platform behind U+콕's recommendations: crawl, load, learn, release, serve. "
    "Settings come from UKOK_* variables or a file .env; with none, all runs on an embedded PostgreSQL under var/. "
    "Exit codes: 0 done, 1 failed with the reason in one line, 2 wrong usage.",
)
db = typer.Typer(no_args_is_help=True, help="The embedded PostgreSQL, and the schema of both databases.")
crawl = typer.Typer(no_args_is_help=True, help="Read the sources into the raw zone, and look at what a crawl found.")
recipes = typer.Typer(no_args_is_help=True, help="Recipes of the open data set.")
logs = typer.Typer(no_args_is_help=True, help="User events.")
train = typer.Typer(no_args_is_help=True, help="The models that a release is built from.")
release = typer.Typer(
    no_args_is_help=True, help="What the API recommends from: build, check, put in service, take back."
)
for name, group in {
    "db": db,
    "crawl": crawl,
    "recipes": recipes,
    "logs": logs,
    "train": train,
    "release": release,
}.items():
    app.add_typer(group, name=name)

CRAWL = """Read SOURCE into the raw zone: listings or schedules, and the product pages that are due.

    Writes raw/SOURCE/... under UKOK_ARTIFACTS_URL, with a report of what was covered. A crawl that was killed is run
    again, and takes over what it had read of product pages. What could not be read in full is marked so, and loading
    concludes nothing from it; pages with faults are kept under faults/SOURCE/. Prints the essentials, and where the
    page with the rest lies. Fails when nothing came at all, or when UKOK_CRAWL_DAILY_REQUESTS are used up.

    Example: `ukok crawl SOURCE --date 2025-08-06 --days 5`.
    """

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def _source(source: str) -> str:
    if source not in sources():
        raise typer.BadParameter(f"unknown source {source!r}: one of {', '.join(sources())}")
    return source


Source = Annotated[str, typer.Argument(metavar="SOURCE", callback=_source, help=f"One of {', '.join(sources())}.")]
Day = Annotated[
    datetime | None,
    typer.Option("--date", formats=["%Y-%m-%d"], help="Day in Korea, e.g. 2025-08-06.", show_default="today"),
]
Days = Annotated[int, typer.Option(min=1, max=31, help="How many days of schedule, from that day on.")]
Version = Annotated[str | None, typer.Argument(help="A version of `ukok release list`.", show_default="the newest")]


@db.command("start")
def db_start() -> None:
    """Start the embedded PostgreSQL, unless it runs already.

    Its data are under UKOK_VAR_DIR/postgres. Every command starts it by itself when no database URL is set.
    """
    from sql import embedded
    from sql.settings import DatabaseSettings

    for database, url in embedded.start(DatabaseSettings().var_dir).items():
        out.print(f"{database}: {url}")


@db.command("stop")
def db_stop() -> None:
    """Stop the embedded PostgreSQL. Data stay; the next command that needs it starts it again."""
    from sql import embedded
    from sql.settings import DatabaseSettings

    out.print("stopped" if embedded.stop(DatabaseSettings().var_dir) else "it was not running")


@db.command("status")
def db_status() -> None:
    """Tell whether the embedded PostgreSQL runs, as which process and where its data are. Starts nothing."""
    from sql import embedded
    from sql.settings import DatabaseSettings

    status = embedded.status(DatabaseSettings().var_dir)
    out.print(f"running, pid {status.pid}, data in {status.data_folder}" if status.running else "not running")


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring both databases to the newest schema. Safe to run at any time and from several places at once.

    Databases: UKOK_SERVICE_DB_URL and UKOK_WAREHOUSE_DB_URL, or the embedded ones.
    """
    from pipelines import tasks

    tasks.upgrade()
    out.print("both databases are at the newest schema")


@app.command()
def standin(
    catalog: Annotated[
        Path | None,
        typer.Option(help="Folder with kok_products.jsonl and broadcasts.jsonl.", show_default="the demo catalog"),
    ] = None,
    shift_to: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Move all shows so that the first day becomes this one."),
    ] = None,
    products: Annotated[
        int | None,
        typer.Option(min=1, help="Repeat the mall's products up to this number.", show_default="as in the catalog"),
    ] = None,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8900,
) -> None:
    """Play the sources from a catalog on this machine, page for page, until Ctrl-C.

    Prints the settings that point the crawlers at it. Example: `ukok standin --shift-to 2025-08-06 --port 8900`.
    """
    from crawlers.standin.catalog import DEMO, load_catalog
    from crawlers.standin.server import base_urls, serve

    served = load_catalog(catalog or DEMO, shift_to=shift_to.date() if shift_to else None)
    if products is not None:
        served = served.multiplied(products)
    if port:
        settings = base_urls(f"http://{host}:{port}") | {"UKOK_CRAWL_DELAY_SECONDS": "0"}
        for setting, value in settings.items():
            out.print(f"export {setting}={value}")
    serve(served, host, port)


def _add_crawl(source: str) -> None:
    """Add `ukok crawl SOURCE`."""

    @crawl.command(source, help=CRAWL.replace("SOURCE", source), short_help=f"Read {source} into the raw zone.")
    def _crawl(day: Day = None, days: Days = DAYS) -> None:
        from pipelines import tasks
        from pipelines.progress import watching

        with watching(source, err) as watch:
            line, report = tasks.crawl_and_report(source, _day(day), days, _now(_day(day)), watch)
        out.print(line)
        _tell(report)


for name in sources():
    _add_crawl(name)


@crawl.command("report")
def crawl_report(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="A run id, how only it begins, or a source.", show_default="the newest"),
    ] = None,
) -> None:
    """Tell what a crawl read, what it missed and what has changed since the one before, and write a page about it.

    The page is one HTML file that needs no network: reports/crawl/SOURCE/RUN.html in the artifacts. Every crawl writes
    its own; this writes it again, or for the first time if the crawl was killed at its end or is from an older version.

    Example: `ukok crawl report kok`.
    """
    from artifacts.store import open_store
    from pipelines.crawl import report_crawl

    _tell(report_crawl(open_store(), run))


@crawl.command("show-fault")
def crawl_show_fault(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, how only it begins, or a source: its newest.")],
    page: Annotated[
        int | None, typer.Option(min=1, help="Print the kept page of this number, as the source sent it.")
    ] = None,
    save: Annotated[Path | None, typer.Option(dir_okay=False, help="Write that page to a file instead.")] = None,
) -> None:
    """Show what went wrong in a crawl: broken contracts, faults by field and page, and what was not covered.

    Also shows crawls that failed altogether. Pages with faults are kept under faults/ in the artifacts.

    Example: `ukok crawl show-fault kok --page 1 --save page.html`.
    """
    from artifacts.store import open_store
    from pipelines.show_fault import fault_page, show_fault

    if page is None:
        if save is not None:
            raise typer.BadParameter("name the page to save with --page", param_hint="--save")
        console = _console_for_tables()
        for part in show_fault(open_store(), run):
            console.print(part)
        return
    body = fault_page(open_store(), run, page)
    if save is None:
        typer.echo(body.decode(errors="replace"))
    else:
        save.write_bytes(body)
        out.print(f"wrote {len(body):,} bytes to {save}", markup=False)


@crawl.command("record")
def crawl_record(
    url: Annotated[str, typer.Argument(help="Address of a page that a spider reads, e.g. of a product.")],
    into: Annotated[Path, typer.Option(help="Folder of the recordings.")] = Path("tests/crawlers/recorded"),
    name: Annotated[
        str | None, typer.Option(help="Name of this one, in words.", show_default="from the address")
    ] = None,
) -> None:
    """Keep a page of a source with the items that its spider reads from it, as a case for the tests.

    Fetches it with a crawl's own manners. Look at items.json before you commit it: what it says is what the tests will
    expect. Names of customers are masked.

    Example: `ukok crawl record 'https://m.nsmall.com/goods/34501619' --name nsmall_without_metas`.
    """
    from crawlers.runner.record import record
    from crawlers.settings import CrawlSettings

    folder = into / (name or "_".join(re.findall(r"[\w.]+", url)[1:]))
    items = record(url, folder, datetime.now(KST), CrawlSettings())
    out.print(f"{len(items)} items in {folder}", markup=False)


@app.command()
def load(
    source: Source,
    accept: Annotated[
        bool, typer.Option("--accept", help="Load files that were held back. Look at show-fault first.")
    ] = False,
) -> None:
    """Load what was crawled of a source, and not loaded yet, into the service database and the warehouse.

    Loading a file twice changes nothing. A file that breaks the contract of its source, falls far short of the last
    ones, or has more than 5 % of its items rejected is held back, and everything stays as it was: look at
    `ukok crawl show-fault`, table step_run and rejects/ in the artifacts, then crawl again or use --accept.

    Example: `ukok load kok`.
    """
    from pipelines import tasks

    for line in tasks.load(source, accept=accept):
        out.print(line)


@app.command()
def link() -> None:
    """Link the products of all sources: listings of the same goods share an item, in both tables product_item.

    Titles decide, by their words, brand and total amount; a price that is far off speaks against it. How many items
    there are is in table step_run. Running it again writes nothing.
    """
    from pipelines import tasks

    out.print(tasks.link())


@recipes.command("import")
def recipes_import(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TB_RECIPE_SEARCH*.csv, UTF-8 or CP949.")],
) -> None:
    """Import the official recipe CSV: into the raw zone without its authors, from there into the service database.

    Rows without an id or a title are rejected and kept under rejects/import_recipes/ with the line number. New
    ingredients are new words for product titles, so titles are resolved again. Importing twice changes nothing.
    """
    from pipelines import tasks

    for line in tasks.recipes(file, _now(_today())):
        out.print(line)


@logs.command("ingest")
def logs_ingest(
    start: Annotated[
        str | None, typer.Option(help="First instant, ISO 8601 with offset.", show_default="where the last run ended")
    ] = None,
    end: Annotated[
        str | None, typer.Option(help="First instant that is left out.", show_default="now less the grace")
    ] = None,
) -> None:
    """Bring the events that the API stored in [start, end) from user_event into fct_user_event.

    Events younger than UKOK_INGEST_GRACE_SECONDS wait for the next run. Bad ones go to rejected_event with a reason.
    Running it again changes nothing.

    Example: `ukok logs ingest --start 2025-08-06T00:00+09:00 --end 2025-08-07T00:00+09:00`.
    """
    from pipelines import tasks

    first, last = _instant("--start", start), _instant("--end", end)
    out.print(tasks.logs(first, last, datetime.now(KST)))


@logs.command("erase")
def logs_erase() -> None:
    """Take the people who deleted their accounts out of all events, and remove what else is left of them.

    The API does this at once for what is there at that moment. This is for events that came in just then or while a
    database was away, so run it before `ukok logs ingest`. Running it again changes nothing.
    """
    from pipelines import tasks

    out.print(tasks.erase(datetime.now(KST)))


@train.command("word2vec")
def train_word2vec() -> None:
    """Learn ingredient vectors from the recipes of the service database; writes models/word2vec/ in the artifacts."""
    from pipelines import tasks

    out.print(tasks.train_word2vec(datetime.now(KST)))


@train.command("bert")
def train_bert() -> None:
    """Learn the sentence encoder from recipe titles and ingredients; writes models/bert/ in the artifacts.

    Takes a minute or two on two cores. UKOK_BERT_BASE_MODEL names a model (name or folder) to start from instead of a
    small one from scratch.
    """
    from pipelines import tasks

    out.print(tasks.train_bert(datetime.now(KST)))


@release.command("build")
def release_build() -> None:
    """Build a release from the service database and the newest models, judge it, and upload it. It is not live yet.

    Its figures are in releases/VERSION/manifest.json and in the warehouse table release.
    """
    from pipelines import tasks

    out.print(tasks.build(datetime.now(KST)))


@release.command("verify")
def release_verify(version: Version = None) -> None:
    """Download a release, check every file against its manifest, open it as the API does and ask it once."""
    from pipelines import tasks

    chosen = version or _newest()
    tasks.verify(chosen)
    out.print(f"{chosen} is whole")


@release.command("promote")
def release_promote(version: Version = None) -> None:
    """Put a release in service; running APIs take it up within seconds. Refused when its gate did not pass."""
    from pipelines import tasks

    chosen = version or _newest()
    tasks.promote(chosen, datetime.now(KST))
    out.print(f"{chosen} is live")


@release.command("rollback")
def release_rollback() -> None:
    """Put the release before the live one back in service."""
    from pipelines import tasks

    out.print(f"{tasks.rollback(datetime.now(KST))} is live")


@release.command("list")
def release_list() -> None:
    """List the uploaded releases, newest first: which is live, what it holds, how it was judged."""
    from rich.table import Table

    from artifacts.store import open_store
    from pipelines.release import publish

    table = Table("version", "live", "recipes", "products", "hit@10", "gate")
    for manifest, live in reversed(publish.list_releases(open_store())):
        products = manifest.counts["kok_products"] + manifest.counts["home_shopping_products"]
        hit = manifest.evaluation["completion"]["methods"].get("blend", {}).get("hit@10")
        table.add_row(
            manifest.version,
            "live" if live else "",
            f"{manifest.counts['recipes']:,}",
            f"{products:,}",
            "" if hit is None else f"{hit:.3f}",
            "passed" if manifest.gate["passed"] else "refused",
        )
    out.print(table)


@app.command()
def serve(host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve the API (the gateway with all six services) until Ctrl-C; its pages are described at /docs."""
    import uvicorn

    out.print(f"API   http://{host}:{port}\ndocs  http://{host}:{port}/docs")
    # Small searches are answered by one thread each; a pool inside every one of them halves the speed.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    uvicorn.run(
        "serving.gateway.main:create_app",
        factory=True,
        host=host,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=STOP_SECONDS,
    )


@app.command()
def run(
    day: Day = None,
    days: Days = DAYS,
    demo: Annotated[bool, typer.Option("--demo", help="Read the demo sources, with shows on air today.")] = False,
    then_serve: Annotated[bool, typer.Option("--serve", help="Serve the API afterwards, until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(help="Port of the API, with --serve.")] = 8000,
) -> None:
    """Do all of it in order: schema, recipes, crawl, load, link, events, train, build, verify and promote a release.

    Recipes are imported from UKOK_RECIPES_FILE where that is set. A run that was stopped or killed is simply started
    again. Example: `ukok run --demo --serve`.
    """
    from pipelines.progress import follow
    from pipelines.run import steps
    from pipelines.settings import PipelineSettings

    chosen = _day(day)
    with ExitStack() as stack:
        if demo:
            _require_free(port if then_serve else 0)
            stack.enter_context(_demo(chosen))
            days = min(days, 2)
        follow(steps(chosen, days, _now(chosen), PipelineSettings().recipes_file), out)
    if then_serve:
        serve(port=port)


def main() -> None:
    """Run a command; what is known to go wrong ends in one line and exit code 1."""
    _log_to_stderr()
    # Piped into a file or another program, a line is to be seen when it is printed.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        app()
    except Exception as error:
        reason = _known(error)
        if reason is None:
            raise
        err.print(f"ukok: {reason}", markup=False)
        sys.exit(1)


def _known(error: Exception) -> str | None:
    """The reason to show for an error that people can act on; None for one of ours."""
    from pydantic import ValidationError
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from artifacts.store import StoreError
    from crawlers.runner.crawl import CrawlFailed
    from sql.engines import DatabaseUnavailable

    if isinstance(error, ValidationError):
        places = [".".join(map(str, entry["loc"])) for entry in error.errors(include_url=False, include_input=False)]
        return f"setting UKOK_{', UKOK_'.join(place.upper() for place in places)}: {error.errors()[0]['msg']}"
    if isinstance(error, OperationalError | ProgrammingError):
        reason = " ".join(str(error.orig).split())
        hint = "; run `ukok db upgrade`" if "exist" in reason else "; is the database server running?"
        return f"database error: {reason}{hint}"
    # Errors of our own steps are runtime or value errors whose message says what to do.
    ours = isinstance(error, StoreError | CrawlFailed | DatabaseUnavailable | OSError)
    if ours or type(error).__module__.split(".")[0] in {"pipelines", "serving"} or isinstance(error, ValueError):
        return " ".join(str(error).split()) or type(error).__name__
    return None


def _log_to_stderr() -> None:
    import logging

    import structlog

    # On a terminal the progress of the steps says enough; in a log file every line counts.
    level = logging.WARNING if sys.stderr.isatty() else logging.INFO
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
    )


@contextmanager
def _demo(day: date) -> Iterator[None]:
    """Run the demo sources, the middle of their three days being ``day``, and point the crawlers at them."""
    from crawlers.standin.catalog import DEMO, load_catalog
    from crawlers.standin.server import running_standin

    with running_standin(load_catalog(DEMO, shift_to=day - timedelta(days=1))) as sources:
        os.environ |= sources.env
        os.environ.setdefault("UKOK_RECIPES_FILE", str(DEMO / "TB_RECIPE_SEARCH_demo.csv"))
        yield


def _tell(report: "CrawlReport") -> None:
    from artifacts.store import store_url
    from crawlers.report.terminal import summary

    console = _console_for_tables()
    for part in summary(report, f"{store_url()}/{report.key}"):
        console.print(part)


def _console_for_tables() -> Console:
    """The terminal; into a file or a program, long lines go uncut."""
    return out if out.is_terminal else Console(width=400, highlight=False)


def _require_free(port: int) -> None:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            _fail(f"port {port} is taken: stop the other program, or choose another with --port")


def _fail(reason: str) -> NoReturn:
    err.print(f"ukok: {reason}", markup=False)
    raise typer.Exit(1)


def _today() -> date:
    return datetime.now(KST).date()


def _day(chosen: datetime | None) -> date:
    return chosen.date() if chosen else _today()


def _now(day: date) -> datetime:
    """The wall clock, moved onto ``day``."""
    return datetime.combine(day, datetime.now(KST).timetz())


def _instant(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no ISO 8601 time", param_hint=option) from None
    if instant.tzinfo is None:
        raise typer.BadParameter(f"{text!r} lacks an offset, e.g. {text}+09:00", param_hint=option)
    return instant


def _newest() -> str:
    from artifacts.release import list_releases
    from artifacts.store import open_store

    versions = list_releases(open_store())
    if not versions:
        _fail("there is no release yet: run `ukok release build`")
    return versions[-1]


if __name__ == "__main__":
    main()
