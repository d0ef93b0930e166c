"""Where commands print: results to standard output, reasons of failures to standard error."""

import errno
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from pydantic import BaseModel

WIDE = 400  # columns of a table that goes to a file or a program
GONE = {errno.EPIPE, errno.EIO}  # of a pipe without a reader, of a terminal that was closed

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


class Output(io.FileIO):
    """A file descriptor to print to. Once nobody reads it any more, what is written to it is dropped."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, or drop the data if the reader of a pipe or the terminal is gone."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in GONE:
                raise
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), self.fileno())
            return memoryview(data).nbytes


def make_output_safe() -> None:
    """Flush standard output at each line, and let no output fail a step that is done.

    A terminal in EUC-KR, CP949 or ASCII cannot show all that is printed, a closed output (`>&-`) shows nothing, and the
    reader of a pipe may end before the command (`| head -1`).
    """
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open until the process ends
        elif stream is getattr(sys, f"__{name}__"):
            stream.flush()
            binary = io.BufferedWriter(Output(descriptor, "w", closefd=False))
            text = io.TextIOWrapper(binary, stream.encoding, stream.errors, line_buffering=True)
            setattr(sys, name, text)
    sys.stdout.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]


def print_json(document: "BaseModel") -> None:
    """Print a model as JSON, with escapes for characters that the encoding of the output lacks."""
    text = document.model_dump_json(indent=2)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = document.model_dump_json(indent=2, ensure_ascii=True)
    sys.stdout.write(text + "\n")


def table_console() -> Console:
    """Console for tables: as wide as the terminal, or wide enough for uncut lines in a file or a program."""
    return Console(highlight=False) if out.is_terminal else Console(width=WIDE, highlight=False)
