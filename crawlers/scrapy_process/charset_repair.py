"""Downloader middleware that reads pages in the charset that their bytes prove, whatever the response declares."""

from scrapy import Request
from scrapy.http import Response, TextResponse
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding

from crawlers.charset import REPAIRED, UNREADABLE, UTF_8, proven_charset


class CharsetRepair:
    """Sets the encoding of responses, and says in their ``flags`` what was wrong, which the crawl report counts."""

    def process_response(self, request: Request, response: Response) -> Response:
        if not isinstance(response, TextResponse):
            return response
        declared = _declared(response)
        charset = proven_charset(response.body, declared)
        if charset is None:
            return response.replace(flags=[*response.flags, UNREADABLE])
        if charset != (declared or UTF_8):
            flag = f"{REPAIRED}{charset}, although it declares {declared or 'no charset'}"
            return response.replace(encoding=charset, flags=[*response.flags, flag])
        return response if charset == response.encoding else response.replace(encoding=charset)


def _declared(response: TextResponse) -> str | None:
    """Return the charset that a response declares, in its header or else in its body; None if it declares none."""
    header = response.headers.get("Content-Type")
    charset = header and http_content_type_encoding(header.decode("latin-1"))
    return charset or html_body_declared_encoding(response.body)
