"""The gateway by a clock that is ahead by as many seconds as the file named by ``DRILL_CLOCK`` says."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from fastapi import FastAPI

from serving.gateway import main
from serving.web.clock import wall_clock


def _clock() -> datetime:
    return wall_clock() + timedelta(seconds=float(Path(os.environ["DRILL_CLOCK"]).read_text() or 0))


def create_app() -> FastAPI:
    """Build the gateway."""
    return main.create_app(clock=_clock)
