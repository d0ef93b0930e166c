"""Entry point of `ukok`: exit codes, and errors in one line."""

import sys
from collections.abc import Callable

from pipelines.cli.console import make_output_safe
from pipelines.cli.errors import print_reason, reason_of
from pipelines.cli.logging import configure_logging
from ukok.names import unknown_settings


def main(configure: Callable[[], None] = configure_logging) -> None:
    """Run a command. An error that a person can act on ends in one line and exit code 1; a bug in a traceback."""
    make_output_safe()
    configure()
    for problem in unknown_settings():
        print_reason(f"warning: {problem}")
    try:
        # The names of the commands depend on a setting, which may be invalid.
        from pipelines.cli.app import app

        app()
    except Exception as error:
        reason = reason_of(error)
        if reason is None:
            raise
        print_reason(reason)
        sys.exit(1)
