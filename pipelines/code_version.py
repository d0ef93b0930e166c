"""Version of the code that made an artifact."""

import subprocess
from functools import cache
from pathlib import Path

from pipelines.settings import PipelineSettings
from ukok import __version__

SOURCE = Path(__file__).resolve().parents[1]
DIGITS = 12  # of a commit


def code_version() -> str:
    """Return ``UKOK_CODE_VERSION``, else the commit of the checkout, with ``-dirty`` if it was changed since.

    Outside a checkout it is the version of the package.
    """
    return PipelineSettings().code_version or _commit(SOURCE) or __version__


@cache
def _commit(folder: Path) -> str | None:
    """Commit that is checked out in ``folder``; None if that is no checkout, or git is not installed."""
    if not (folder / ".git").exists():
        return None
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", f"--abbrev={DIGITS}", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (constants)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None
