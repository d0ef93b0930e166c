"""Product images: what is stored, what is fetched again, and faults of images."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from artifacts.open import open_store
from artifacts.raw import list_runs, read_items
from artifacts.store import Store
from crawlers.run_report import ImagesReport, read_crawl_report
from crawlers.runner.crawl import CrawlFailed, crawl
from crawlers.scrapy_process.image_pipeline import BadImage, decode_image
from crawlers.settings import CrawlSettings
from crawlers.state.image_state import DueImage, ImageRow, ImageState, StoredImage
from tests.builders.http_host import NOT_FOUND, Answer, Host, Received, page, running_host, shows
from tests.builders.small_crawl import DAY, NOON

FORBIDDEN, GONE, BROKEN, HUGE, BOMB = (10_000_000 + number for number in (3, 4, 5, 6, 7))
MONTH = timedelta(days=31)


def picture(shade: int, size: tuple[int, int] = (900, 600), kind: str = "PNG") -> bytes:
    """A half transparent PNG, or a JPEG, of any colour."""
    content = BytesIO()
    Image.new("RGBA" if kind == "PNG" else "RGB", size, (shade, 0, 0, 128)[: 4 if kind == "PNG" else 3]).save(
        content, kind
    )
    return content.getvalue()


SHARED, OTHER = picture(1), picture(2, kind="JPEG")
ANSWERS = {
    10_000_000: Answer(SHARED, "image/png", headers={"ETag": '"1"'}),
    10_000_001: Answer(SHARED, "image/png"),  # the same image at another URL
    10_000_002: Answer(OTHER, "image/jpeg", headers={"ETag": '"2"'}),
    FORBIDDEN: Answer(OTHER, "image/jpeg"),
    GONE: NOT_FOUND,
    BROKEN: Answer(SHARED[:-100], "image/png"),
    HUGE: Answer(b"\0" * 20_000_001, "image/png"),
    BOMB: Answer(picture(3, (10_000, 6_000)), "image/png"),
}


def answer(request: Received) -> Answer:
    """A schedule of one show for each picture, and the pictures."""
    if request.path == "/robots.txt":
        return Answer(f"User-agent: *\nDisallow: /image/image.example/{FORBIDDEN}_wide.jpg\n", "text/plain")
    if "tvschedule" in request.path:
        return Answer(page(shows(request, *ANSWERS)))
    number = request.path.removeprefix("/image/image.example/").removesuffix("_wide.jpg")
    found = ANSWERS.get(int(number), NOT_FOUND) if number.isdigit() else NOT_FOUND
    tag = request.headers["If-None-Match"]
    return Answer(status=304) if tag and tag == found.headers.get("ETag") else found


@dataclass(frozen=True)
class FetchedImages:
    """The report of a crawl's images, the state of each URL by product id, and the images requested."""

    report: ImagesReport
    known: dict[int, dict[str, object]]
    requested: list[int]
    shows: int


def fetch_images(host: Host, store: Store, after: timedelta = timedelta(), **values: object) -> FetchedImages:
    settings = CrawlSettings(
        hnsmall_url=host.url, crawl_delay_seconds=0, crawl_images=True, image_url=f"{host.url}/image"
    )
    host.requests.clear()
    runs = crawl("hnsmall", DAY, 1, NOON + after, store, settings.model_copy(update=values))
    run = list_runs(store, "hnsmall", "images")[-1]
    known = {int(Path(line["url"]).name.removesuffix("_wide.jpg")): line for line in read_items(store, run)}
    requested = sorted(
        int(Path(request.path).name.removesuffix("_wide.jpg")) for request in host.requests_for("/image/")
    )
    report = read_crawl_report(store, run).images
    assert report is not None
    return FetchedImages(report, known, requested, read_crawl_report(store, runs[0]).items)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with running_host(answer) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="module")
def first(host: Host, folder: Path) -> FetchedImages:
    return fetch_images(host, open_store(str(folder)))


def test_images_are_stored_once_by_their_content_with_a_thumbnail(first: FetchedImages, folder: Path) -> None:
    names = {sha256(SHARED).hexdigest(): "png", sha256(OTHER).hexdigest(): "jpg"}
    keys = [f"images/{name[:2]}/{name}.{ending}" for name, ending in names.items()]
    thumbnails = [f"images/{name[:2]}/{name}.400.jpg" for name in names]
    store = open_store(str(folder))
    assert store.list("images/") == sorted(keys + thumbnails)
    assert [store.get(key) for key in keys] == [SHARED, OTHER]
    for key in thumbnails:
        with Image.open(BytesIO(store.get(key))) as thumbnail:
            assert (thumbnail.format, thumbnail.size) == ("JPEG", (400, 267))


def test_the_image_of_each_url_is_in_the_state(first: FetchedImages) -> None:
    line = first.known[10_000_002]
    assert line["sha256"] == sha256(OTHER).hexdigest()
    assert (line["width"], line["height"], line["bytes"], line["etag"]) == (900, 600, len(OTHER), '"2"')
    assert first.known[10_000_000]["sha256"] == first.known[10_000_001]["sha256"] == sha256(SHARED).hexdigest()
    assert (first.report.fetched, first.report.left) == (3, 0)
    assert first.report.bytes == len(SHARED) + len(OTHER)


def test_an_image_that_cannot_be_stored_costs_no_item(first: FetchedImages) -> None:
    assert first.shows == len(ANSWERS)
    faults = first.report.faults
    reasons = {int(Path(fault.url).name.removesuffix("_wide.jpg")): fault.reason for fault in faults}
    assert reasons.keys() == {FORBIDDEN, GONE, BROKEN, HUGE, BOMB}
    assert "forbids" in reasons[FORBIDDEN]
    assert reasons[GONE] == "HTTP 404"
    assert "not an image" in reasons[BROKEN]
    assert "larger than 16 MB" in reasons[HUGE]
    assert reasons[BOMB] == "10000 × 6000 pixels are more than 50,000,000"
    assert FORBIDDEN not in first.requested


def test_the_next_crawl_requests_no_known_image(first: FetchedImages, host: Host, folder: Path) -> None:
    again = fetch_images(host, open_store(str(folder)), timedelta(hours=3))
    assert again.requested == []
    assert again.report.fetched == 0
    assert again.known.keys() == first.known.keys()


def test_a_month_later_only_changes_are_fetched(first: FetchedImages, host: Host, folder: Path) -> None:
    later = fetch_images(host, open_store(str(folder)), MONTH)
    assert later.requested == sorted(ANSWERS.keys() - {FORBIDDEN})
    # One URL has no validators: its image is fetched again, and is stored already.
    assert (later.report.unchanged, later.report.fetched) == (2, 1)


def test_images_beyond_the_limit_are_left_for_the_next_crawl(tmp_path: Path) -> None:
    pictures = {}
    for number in range(20_000_000, 20_000_008):
        content = BytesIO()
        Image.frombytes("RGB", (1000, 1000), Random(number).randbytes(3_000_000)).save(content, "PNG", compress_level=0)
        pictures[number] = Answer(content.getvalue(), "image/png")

    def answer_large(request: Received) -> Answer:
        if "tvschedule" in request.path:
            return Answer(page(shows(request, *pictures)))
        number = request.path.removeprefix("/image/image.example/").removesuffix("_wide.jpg")
        return pictures[int(number)] if number.isdigit() else NOT_FOUND

    store = open_store(str(tmp_path))
    with running_host(answer_large) as host:
        before = fetch_images(host, store, crawl_images_megabytes=20)
        after = fetch_images(host, store, timedelta(hours=3), crawl_images_megabytes=20)
    assert (before.report.fetched, before.report.left, before.report.faults) == (6, 2, [])
    assert (after.report.fetched, after.report.left) == (2, 0)
    assert len(after.requested) == 2
    assert len(store.list("images/")) == 2 * len(pictures)


def test_images_of_real_hosts_need_a_contact(host: Host, tmp_path: Path) -> None:
    settings = CrawlSettings(hnsmall_url=host.url, crawl_delay_seconds=0, crawl_images=True)
    with pytest.raises(CrawlFailed, match="set UKOK_CONTACT"):
        crawl("hnsmall", DAY, 1, NOON, open_store(str(tmp_path)), settings)


def test_a_url_without_an_image_is_due_again_after_a_day(tmp_path: Path) -> None:
    rows: list[ImageRow] = []

    def due(name: str, days: float, *seen: str) -> list[DueImage]:
        state = ImageState(tmp_path / name, NOON + timedelta(days=days))
        state.load(rows)
        for url in seen:
            state.mark_seen(url)
        found = state.claim_due(10)
        for image in found:
            if image.url == "good":
                state.mark_stored(image.url, StoredImage("ab12", "jpg", 1, 1, 1, '"1"', None))
            else:
                state.mark_requested(image.url)
        rows[:] = state.rows()
        state.close()
        return found

    assert due("0", 0, "bad", "good") == [DueImage("bad", None, None), DueImage("good", None, None)]
    assert due("1", 0.5, "bad", "good") == []
    assert due("2", 2) == []
    assert due("3", 2, "bad", "good") == [DueImage("bad", None, None)]
    assert due("4", 31, "good") == [DueImage("good", '"1"', None)]
    assert due("5", 130) == []
    assert rows == []


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"%!PS-Adobe-3.0 EPSF-3.0"])
def test_a_response_that_is_not_an_image_is_refused(content: bytes) -> None:
    with pytest.raises(BadImage, match="not an image"):
        decode_image(content)
