"""Product images and their state between the folder of a crawl and the artifact store.

The store holds ``images/<first 2 of sha256>/<sha256>.<ending>`` and ``….400.jpg`` for all sources, and the raw dataset
``images`` of each source holds the state of its image URLs.
"""

import json
from pathlib import Path

import orjson

from artifacts.raw import RawRun, list_runs, read_typed_items, write_run
from artifacts.store import Store
from crawlers.job import Job, read_file
from crawlers.run_report import CrawlRunReport, ImagesReport, read_crawl_report
from crawlers.state.image_state import IMAGE_ROW

IMAGES = "images"


def images_folder(job: Job) -> Path:
    """Images that the crawl fetched, named by the end of their key in the store."""
    return job.folder / IMAGES


def previous_images_file(job: Job) -> Path:
    """Image state that the last crawl left, a row of JSON a line; missing at the first crawl."""
    return job.folder / "previous_images.jsonl"


def images_file(job: Job) -> Path:
    """Image state that this crawl leaves, in the same form."""
    return job.folder / "images.jsonl"


def images_report_file(job: Job) -> Path:
    """:class:`~crawlers.run_report.ImagesReport` of the crawl."""
    return job.folder / "images.json"


def load_image_state(store: Store, job: Job) -> None:
    """Write the image state that the last crawl left into the job's folder.

    Raise ``UnreadableReport`` or ``UnreadableItems`` if it is damaged or of another schema version.
    """
    runs = list_runs(store, job.source, IMAGES) if job.settings.crawl_images else []
    if runs:
        read_crawl_report(store, runs[-1])
        with previous_images_file(job).open("wb") as file:
            rows = read_typed_items(store, runs[-1], IMAGE_ROW)
            file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def store_images(store: Store, job: Job, report: CrawlRunReport) -> None:
    """Store the images of a crawl, then their state: an image with a hash in the state is in the store.

    Call it before the page state is stored: only a page that is read again names its images again.
    """
    if not job.settings.crawl_images:
        return
    for path in sorted(images_folder(job).glob("*/*")):
        key = f"{IMAGES}/{path.parent.name}/{path.name}"
        if not store.exists(key):
            store.put_file(key, path)
    stored = report.model_copy(update={"images": read_file(images_report_file(job), ImagesReport)})
    with images_file(job).open(encoding="utf-8") as lines:
        write_run(store, RawRun(report.run_id, job.source, IMAGES, job.today), map(json.loads, lines), stored)
