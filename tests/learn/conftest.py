import pytest

from pipelines.learn import lexicon
from pipelines.learn.titles import TitleResolver


@pytest.fixture(scope="session")
def resolver() -> TitleResolver:
    return TitleResolver(lexicon.ingredients().canonical)
