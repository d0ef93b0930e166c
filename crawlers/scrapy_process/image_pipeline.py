"""Item pipeline that fetches product images, as politely as pages.

An image is stored once, under the hash of its bytes: ``images/<first 2 of sha256>/<sha256>.<ending>``, with a thumbnail
``<sha256>.400.jpg`` that fits into 400 × 400 pixels.
"""

from asyncio import Task, ensure_future
from collections import Counter
from hashlib import sha256
from io import BytesIO
from typing import NamedTuple, Self
from urllib.parse import urldefrag, urlsplit

import orjson
from PIL import Image, ImageOps
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response
from scrapy.pipelines.images import ImagesPipeline
from scrapy.pipelines.media import FileInfo, FileInfoOrError, MediaPipeline
from twisted.python.failure import Failure

from crawlers.items import Item, ItemOrItems
from crawlers.quality.coverage import failure_reason
from crawlers.run_report import ImageFault, ImagesReport
from crawlers.spiders_base.source_spider import source_spider_of
from crawlers.state.checkpoints import read_taken_over
from crawlers.state.http_validators import validators_of
from crawlers.state.image_state import IMAGE_ROW, DueImage, ImageState, StoredImage
from crawlers.state.image_storage import images_file, images_folder, images_report_file, previous_images_file

BATCH = 8
MAX_PIXELS = 50_000_000
THUMBNAIL = (400, 400)
ENDINGS = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp", "AVIF": "avif"}
MAX_FAULT_LINES = 1_000


class BadImage(ValueError):
    """A response is not an image that can be stored."""


class ProductImages(ImagesPipeline):
    """Scrapy item pipeline: records the images of each item, and fetches those that are due while the spider is idle.

    Items pass at once, whatever happens to their images. The first image that exceeds the bytes that a crawl may store
    ends the fetching; it and the others are left for the next crawl.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._job = source_spider_of(crawler).job
        self._state = ImageState(self._job.folder / "images.sqlite", self._job.now)
        self._counts: Counter[str] = Counter()
        self._faults: Counter[tuple[str, str]] = Counter()
        self._full = False
        self._fetching: Task[None] | None = None
        super().__init__(str(images_folder(self._job)), crawler=crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        pipeline = cls(crawler)
        crawler.signals.connect(pipeline.fetch_due, signals.spider_idle)
        return pipeline

    def open_spider(self, spider: object = None) -> None:
        super().open_spider()
        if previous_images_file(self._job).is_file():
            with previous_images_file(self._job).open("rb") as lines:
                self._state.load(map(IMAGE_ROW.validate_json, lines))
        for read in read_taken_over(self._job.taken_over_file):
            if read.item is not None:
                self._mark_seen(read.item)

    async def process_item(self, item: ItemOrItems, spider: object = None) -> ItemOrItems:
        for each in item if isinstance(item, list) else [item]:
            self._mark_seen(each)
        return item

    def fetch_due(self) -> None:
        """Fetch the due images when the spider is idle, and let it close only after that."""
        if self._fetching is not None and self._fetching.done():
            self._fetching.result()
            self._fetching = None
        if self._fetching is None and not self._full and self._state.count_due():
            self._fetching = ensure_future(self._fetch())
        if self._fetching is not None:
            raise DontCloseSpider

    def close_spider(self) -> None:
        with images_file(self._job).open("wb") as file:
            file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in self._state.rows())
        report = ImagesReport(
            fetched=self._counts["fetched"],
            unchanged=self._counts["unchanged"],
            bytes=self._counts["bytes"],
            left=self._state.count_due(),
            faults=[ImageFault(url=url, reason=reason, count=count) for (url, reason), count in self._faults.items()],
        )
        images_report_file(self._job).write_text(report.model_dump_json(), encoding="utf-8")
        self._state.close()

    def get_media_requests(self, item: list[DueImage], info: MediaPipeline.SpiderInfo) -> list[Request]:
        return [self._request(image) for image in item]

    def media_to_download(self, request: Request, info: MediaPipeline.SpiderInfo, *, item: object = None) -> None:
        """Fetch every request: only due images are requested."""

    async def media_downloaded(
        self, response: Response, request: Request, info: MediaPipeline.SpiderInfo, *, item: object = None
    ) -> FileInfo:
        url = request.meta["image"]
        if response.status == 304:
            self._state.mark_requested(url)
            self._counts["unchanged"] += 1
            return {"url": url, "path": "", "checksum": None, "status": "uptodate"}
        if response.status != 200:
            raise BadImage(f"HTTP {response.status}")
        image = decode_image(response.body)
        name = sha256(response.body).hexdigest()
        path = f"{name[:2]}/{name}.{image.ending}"
        if not self._store(path, response.body, image.upright):
            self._state.release(url)
            return {"url": url, "path": path, "checksum": name, "status": "left"}
        size = (image.width, image.height, len(response.body))
        self._state.mark_stored(url, StoredImage(name, image.ending, *size, *validators_of(response)))
        self._counts["fetched"] += 1
        return {"url": url, "path": path, "checksum": name, "status": "downloaded"}

    def media_failed(  # type: ignore[override]  # raised again, Scrapy would log each with its traceback
        self, failure: Failure, request: Request, info: MediaPipeline.SpiderInfo
    ) -> None:
        """Count an image that was not received or cannot be stored."""
        self._state.mark_requested(request.meta["image"])
        line = (request.meta["image"], failure_reason(failure).removeprefix("BadImage: "))
        if line not in self._faults and len(self._faults) >= MAX_FAULT_LINES:
            line = ("(further images)", "too many faults to list each")
        self._faults[line] += 1

    def item_completed(
        self, results: list[FileInfoOrError], item: list[DueImage], info: MediaPipeline.SpiderInfo
    ) -> list[DueImage]:
        return item

    def _mark_seen(self, item: Item) -> None:
        for url in (getattr(item, "thumbnail_url", None), *getattr(item, "images", ())):
            if url is not None and urlsplit(url).scheme in ("http", "https"):
                self._state.mark_seen(urldefrag(url).url)

    async def _fetch(self) -> None:
        while not self._full and (due := self._state.claim_due(BATCH)):
            await super().process_item(due)

    def _request(self, image: DueImage) -> Request:
        address, host = urlsplit(image.url), self._job.settings.image_url
        url = image.url if host is None else f"{host}/{image.url.removeprefix(f'{address.scheme}://')}"
        meta = {"dataset": "images", "image": image.url}
        return Request(url, headers=image.headers, meta=meta, priority=-1)

    def _store(self, path: str, content: bytes, upright: Image.Image) -> bool:
        """Write an image and its thumbnail into the crawl's folder. Return False if the byte limit is reached."""
        file = images_folder(self._job) / path
        if file.exists():
            return True
        if self._counts["bytes"] + len(content) > self._job.settings.crawl_images_megabytes * 1_000_000:
            self._full = True
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        _, coded = self.convert_image(upright, THUMBNAIL, response_body=BytesIO())
        file.with_name(f"{file.stem}.400.jpg").write_bytes(coded.getvalue())
        self._counts["bytes"] += len(content)
        return True


class DecodedImage(NamedTuple):
    """An image: file ending, size in pixels, and pixels turned upright."""

    ending: str
    width: int
    height: int
    upright: Image.Image


def decode_image(content: bytes) -> DecodedImage:
    """Decode an image completely. Raise :class:`BadImage` if it is broken, too large or of an unknown format."""
    try:
        with Image.open(BytesIO(content), formats=tuple(ENDINGS)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadImage(f"{image.width} × {image.height} pixels are more than {MAX_PIXELS:,}")
            upright = ImageOps.exif_transpose(image)
            upright.load()
            return DecodedImage(ENDINGS[image.format or ""], image.width, image.height, upright)
    except BadImage:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadImage(f"not an image: {error}") from error
