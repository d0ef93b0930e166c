"""Environment of child processes whose coverage is not measured."""

from collections.abc import Mapping


def unmeasured(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` without coverage: measuring slows processes that are killed, or whose code other tests run."""
    return {name: value for name, value in env.items() if not name.startswith("COVERAGE_")}
