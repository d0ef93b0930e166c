import shutil
from pathlib import Path

import pytest

from artifacts.folder import FolderStore
from tests.builders.market_release import Good, good_release


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Good:
    """A good release of the synthetic market, which is live in its store."""
    return good_release(tmp_path_factory.mktemp("market"))


@pytest.fixture
def market_store(good: Good, tmp_path: Path) -> FolderStore:
    """A copy of that store."""
    return FolderStore(Path(shutil.copytree(good.store.root, tmp_path / "store")))
