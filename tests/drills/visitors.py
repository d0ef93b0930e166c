"""Visitors who do the same things every half second, and what they see by the second."""

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby

import httpx

from tests.drills.report import Seen

PAUSE = 0.5
WELL_WITHIN = 20  # seconds after the end of an outage
ACTIVITY = {"action": "drill", "session_id": "drill"}
NO_ANSWER = 0
Statuses = frozenset[int]


@dataclass
class Visitors:
    """Statuses by what was done and second since ``began``; ``stored`` holds the events that were acknowledged."""

    url: Callable[[], str]
    headers: dict[str, str]
    began: float = 0.0
    seen: dict[str, dict[int, set[int]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    stored: set[str] = field(default_factory=set)

    def summary(self) -> list[str]:
        """Word the statuses of each kind of request: runs of seconds with the same ones."""
        return [f"{name}: {', '.join(_runs(by_second))}" for name, by_second in sorted(self.seen.items())]

    def bad(self) -> Statuses:
        """Statuses other than what a visitor expects."""
        every = {status for by_second in self.seen.values() for found in by_second.values() for status in found}
        return frozenset(every - {200, 201, 304})

    def well_since(self) -> float:
        """The second after the last one in which something was refused."""
        refused = [
            second
            for by_second in self.seen.values()
            for second, found in by_second.items()
            if found - {200, 201, 304, 401, 409}
        ]
        return max(refused, default=-1) + 1

    def second(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    def repeat(self, name: str, request: Callable[[httpx.Client, int], httpx.Response], ends: threading.Event) -> None:
        """Do one thing again and again; no answer counts as status 0."""
        for number in itertools.count():
            if ends.is_set():
                return
            second = int(self.second())
            with httpx.Client(base_url=self.url(), timeout=15) as client:
                try:
                    answer = request(client, number)
                except httpx.HTTPError:
                    status = NO_ANSWER
                else:
                    status = answer.status_code
                    if status == 201 and "event_id" in answer.json():
                        self.stored.add(answer.json()["event_id"])
            self.seen[name][second].add(status)
            ends.wait(PAUSE)


@contextmanager
def visiting(url: Callable[[], str], headers: dict[str, str]) -> Iterator[Visitors]:
    """Let visitors read the catalog, sign up and send events until the block ends."""
    visitors, ends = Visitors(url, headers), threading.Event()
    visitors.began = time.monotonic()

    def sign_up(client: httpx.Client, number: int) -> httpx.Response:
        account = {"email": f"v{number}-{time.time_ns()}@example.com", "password": "a right one", "username": "손님"}
        return client.post("/api/user/signup", json=account)

    requests: dict[str, Callable[[httpx.Client, int], httpx.Response]] = {
        "catalog": lambda client, n: client.get(f"/api/kok/discounted?size={n % 50 + 1}"),
        "account": lambda client, _: client.get("/api/user/info", headers=headers),
        "recommendations": lambda client, n: client.get(f"/api/recommend/product/kok/101/recipes?k={n % 9 + 1}"),
        "events": lambda client, _: client.post("/api/log/user/activity", json=ACTIVITY),
        "sign-up": sign_up,
    }
    threads = [threading.Thread(target=visitors.repeat, args=(*each, ends), daemon=True) for each in requests.items()]
    for thread in threads:
        thread.start()
    try:
        yield visitors
    finally:
        ends.set()
        for thread in threads:
            thread.join(30)


def judged(seen: Seen, visitors: Visitors, lost: int, well_at: float | None) -> Seen:
    """Fill in what visitors saw, and what the drill expects of it."""
    seen.seen = visitors.summary()
    seen.lost = lost
    seen.expect("no acknowledged event lost", true=seen.lost == 0)
    seen.expect(f"no 500, not {sorted(visitors.bad())}", true=500 not in visitors.bad())
    if well_at is not None:
        seen.recovered = max(0.0, visitors.well_since() - well_at)
        seen.expect(f"well within {WELL_WITHIN} s", true=seen.recovered <= WELL_WITHIN)
    return seen


def _runs(by_second: dict[int, set[int]]) -> Iterator[str]:
    ordered = sorted((second, "/".join(map(_worded, sorted(found)))) for second, found in by_second.items())
    for statuses, run in groupby(ordered, key=lambda each: each[1]):
        seconds = [second for second, _ in run]
        yield f"{statuses} ({seconds[0]}–{seconds[-1]} s)" if len(seconds) > 1 else f"{statuses} ({seconds[0]} s)"


def _worded(status: int) -> str:
    return "no answer" if status == NO_ANSWER else str(status)
