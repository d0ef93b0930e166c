"""Where commands print: results to standard output, reasons of failures to standard error."""

import os
import sys
from pathlib import Path

from rich.console import Console

WIDE = 400  # columns of a table that goes to a file or a program

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def make_stdout_safe() -> None:
    """Flush standard output at each line, and replace characters that its encoding lacks.

    A terminal in EUC-KR, CP949 or ASCII cannot show all that is printed, and a closed output (`>&-`) nothing; that must
    not fail a step that is done.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open until the process ends
    sys.stdout.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]


def table_console() -> Console:
    """Console for tables: as wide as the terminal, or wide enough for uncut lines in a file or a program."""
    return Console(highlight=False) if out.is_terminal else Console(width=WIDE, highlight=False)
