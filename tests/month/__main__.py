"""Run a month and write its table, its figures and its picture.

``python -m tests.month`` (``make month``) runs 30 days of 8 runs on MariaDB, PostgreSQL and an S3 server.
``--kills N`` kills N processes of random steps with -9 on the way, and runs the steps again. It exits with 1 after a
false hold, a difference that no fault explains, or when fewer than 95 % of the faults were held or mended.
"""

import argparse
import sys
from datetime import date
from pathlib import Path

from rich.console import Console

from crawlers.standin.living.server import running_living_standin
from crawlers.standin.living.size import MONTH, SHORT, larger
from crawlers.standin.living.world import World
from pipelines.cli.logging import log_to_file
from tests.builders.preloaded_spiders import preloaded_spiders
from tests.conftest import ROOT
from tests.month.picture import draw
from tests.month.runner import HOURS, Month, Plan
from tests.month.stacks import environment, new_stack
from tests.month.tables import line_of, print_tables, write_figures

console = Console()


def main() -> None:
    """Run the month that the arguments describe."""
    options = arguments()
    world = World(options.seed, SHORT if options.size == "short" else larger(MONTH, options.scale))
    plan = Plan(
        options.start,
        options.days,
        options.seed,
        options.faults,
        hours=tuple(options.hours),
        kills=options.kills,
        release_every=options.release_every,
    )
    options.to.mkdir(parents=True, exist_ok=True)
    with (
        log_to_file(options.to / "month.log"),
        new_stack(options.stack) as env,
        running_living_standin(world, plan.first_instant) as standin,
        preloaded_spiders(),
        environment(env | standin.env),
    ):
        month = Month(world, plan, standin)
        for run, results in enumerate(month.run(), start=1):
            if run % len(plan.hours) == 0:
                write_figures(month.result, plan, options.to / "month.json")
            for result in results:
                if line := line_of(result):
                    console.print(line, markup=False, soft_wrap=True)
    write_figures(month.result, plan, options.to / "month.json")
    draw(month.result, options.to / "month.png")
    print_tables(month.result, console)
    for failure in month.result.failures:
        console.print(f"FAILED: {failure}", markup=False, soft_wrap=True)
    sys.exit(1 if month.result.failures else 0)


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.month", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1, help="of the sources and of the faults")
    parser.add_argument("--start", type=date.fromisoformat, default=date(2026, 3, 2))
    parser.add_argument("--stack", choices=("servers", "embedded"), default="servers")
    parser.add_argument("--size", choices=("month", "short"), default="month")
    parser.add_argument("--scale", type=int, default=1, help="times as many rows and products as with --size month")
    parser.add_argument("--faults", type=float, default=0.12, help="share of the crawls that a new fault begins in")
    parser.add_argument("--hours", type=int, nargs="+", default=HOURS, help="of the runs of a day")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--release-every", type=int, default=5, help="days between two releases; 0 for none")
    parser.add_argument("--to", type=Path, default=ROOT / "var" / "month", help="folder of the figures and the picture")
    return parser.parse_args()


if __name__ == "__main__":
    main()
