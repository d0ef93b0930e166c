"""Six days of small living sources, with faults on the way: every run leaves what is true in both databases."""

from datetime import date

from crawlers.standin.living.server import running_living_standin
from crawlers.standin.living.size import SHORT
from crawlers.standin.living.world import World
from tests.builders.preloaded_spiders import preloaded_spiders
from tests.conftest import embedded_only
from tests.month.injections import TRUNCATIONS
from tests.month.runner import Month, Plan
from tests.month.stacks import environment

SEED = 10
START = date(2026, 3, 2)


@embedded_only
def test_six_days_leave_what_is_true(stack_env: dict[str, str]) -> None:
    world = World(SEED, SHORT)
    plan = Plan(START, days=6, seed=SEED, fault_share=0.35, hours=(2, 9, 23))
    with (
        running_living_standin(world, plan.first_instant) as standin,
        preloaded_spiders(),
        environment(stack_env | standin.env),
    ):
        month = Month(world, plan, standin)
        for _ in month.run():
            pass
    result = month.result
    assert result.failures == []
    assert result.injected(TRUNCATIONS).total() >= 10
