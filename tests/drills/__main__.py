"""Run drills and write the rows of those that pass: ``python -m tests.drills [NAME…]``; without a name all."""

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.drills import kills, operators, outages, training
from tests.drills.environment import Environment, environment
from tests.drills.report import Shown, update_page

PAGE = Path(__file__).parents[2] / "docs" / "drills.md"
DRILLS: tuple[Callable[[Environment], Shown], ...] = (
    kills.killed_task,
    kills.killed_scheduler,
    outages.databases_away,
    outages.disk_full,
    outages.source_away,
    outages.broadcaster_down,
    outages.pages_missing,
    operators.wrong_input,
    operators.held_file,
    operators.two_at_once,
    operators.backfills,
    operators.two_days_down,
    training.training_waits,
)


def main() -> int:
    """Run the drills on one Airflow; exit with 1 if one of them fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = {drill.__name__: drill for drill in DRILLS}
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    args = parser.parse_args()
    if unknown := set(args.names) - known.keys():
        parser.error(f"no drill {', '.join(unknown)}: they are {', '.join(known)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with environment() as env:
        env.api.pause("train_and_publish")
        done = [run(env, known[name]) for name in args.names or known]
    return int(any(shown.failures for shown in done))


def run(env: Environment, drill: Callable[[Environment], Shown]) -> Shown:
    """Run one drill, and print what it showed."""
    env.reset()
    began = time.monotonic()
    try:
        shown = drill(env)
    except Exception as error:  # noqa: BLE001 - a drill that breaks leaves the others
        traceback.print_exc()
        shown = Shown(drill.__name__, drill.__doc__ or "", failures=[f"{type(error).__name__}: {error}"])
    shown.alerts = [f"{alert['text'].splitlines()[0]}: {alert['reason']}" for alert in env.alerts]
    shown.seconds = time.monotonic() - began
    head = f"{'FAILED' if shown.failures else 'ok'} {drill.__name__} {shown.seconds:.0f} s"
    sys.stdout.write("\n    ".join([head, *shown.seen, *shown.alerts, *shown.data, *shown.failures]) + "\n")
    sys.stdout.flush()
    if not shown.failures:
        update_page(PAGE, shown)
    return shown


if __name__ == "__main__":
    sys.exit(main())
