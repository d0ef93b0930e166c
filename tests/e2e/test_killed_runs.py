"""A crawl and load that is killed with -9 and run again leaves the same rows as an undisturbed one."""

from tests.e2e.killed_runs import kill_runs


def test_killed_at_random_instants() -> None:
    assert kill_runs(2) == []
