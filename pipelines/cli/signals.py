"""Signals that stop a command: Ctrl-C, `kill`, and the end of the terminal."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


@contextmanager
def stop_signals() -> Iterator[Callable[[], None]]:
    """Let the signals end the block by an exception; yield a function that raises it if a signal has come.

    Python drops the exception of a handler that runs inside a callback of the garbage collector, so the function is to
    be called wherever the block can end. Signals that are ignored, as under `nohup`, stay so.
    """
    received: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        received.append(number)
        check()

    def check() -> None:
        if received:
            raise KeyboardInterrupt if received[-1] == signal.SIGINT else SystemExit(128 + received[-1])

    watched = [number for number in STOP if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, stop) for number in watched}
    try:
        yield check
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def block_stop_signals() -> None:
    """Let the signals wait, also across `exec`, until :func:`unblock_stop_signals`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)


def unblock_stop_signals() -> None:
    """Deliver the signals that wait, and those to come."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP)
