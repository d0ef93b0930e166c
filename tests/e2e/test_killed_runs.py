"""A crawl and load that was killed with -9 and run again leaves the rows of one that was not."""

from tests.e2e.killed_runs import kill_runs


def test_killed_at_random_moments() -> None:
    assert kill_runs(2) == []
