"""Where the page of a release is stored: beside its manifest, so that it is deleted with the release."""

from artifacts import release as releases
from artifacts.errors import NotFound, StoreError
from artifacts.release import BaseManifest
from artifacts.store import Store


def report_key(version: str) -> str:
    """Key of the page of a release."""
    return f"releases/{version}/report.html"


def read_report(store: Store, version: str) -> bytes:
    """The page of a release; raises :class:`~artifacts.errors.StoreError` if there is no such release or page."""
    try:
        return store.get(report_key(version))
    except NotFound:
        releases.read_manifest(store, version, BaseManifest)
        raise StoreError(
            f"release {version} has no report: it was built before reports were written; build a new release"
        ) from None
