import pytest

from recommender.text import lexicon
from recommender.text.resolver import TitleResolver


@pytest.fixture(scope="session")
def resolver() -> TitleResolver:
    return TitleResolver(lexicon.ingredients().canonical)
