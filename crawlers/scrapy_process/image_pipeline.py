"""Copies of product images, fetched with the crawl's own manners.

An image is stored once, under the hash of its bytes: ``images/<first 2 of sha256>/<sha256>.<ending>``, and beside it
``<sha256>.400.jpg``, which fits into 400 × 400 pixels.
"""

import json
from asyncio import Task, ensure_future
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from typing import Any, NamedTuple, Self
from urllib.parse import urldefrag, urlsplit

from PIL import Image, ImageOps
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response
from scrapy.pipelines.images import ImagesPipeline
from scrapy.pipelines.media import FileInfo, FileInfoOrError, MediaPipeline
from twisted.python.failure import Failure

from crawlers.items import Found
from crawlers.quality.coverage import explain
from crawlers.spiders_base.source_spider import SourceSpider
from crawlers.state.http_validators import validators_of
from crawlers.state.image_state import DueImage, ImageMemory, KeptImage
from crawlers.state.image_storage import pictures_folder, recalled_file, remembered_file, summary_file

AT_ONCE = 8
MOST_BYTES = 20_000_000
MOST_PIXELS = 50_000_000
THUMBNAIL = (400, 400)
ENDINGS = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp", "AVIF": "avif"}
FAULT_LINES = 1_000


class BadImage(ValueError):
    """An answer that is not an image to keep."""


class Images(ImagesPipeline):
    """Scrapy item pipeline: notes the images of each item, and fetches those that are due while the spider waits.

    Nothing that happens to an image concerns an item: items pass at once. The first image that does not fit into the
    bytes that a crawl may keep ends the fetching; it and the others are left for the next crawl.
    """

    def __init__(self, crawler: Crawler) -> None:
        spider = crawler.spider
        if not isinstance(spider, SourceSpider):
            raise TypeError(f"images belong to spiders of our sources, not to {type(spider).__name__}")
        self._job = spider.job
        self._memory = ImageMemory(self._job.folder / "images.sqlite", self._job.now)
        self._counts: Counter[str] = Counter()
        self._faults: Counter[tuple[str, str]] = Counter()
        self._full = False
        self._fetching: Task[None] | None = None
        super().__init__(str(pictures_folder(self._job)), crawler=crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        images = cls(crawler)
        crawler.signals.connect(images.fetch, signals.spider_idle)
        return images

    def open_spider(self, spider: object = None) -> None:
        super().open_spider()
        if recalled_file(self._job).is_file():
            with recalled_file(self._job).open(encoding="utf-8") as lines:
                self._memory.recall(map(json.loads, lines))
        if self._job.left_file.is_file():
            with self._job.left_file.open(encoding="utf-8") as lines:
                for line in map(json.loads, lines):
                    self._see(line["item"] or {})

    async def process_item(self, found: Found, spider: object = None) -> Found:
        for item in found if isinstance(found, list) else [found]:
            self._see(item.model_dump(include={"thumbnail_url", "images"}))
        return found

    def fetch(self) -> None:
        """Fetch what is due whenever the spider waits for nothing, and let it close only after that."""
        if self._fetching is not None and self._fetching.done():
            self._fetching.result()
            self._fetching = None
        if self._fetching is None and not self._full and self._memory.count_due():
            self._fetching = ensure_future(self._fetch_due())
        if self._fetching is not None:
            raise DontCloseSpider

    def close_spider(self) -> None:
        with remembered_file(self._job).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in self._memory.lines())
        summary: dict[str, Any] = dict.fromkeys(("fetched", "unchanged", "bytes"), 0) | self._counts
        faults = [{"url": url, "reason": reason, "count": count} for (url, reason), count in self._faults.items()]
        summary |= {"left": self._memory.count_due(), "faults": faults}
        summary_file(self._job).write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")
        self._memory.close()

    def get_media_requests(self, item: list[DueImage], info: MediaPipeline.SpiderInfo) -> list[Request]:
        return [self._request(image) for image in item]

    def media_to_download(self, request: Request, info: MediaPipeline.SpiderInfo, *, item: object = None) -> None:
        """Whether an image is needed was decided when it was found due."""

    async def media_downloaded(
        self, response: Response, request: Request, info: MediaPipeline.SpiderInfo, *, item: object = None
    ) -> FileInfo:
        url = request.meta["image"]
        if response.status == 304:
            self._memory.ask_later(url)
            self._counts["unchanged"] += 1
            return {"url": url, "path": "", "checksum": None, "status": "uptodate"}
        if response.status != 200:
            raise BadImage(f"HTTP {response.status}")
        picture = read_picture(response.body)
        name = sha256(response.body).hexdigest()
        path = f"{name[:2]}/{name}.{picture.ending}"
        if not self._store(path, response.body, picture.upright):
            self._memory.leave(url)
            return {"url": url, "path": path, "checksum": name, "status": "left"}
        size = (picture.width, picture.height, len(response.body))
        self._memory.keep(url, KeptImage(name, picture.ending, *size, *validators_of(response)))
        self._counts["fetched"] += 1
        return {"url": url, "path": path, "checksum": name, "status": "downloaded"}

    def media_failed(  # type: ignore[override]  # raised again, Scrapy would log each with its traceback
        self, failure: Failure, request: Request, info: MediaPipeline.SpiderInfo
    ) -> None:
        """Count an image that did not come, or that is none."""
        self._memory.ask_later(request.meta["image"])
        line = (request.meta["image"], explain(failure).removeprefix("BadImage: "))
        if line not in self._faults and len(self._faults) >= FAULT_LINES:
            line = ("(further images)", "too many faults to list each")
        self._faults[line] += 1

    def item_completed(
        self, results: list[FileInfoOrError], item: list[DueImage], info: MediaPipeline.SpiderInfo
    ) -> list[DueImage]:
        return item

    def _see(self, item: Mapping[str, Any]) -> None:
        for url in (item.get("thumbnail_url"), *item.get("images", ())):
            if url is not None and urlsplit(url).scheme in ("http", "https"):
                self._memory.see(urldefrag(url).url)

    async def _fetch_due(self) -> None:
        while not self._full and (due := self._memory.due(AT_ONCE)):
            await super().process_item(due)

    def _request(self, image: DueImage) -> Request:
        address, host = urlsplit(image.url), self._job.settings.image_url
        url = image.url if host is None else f"{host}/{image.url.removeprefix(f'{address.scheme}://')}"
        meta = {"dataset": "images", "image": image.url, "download_maxsize": MOST_BYTES}
        return Request(url, headers=image.headers, meta=meta, priority=-1)

    def _store(self, path: str, content: bytes, picture: Image.Image) -> bool:
        """See to it that an image and its thumbnail are in the crawl's folder; false if there is no room for it."""
        file = pictures_folder(self._job) / path
        if file.exists():
            return True
        if self._counts["bytes"] + len(content) > self._job.settings.crawl_images_megabytes * 1_000_000:
            self._full = True
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        _, coded = self.convert_image(picture, THUMBNAIL, response_body=BytesIO())
        file.with_name(f"{file.stem}.400.jpg").write_bytes(coded.getvalue())
        self._counts["bytes"] += len(content)
        return True


class Picture(NamedTuple):
    """An image that can be shown: its file's ending, its size in pixels, and itself, turned the right way up."""

    ending: str
    width: int
    height: int
    upright: Image.Image


def read_picture(content: bytes) -> Picture:
    """Decode an image to its end; raises :class:`BadImage` for one that is broken, too large, or of another kind."""
    try:
        with Image.open(BytesIO(content), formats=tuple(ENDINGS)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise BadImage(f"{image.width} × {image.height} pixels are more than {MOST_PIXELS:,}")
            upright = ImageOps.exif_transpose(image)
            upright.load()
            return Picture(ENDINGS[image.format or ""], image.width, image.height, upright)
    except BadImage:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadImage(f"no image: {error}") from error
