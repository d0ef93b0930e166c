"""Free space of the disks that a run of ukok writes to on this machine."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel

from artifacts.open import store_url
from sql.settings import DatabaseSettings

Holds = Literal["UKOK_VAR_DIR", "artifacts"]


class Disk(BaseModel):
    """Free and total bytes of the disk that holds a folder."""

    holds: Holds
    folder: str
    free: int
    total: int


def disks() -> Iterator[Disk]:
    """Yield the disk of ``UKOK_VAR_DIR``, and that of the artifacts if they are in a folder."""
    folders: dict[Holds, Path] = {"UKOK_VAR_DIR": DatabaseSettings().var_dir}
    url = urlsplit(store_url())
    if url.scheme in {"", "file"}:
        folders["artifacts"] = Path(url.path)
    for holds, folder in folders.items():
        with suppress(OSError):
            # A folder that is not made yet will be on the disk of its parent.
            existing = next(each for each in (folder, *folder.resolve().parents) if each.is_dir())
            usage = shutil.disk_usage(existing)
            yield Disk(holds=holds, folder=str(folder), free=usage.free, total=usage.total)
