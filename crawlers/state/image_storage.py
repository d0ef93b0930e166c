"""Copies of product images between the folder of a crawl and the artifact store.

The store holds ``images/<first 2 of sha256>/<sha256>.<ending>`` and ``….400.jpg``, whatever the source, and the raw
dataset ``images`` of a source says what is known of each address.
"""

import json
from pathlib import Path
from typing import Any

from artifacts.raw import RawRun, list_runs, read_items, write_run
from artifacts.store import Store
from crawlers.job import Job

IMAGES = "images"


def pictures_folder(job: Job) -> Path:
    """Pictures that the crawl fetched, by the end of their key in the store."""
    return job.folder / IMAGES


def recalled_file(job: Job) -> Path:
    """What earlier crawls knew of image addresses, a line of JSON each; there is none at the first crawl."""
    return job.folder / "recalled_images.jsonl"


def remembered_file(job: Job) -> Path:
    """The same as this crawl leaves it."""
    return job.folder / "remembered_images.jsonl"


def summary_file(job: Job) -> Path:
    """How many images were fetched, unchanged and left, how many bytes they have, and the faults."""
    return job.folder / "images.json"


def recall_images(store: Store, job: Job) -> None:
    """Hand the crawl what the last one knew of image addresses."""
    runs = list_runs(store, job.source, IMAGES) if job.settings.crawl_images else []
    if runs:
        with recalled_file(job).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in read_items(store, runs[-1]))


def keep_images(store: Store, job: Job, report: dict[str, Any]) -> None:
    """Store the images of a crawl, then what is known of them: an image that is known is in the store.

    To be called before the pages are remembered, since only a page that is read again tells of its images again.
    """
    if not job.settings.crawl_images:
        return
    for path in sorted(pictures_folder(job).glob("*/*")):
        key = f"{IMAGES}/{path.parent.name}/{path.name}"
        if not store.exists(key):
            store.put_file(key, path)
    summary = json.loads(summary_file(job).read_text(encoding="utf-8"))
    with remembered_file(job).open(encoding="utf-8") as lines:
        run = RawRun(report["run_id"], job.source, IMAGES, job.day)
        write_run(store, run, map(json.loads, lines), report | {"dataset": IMAGES} | summary)
