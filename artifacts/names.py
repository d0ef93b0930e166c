"""Names in artifact stores: keys, versions of releases and their files. None of them leads out of its folder.

They come from files that others may have written, and become paths: they are checked before anything is read, written
or deleted.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import AfterValidator

from artifacts.errors import StoreError

LONGEST_VERSION: Final = 64  # the warehouse has a column of this length
LONGEST_PART: Final = 200  # file systems allow 255 bytes, of which temporary names need some
LONGEST_NAME: Final = 400
_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def check_version(version: str) -> str:
    """Return a version that may be the name of a folder, else raise ``ValueError`` in one line."""
    if is_version(version):
        return version
    raise ValueError(
        f"{_shown(version)} is no version: expected at most {LONGEST_VERSION} letters, digits, dots, dashes and "
        "underscores, such as 20250806T030000Z-3f2a9c01d7; see `ukok release list`"
    )


def is_version(name: str) -> bool:
    """Whether a name may be the version of a release."""
    return len(name) <= LONGEST_VERSION and _PART.fullmatch(name) is not None


def check_file_name(name: str) -> str:
    """Return a name that leads to a file in the folder of a release or backup, else raise ``ValueError``."""
    parts = name.split("/")
    if len(name) <= LONGEST_NAME and all(len(part) <= LONGEST_PART and _PART.fullmatch(part) for part in parts):
        return name
    raise ValueError(f"file name {_shown(name)} leads out of the folder or is not of letters, digits, '.', '-', '_'")


def check_distinct(names: Iterable[str]) -> None:
    """Raise ``ValueError`` if two files would be one on a disk that ignores case, or one is the folder of another."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise ValueError(f"file names {_shown(other)} and {_shown(name)} differ in case only")
    for lowered, name in seen.items():
        parts = lowered.split("/")
        for depth in range(1, len(parts)):
            if folder := seen.get("/".join(parts[:depth])):
                raise ValueError(f"file name {_shown(folder)} is the folder of {_shown(name)}")


def check_key(key: str) -> None:
    """Raise :class:`~artifacts.errors.StoreError` for a key, or the beginning of keys, that leads elsewhere."""
    if not is_key(key):
        raise StoreError(f"key {_shown(key)} leads out of the store, or is no name of an object")


def is_key(key: str) -> bool:
    """Whether a key, or the beginning of keys, is a relative path in its shortest form."""
    parts = key.removesuffix("/").split("/") if key else []
    return "\0" not in key and all(
        part not in {"", ".", ".."} and len(part.encode(errors="replace")) <= LONGEST_PART for part in parts
    )


def _shown(name: str) -> str:
    return repr(name if len(name) <= 80 else f"{name[:80]}…")


Version = Annotated[str, AfterValidator(check_version)]
FileName = Annotated[str, AfterValidator(check_file_name)]
