"""Run drills and write the rows of those that pass: ``python -m tests.drills [NAME…]``; without a name all."""

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.drills import api_outages, api_processes, kills, operators, outages, training
from tests.drills.api_environment import ApiEnvironment, api_environment
from tests.drills.environment import Environment, environment
from tests.drills.report import Seen, Shown, update_page

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
# Those of the API, by their name after `api_`.
API_DRILLS: tuple[Callable[[ApiEnvironment], Seen], ...] = (
    api_outages.postgresql_failover,
    api_outages.postgresql_restart,
    api_outages.mariadb_restart,
    api_outages.mariadb_read_only,
    api_outages.mariadb_full_of_connections,
    api_outages.s3_away,
    api_outages.current_garbage,
    api_outages.disk_full,
    api_processes.clock_shifted,
    api_processes.two_gateways,
    api_processes.six_services,
    api_processes.two_workers,
)


def main() -> int:
    """Run the drills on one Airflow, and those of the API; exit with 1 if one of them fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = {drill.__name__: drill for drill in DRILLS}
    of_api = {f"api_{drill.__name__}": drill for drill in API_DRILLS}
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*known, *of_api]))
    args = parser.parse_args()
    if unknown := set(args.names) - known.keys() - of_api.keys():
        parser.error(f"no drill {', '.join(unknown)}: they are {', '.join([*known, *of_api])}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    names = args.names or [*known, *of_api]
    failures: list[list[str]] = []
    if wanted := [known[name] for name in names if name in known]:
        with environment() as env:
            env.api.pause("train_and_publish")
            failures = [run(env, drill).failures for drill in wanted]
    if of_visitors := [of_api[name] for name in names if name in of_api]:
        with api_environment() as api:
            failures += [run_api(api, drill).failures for drill in of_visitors]
    return int(any(failures))


def run_api(env: ApiEnvironment, drill: Callable[[ApiEnvironment], Seen]) -> Seen:
    """Run one drill of the API, and print what visitors saw."""
    began = time.monotonic()
    try:
        seen = drill(env)
    except Exception as error:  # noqa: BLE001 - a drill that breaks leaves the others
        traceback.print_exc()
        seen = Seen(drill.__name__, drill.__doc__ or "", failures=[f"{type(error).__name__}: {error}"])
    seen.seconds = time.monotonic() - began
    head = f"{'FAILED' if seen.failures else 'ok'} {drill.__name__} {seen.seconds:.0f} s"
    well = "" if seen.recovered is None else f"well after {seen.recovered:.1f} s"
    sys.stdout.write("\n    ".join([head, *seen.seen, well, f"lost {seen.lost}", *seen.failures]) + "\n")
    sys.stdout.flush()
    if not seen.failures:
        update_page(PAGE, seen)
    return seen


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
