"""``python -m tests.month``."""

import argparse
from datetime import date

import structlog
from rich.console import Console

from crawlers.standin.living.server import running_living_standin
from crawlers.standin.living.size import MONTH, SHORT
from crawlers.standin.living.world import World
from tests.month.preloaded import preloaded_spiders
from tests.month.runner import Month, Plan, environment
from tests.month.stacks import new_stack

console = Console()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stack", default="servers")
    parser.add_argument("--size", default="month")
    parser.add_argument("--faults", type=float, default=0.12)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    options = parser.parse_args()
    world = World(options.seed, {"month": MONTH, "short": SHORT}[options.size])
    plan = Plan(date(2026, 3, 2), options.days, options.seed, options.faults)
    with (
        new_stack(options.stack) as env,
        running_living_standin(world, plan.first_instant) as standin,
        preloaded_spiders(),
        environment(env | standin.env | {"UKOK_INGEST_GRACE_SECONDS": "0"}),
    ):
        month = Month(world, plan, standin)
        for results in month.run():
            for r in results:
                if r.injection or r.new or r.false_holds or r.wrong:
                    console.print(
                        f"{r.at:%m-%d %H:%M} {r.source:8} inj={r.injection and r.injection.kind} {r.outcome} held={r.held} new={len(r.new)} wrong={r.wrong}",
                        r.reason and r.reason[:300],
                        markup=False,
                    )
                    for d in r.new[:3]:
                        console.print("      ", str(d), markup=False, soft_wrap=True)
    console.print(month.result.seconds)
    console.print(month.result.by_kind())
    for f in month.result.failures:
        console.print("FAIL", f, markup=False)


if __name__ == "__main__":
    main()
