"""The processes of Airflow on this machine: started with a log each, watched, and stopped together."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

START_SECONDS = 300
STOP_SECONDS = 20


class Failed(RuntimeError):
    """Airflow cannot go on; the message says why and what to do."""


def finish(command: Sequence[str], env: Mapping[str, str]) -> None:
    """Run a command; show its output only if it fails."""
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Failed(f"{done.stdout}\n`{' '.join(command)}` failed with exit code {done.returncode}.")


def start(
    commands: Mapping[str, Sequence[str]], env: Mapping[str, str], home: Path, processes: dict[str, psutil.Popen]
) -> None:
    """Start each command with its own log file, and add it to the running processes.

    Each has its own session: Ctrl-C on the terminal reaches only this script, which then stops them in order.
    """
    for name, command in commands.items():
        with (home / f"{name}.log").open("wb") as log:
            processes[name] = psutil.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        remember(home, processes.values())


@contextmanager
def stopped_at_the_end(home: Path) -> Iterator[dict[str, psutil.Popen]]:
    """Yield an empty dict of running processes; stop those in it at the end, the scheduler before the api-server."""
    processes: dict[str, psutil.Popen] = {}
    try:
        yield processes
    finally:
        stop(list(reversed(processes.values())))
        leftovers_file(home).unlink(missing_ok=True)


def stop(processes: Sequence[psutil.Process]) -> None:
    """Terminate the processes, then kill what is left of their sessions."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    psutil.wait_procs(processes, timeout=STOP_SECONDS)
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def leftovers_file(home: Path) -> Path:
    """Return the file that lists the running processes for the next start."""
    return home / "processes.json"


def remember(home: Path, processes: Iterable[psutil.Popen]) -> None:
    """Store the ids of the running processes with their start times, since ids are reused."""
    leftovers_file(home).write_text(json.dumps([[process.pid, process.create_time()] for process in processes]))


def stop_leftovers(home: Path) -> None:
    """Stop the processes that a killed run left behind."""
    path = leftovers_file(home)
    if not path.exists():
        return
    left = []
    for pid, created in json.loads(path.read_text()):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.create_time() == created:
                left.append(process)
    stop(left)
    path.unlink()


def check_all_run(processes: Mapping[str, psutil.Popen], home: Path) -> None:
    """Raise :class:`Failed` if a process has ended by itself."""
    for name, process in processes.items():
        code = process.poll()
        if code is not None:
            log = home / f"{name}.log"
            last = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise Failed(f"{last}\nThe {name} ended with exit code {code}; the rest was stopped. Its log: {log}")


def wait_until(condition: Callable[[], bool], what: str, processes: Mapping[str, psutil.Popen], home: Path) -> None:
    """Poll until a condition holds; raise :class:`Failed` when a process ends or it takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        check_all_run(processes, home)
        if condition():
            return
        time.sleep(0.5)
    raise Failed(f"Airflow was not {what} within {START_SECONDS} s. Its logs: {home}/*.log")


def check_port_is_free(port: int) -> None:
    """Raise :class:`Failed` if another program listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Failed(f"Port {port} is taken by another program; take another with --port.") from None


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
