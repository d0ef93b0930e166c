"""Open the artifact store that the settings name."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from artifacts.errors import StoreError
from artifacts.folder import FolderStore
from artifacts.settings import ArtifactSettings
from artifacts.store import Store

BUCKET: Final = re.compile(r"[A-Za-z0-9._-]+")
ENDPOINT: Final = re.compile(r"https?://[^/]")


def store_url() -> str:
    """Return ``UKOK_ARTIFACTS_URL``, by default the folder ``artifacts`` in ``UKOK_VAR_DIR``."""
    settings = ArtifactSettings()
    return settings.artifacts_url or str(settings.var_dir / "artifacts")


def open_store(url: str | None = None) -> Store:
    """Open the store at ``url`` (default: :func:`store_url`).

    Errors do not repeat the URL, which may hold a password.
    """
    where = url or store_url()
    parts = urlsplit(where)
    if parts.scheme == "s3":
        return _open_bucket(parts.netloc, parts.path.strip("/"), ArtifactSettings().s3_endpoint_url)
    if parts.scheme not in {"", "file"}:
        raise StoreError("UKOK_ARTIFACTS_URL is neither a folder nor s3://bucket/prefix")
    return FolderStore(Path(parts.path if parts.scheme == "file" else where))


def _open_bucket(bucket: str, prefix: str, endpoint_url: str | None) -> Store:
    from artifacts.s3 import S3Store

    if not bucket:
        raise StoreError("UKOK_ARTIFACTS_URL names no bucket: expected s3://bucket/prefix")
    if not BUCKET.fullmatch(bucket):
        raise StoreError(
            "UKOK_ARTIFACTS_URL names no bucket of letters, digits, dots and dashes: expected s3://bucket/prefix, and "
            "the credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if endpoint_url and (not ENDPOINT.match(endpoint_url) or "@" in endpoint_url):
        raise StoreError("UKOK_S3_ENDPOINT_URL is not the address of a server: expected e.g. http://127.0.0.1:8333")
    try:
        return S3Store(bucket, prefix, endpoint_url)
    except ValueError:
        raise StoreError("S3 cannot be used as configured; check UKOK_S3_ENDPOINT_URL and the AWS_ variables") from None
