"""Images that no kept crawl of any source names."""

from collections import defaultdict
from datetime import datetime, timedelta

from artifacts.raw import RawRun, read_items
from artifacts.store import Store
from crawlers.state.image_storage import IMAGES
from pipelines.maintenance.garbage import Findings, objects
from pipelines.maintenance.raw_files import list_raw, newest_runs
from ukok.korea import KST


def find_images(store: Store, *, keep_state: timedelta, now: datetime) -> Findings:
    """Images that only image states older than ``keep_state`` name, or none; the newest state of a source counts.

    A crawl stores its images before the state that names them: none may run meanwhile.
    """
    images: dict[str, dict[str, int]] = defaultdict(dict)
    for key, size in store.sizes(f"{IMAGES}/").items():
        images[key.partition(".")[0]][key] = size
    used = _named(store, _kept_states(store, keep_state, now)) if images else set()
    old = [objects(store, name, sizes) for name, sizes in images.items() if name.split("/")[-1] not in used]
    return Findings(len(images), old)


def _kept_states(store: Store, keep: timedelta, now: datetime) -> list[RawRun]:
    """The last kept image state of each source and day: it names what those of the same day before it name."""
    files = [each for each in list_raw(store) if each.run.dataset == IMAGES and each.finished]
    newest = set(newest_runs(files).values())
    first = (now.astimezone(KST) - keep).date()
    kept = sorted(each.run for each in files if each.run.day >= first or each.run in newest)
    return list({(run.source, run.day): run for run in kept}.values())


def _named(store: Store, states: list[RawRun]) -> set[str]:
    """The hashes that image states name."""
    return {str(row["sha256"]) for run in states for row in read_items(store, run) if row.get("sha256")}
