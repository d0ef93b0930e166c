"""Old reports, saved pages and rejects in the store, uploads that did not finish, and log files on this machine."""

from collections import defaultdict
from datetime import datetime
from functools import partial
from pathlib import Path

from artifacts.store import Store
from pipelines.maintenance.garbage import UNFINISHED, Findings, Garbage, is_before, objects, started_at

# Folders of the store with the name of a run in each key: reports for people, saved pages, rejected items.
PREFIXES = ("reports/", "faults/", "rejects/")


def find_reports(store: Store, before: datetime) -> Findings:
    """Reports, saved pages and rejects of runs from before an instant."""
    runs: dict[str, dict[str, int]] = defaultdict(dict)
    for prefix in PREFIXES:
        for key, size in store.sizes(prefix).items():
            if (name := _run_of(key)) is not None:
                runs[name][key] = size
    old = [objects(store, name, sizes) for name, sizes in runs.items() if is_before(name.split("/")[-1], before)]
    return Findings(len(runs), old)


def _run_of(key: str) -> str | None:
    """The key up to the name of a run, without an ending; None for an object that no run has written."""
    folders: list[str] = []
    for part in key.split("/"):
        folders.append(part.partition(".")[0])
        if started_at(folders[-1]) is not None:
            return "/".join(folders)
    return None


def find_uploads(store: Store, now: datetime) -> Findings:
    """Uploads that began more than a day ago and did not finish."""
    uploads = store.unfinished_uploads(now - UNFINISHED)
    return Findings(
        len(uploads), [Garbage(each.key, 1, each.size, partial(store.discard_upload, each)) for each in uploads]
    )


def find_folders(store: Store) -> Findings:
    """Folders of the store without any object below them."""
    folders = store.empty_folders()
    return Findings(len(folders), [Garbage(each, 1, 0, partial(store.remove_folder, each)) for each in folders])


def find_log_files(folder: Path, before: datetime) -> Findings:
    """Log files that nobody has written to since an instant."""
    files = [(path, path.stat()) for path in sorted(folder.glob("*.log"))]
    old = [
        Garbage(str(path), 1, stat.st_size, partial(path.unlink, missing_ok=True))
        for path, stat in files
        if stat.st_mtime < before.timestamp()
    ]
    return Findings(len(files), old)
