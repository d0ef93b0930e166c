"""Results of a month: one for each crawl of a source, and their sums."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tests.month.comparison import Difference
from tests.month.injections import TRUNCATIONS
from tests.month.scopes import Injection, Scope

MIN_HANDLED = 0.95  # share of the faults that must be held or mended


@dataclass
class CrawlResult:
    """A crawl and load of one source.

    ``outcome`` of its injection: ``held`` if the crawl or the load said so, ``mended`` if not and nothing wrong is
    stored, ``missed`` if something is. ``new`` are differences that were not there before, ``wrong`` the number of all.
    """

    source: str
    at: datetime
    failed: str | None = None
    held: int = 0
    false_holds: list[str] = field(default_factory=list)
    injection: Injection | None = None
    outcome: str | None = None
    new: list[Difference] = field(default_factory=list)
    wrong: int = 0
    reason: str | None = None

    @property
    def disturbed(self) -> frozenset[Scope]:
        """Return the scopes that the injection disturbs."""
        return self.injection.scopes if self.injection else frozenset()


@dataclass
class MonthResult:
    """Everything that happened; ``events``: landed, and facts and rejected ones.

    ``seconds`` and ``cpu_seconds`` by step; the spider processes are not in the latter.
    """

    crawls: list[CrawlResult] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    other_failures: list[str] = field(default_factory=list)
    releases: int = 0
    events: tuple[int, int] = (0, 0)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    cpu_seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    days: int = 0
    days_with_differences: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)
    false_prices: list[str] = field(default_factory=list)

    @property
    def false_holds(self) -> list[str]:
        """Return the holds without an injected fault."""
        return [hold for crawl in self.crawls for hold in crawl.false_holds]

    @property
    def unexplained(self) -> list[Difference]:
        """Return the differences that no fault in their scope explains."""
        return [each for crawl in self.crawls for each in crawl.new if each.scope not in crawl.disturbed]

    def injected(self, kinds: Iterable[str] | None = None) -> Counter[str]:
        """Count the injected faults by outcome."""
        chosen = None if kinds is None else set(kinds)
        return Counter(
            crawl.outcome
            for crawl in self.crawls
            if crawl.injection and crawl.outcome and (chosen is None or crawl.injection.kind in chosen)
        )

    def by_kind(self) -> dict[str, Counter[str]]:
        """Count the outcomes of each kind of fault."""
        found: dict[str, Counter[str]] = {}
        for crawl in self.crawls:
            if crawl.injection and crawl.outcome:
                found.setdefault(crawl.injection.kind, Counter())[crawl.outcome] += 1
        return dict(sorted(found.items()))

    def share_handled(self, kinds: Iterable[str] | None = None) -> float:
        """Return which share of the injected faults was held or mended."""
        counts = self.injected(kinds)
        return 1 - counts["missed"] / counts.total() if counts.total() else 1.0

    @property
    def failures(self) -> list[str]:
        """Return in words what a month must not have."""
        problems = []
        if self.false_holds:
            problems.append(f"{len(self.false_holds)} false holds, first: {self.false_holds[0]}")
        if self.unexplained:
            problems.append(f"{len(self.unexplained)} unexplained differences, first: {self.unexplained[0]}")
        for name, kinds in (("faults", None), ("truncations and empty pages", TRUNCATIONS)):
            if self.share_handled(kinds) < MIN_HANDLED:
                problems.append(f"only {self.share_handled(kinds):.1%} of the {name} held or mended")
        if self.events[0] != self.events[1]:
            problems.append(f"{self.events[0]} events landed, {self.events[1]} are facts or rejected")
        if self.left:
            problems.append(f"{len(self.left)} differences at the end, first: {self.left[0]}")
        if self.false_prices:
            problems.append(f"{len(self.false_prices)} false prices in the histories, first: {self.false_prices[0]}")
        return problems + self.other_failures
