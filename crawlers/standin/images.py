"""Small images that depend on their URL alone."""

from functools import lru_cache
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageDraw

from crawlers.standin.catalog import digest

SIZE = (320, 240)
PICTURES = 500


class Picture(NamedTuple):
    """An image as bytes with its media type."""

    content: bytes
    media_type: str


def picture(address: str) -> Picture:
    """Return the image at ``host/path``: one of 500, so that several URLs share their bytes.

    It is a PNG or a GIF if the path ends like one, else a JPEG.
    """
    ending = address.rpartition(".")[2].lower()
    return _draw(digest(address, "picture") % PICTURES, ending if ending in ("png", "gif") else "jpeg")


@lru_cache(maxsize=PICTURES)
def _draw(number: int, kind: str) -> Picture:
    shade = (number % 8 * 32, number // 8 % 8 * 32, number // 64 * 32)
    drawn = Image.new("RGB", SIZE, shade)
    ImageDraw.Draw(drawn).ellipse((80, 40, 240, 200), fill=tuple(255 - part for part in shade))
    content = BytesIO()
    drawn.save(content, kind)
    return Picture(content.getvalue(), f"image/{kind}")
