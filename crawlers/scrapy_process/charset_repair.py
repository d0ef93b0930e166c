"""Downloader middleware that reads pages in the charset that their bytes prove, whatever the response declares."""

from scrapy import Request
from scrapy.http import Response, TextResponse
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding

from crawlers.charset import REPAIRED, UNREADABLE, proven_charset


class CharsetRepair:
    """Sets the encoding of responses, and says in their ``flags`` what was wrong, which the crawl report counts."""

    def process_response(self, request: Request, response: Response) -> Response:
        if not isinstance(response, TextResponse):
            return response
        charset = proven_charset(response.body, response.encoding)
        if charset is None:
            return response.replace(flags=[*response.flags, UNREADABLE])
        if charset == response.encoding:
            return response
        flags = [f"{REPAIRED}{charset}, although {declared}"] if (declared := _declaration(response)) else []
        return response.replace(encoding=charset, flags=[*response.flags, *flags])


def _declaration(response: TextResponse) -> str | None:
    """Return what a response says about its charset; None if that is nothing."""
    header = response.headers.get("Content-Type")
    if header and (charset := http_content_type_encoding(header.decode("latin-1"))):
        return f"its header says {charset}"
    body = html_body_declared_encoding(response.body)
    return f"its body says {body}" if body else None
