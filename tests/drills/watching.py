"""What a run shows: states of its tasks, and its alerts."""

from tests.drills.environment import Environment


def states(env: Environment, dag: str, run: str) -> dict[str, tuple[str, int]]:
    """Return state and tries of each task."""
    return env.api.tasks(dag, run)


def summary(env: Environment, dag: str, run: str) -> str:
    """Word the state of each task, with the tries where there was more than one."""
    found = sorted(states(env, dag, run).items())
    worded = (f"`{task}` {state}" + (f" (try {tries})" if tries > 1 else "") for task, (state, tries) in found)
    return f"{dag}: {', '.join(worded)}"
