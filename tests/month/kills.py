"""Kill processes of steps with -9 at random moments.

``python -m tests.month.kills STEP [SOURCE] INSTANT`` runs one step, in the process that is killed.
"""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from datetime import datetime

from pipelines import tasks
from tests.builders.unmeasured import unmeasured
from tests.conftest import ROOT
from tests.month.scopes import DAYS, SOURCES
from ukok.korea import KST

STEPS = [*((step, source) for step in ("crawl", "load") for source in SOURCES), ("link", ""), ("ingest", "")]


class Killer:
    """Chooses which steps of a month to kill, and kills them.

    A moment is drawn up to the time that such a step took at last: longer after a kill, shorter if it had
    ended.
    """

    def __init__(self, seed: int, runs: int, kills: int) -> None:
        self._dice = random.Random(seed)
        steps = [(run, step) for run in range(runs) for step in STEPS]
        self._chosen = set(self._dice.sample(steps, min(kills, len(steps))))
        self._longest = dict.fromkeys(("crawl", "load", "link", "ingest"), 5.0)
        self.counts: Counter[str] = Counter()

    def kill(self, run: int, step: str, source: str, at: datetime) -> bool:
        """Start the step and kill it if it is one of those chosen; return whether it is."""
        if (run, (step, source)) not in self._chosen:
            return False
        command = [sys.executable, "-m", "tests.month.kills", step, source, at.isoformat()]
        process = subprocess.Popen(command, cwd=ROOT, env=unmeasured(os.environ))
        try:
            process.wait(self._dice.uniform(0.2, 1.0) * self._longest[step])
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
        killed = process.returncode == -signal.SIGKILL
        self._longest[step] *= 1.1 if killed else 0.8
        self.counts[f"{step}, {'killed' if killed else 'had ended'}"] += 1
        return True


def run_step(step: str, source: str, at: datetime) -> None:
    """Run one step as of an instant."""
    if step == "crawl":
        tasks.crawl(source, at.astimezone(KST).date(), DAYS, at)
    elif step == "load":
        tasks.load(source, accept=False, now=at)
    elif step == "link":
        tasks.link()
    else:
        tasks.logs(None, None, at)


if __name__ == "__main__":
    run_step(sys.argv[1], sys.argv[2], datetime.fromisoformat(sys.argv[3]))
