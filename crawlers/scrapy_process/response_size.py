"""Bound of a response's size, before and after its decompression."""

from typing import NoReturn

from scrapy import Request
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Response

MAX_BYTES = 16_000_000


class TooLarge(IgnoreRequest):
    """A response has more than ``MAX_BYTES``, and was not read to its end."""


class BoundedDecompression(HttpCompressionMiddleware):
    """Downloader middleware: Scrapy's, which stops at ``DOWNLOAD_MAXSIZE``, with a fault that says what to do."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        try:
            return super().process_response(request, response)
        except IgnoreRequest as error:
            _refuse(error)

    def process_exception(self, request: Request, exception: Exception) -> None:
        if isinstance(exception, DownloadCancelledError):  # while it was received
            _refuse(exception)


def _refuse(error: Exception) -> NoReturn:
    raise TooLarge(
        f"the response is larger than {MAX_BYTES // 1_000_000} MB, so it was not read to its end: look at the page in "
        "a browser; if it is sound, its URL needs a smaller page size"
    ) from error
