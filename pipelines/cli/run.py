"""`ukok run`: every step in order, and the API afterwards."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from typing import Annotated

import typer

from crawlers.registry import sources
from pipelines.cli.console import out
from pipelines.cli.errors import fail, reason_of
from pipelines.cli.logging import log_to_file
from pipelines.cli.options import DAYS, Day, Days, Port, day_of, instant_of, wall_clock
from pipelines.cli.ports import require_free
from pipelines.cli.serve import replace_by_server, stop_database
from pipelines.cli.signals import block_stop_signals, stop_signals

DEMO_DAYS = 2  # of the stand-in's three, from the middle one on


def run(
    day: Day = None,
    days: Days = DAYS,
    demo: Annotated[bool, typer.Option("--demo", help="Read the demo sources, with shows on air today.")] = False,
    then_serve: Annotated[bool, typer.Option("--serve", help="Serve the API afterwards, until Ctrl-C.")] = False,
    port: Port = 8000,
) -> None:
    """Run every step in order: schema, recipes, crawl, load, link, events, train, build, verify and promote a release.

    Prints one line per step; the log goes to a file that the first line names. If a step fails, the steps that need it
    are skipped, the others go on with what is stored, and the command ends with exit code 1. Recipes are imported from
    UKOK_RECIPES_FILE if that is set. If a run was stopped or killed, run it again. Ctrl-C stops the steps or the API,
    then the embedded PostgreSQL if this run has started it; a run that ends by itself leaves it running.

    Example: `ukok run --demo --serve`.
    """
    from pipelines.settings import PipelineSettings

    chosen = day_of(day)
    if then_serve:
        require_free("127.0.0.1", port)
    starts_database = _needs_embedded_database()
    log = PipelineSettings().var_dir / "logs" / f"run-{wall_clock():%Y%m%dT%H%M%S}.log"
    out.print(f"log: {log}", markup=False)
    with ExitStack() as stack:
        stack.enter_context(log_to_file(log))
        if demo:
            stack.enter_context(_demo_sources(chosen))
            days = min(days, DEMO_DAYS)
        if starts_database:
            stack.enter_context(_database_stopped_on_interrupt())
        check_stop = stack.enter_context(stop_signals())
        failure = _run(chosen, days, check_stop)
        # From here on a signal waits for the server, which would otherwise start without having seen it.
        if then_serve and not failure:
            block_stop_signals()
        check_stop()
    if failure:
        fail(f"{failure}; log: {log}")
    if then_serve:
        replace_by_server(port, database_too=starts_database)


def _run(day: date, days: int, check_stop: Callable[[], None]) -> str | None:
    """Run all steps; the reason in one line if not all of them are done."""
    from pipelines.progress import run_steps, why_incomplete
    from pipelines.run import steps
    from pipelines.settings import PipelineSettings

    planned = steps(day, days, instant_of(day, sources()), PipelineSettings().recipes_file)
    return why_incomplete(run_steps(planned, out, reason_of, check_stop=check_stop))


def _needs_embedded_database() -> bool:
    """Whether the run has to start the embedded PostgreSQL."""
    from sql import embedded
    from sql.settings import DatabaseSettings

    settings = DatabaseSettings()
    used = settings.service_db_url is None or settings.warehouse_db_url is None
    return used and not embedded.status(settings.var_dir).running


@contextmanager
def _database_stopped_on_interrupt() -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        stop_database()
        raise


@contextmanager
def _demo_sources(day: date) -> Iterator[None]:
    """Run the demo sources, the middle of their three days being ``day``, and point the crawlers at them."""
    from crawlers.standin.catalog import DEMO, load_catalog
    from crawlers.standin.server import running_standin
    from pipelines.settings import PipelineSettings

    with running_standin(load_catalog(DEMO, shift_to=day - timedelta(days=1))) as sources:
        os.environ |= sources.env
        if PipelineSettings().recipes_file is None:
            os.environ["UKOK_RECIPES_FILE"] = str(DEMO / "TB_RECIPE_SEARCH_demo.csv")
        yield
