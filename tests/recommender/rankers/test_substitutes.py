"""Substitutes of an ingredient: ranked, told apart from other names, and empty where nothing fits."""

import numpy as np
import pytest

from recommender.models.neighbours import NeighbourTable
from recommender.models.recipe_corpus import RecipeCorpus, corpus_of
from recommender.models.word_vectors import WordVectors
from recommender.rankers.substitute import Relation
from recommender.rankers.substitute_features import FEATURES, EaseWeights, SubstituteFeatures, written_names
from recommender.rankers.substitute_groups import substitute_groups
from recommender.rankers.substitutes import Substitutes, default_weights, fit_substitutes

# Two ways of cooking: with one of each first group, never with two.
STEW = [("국간장", "액젓"), ("두부", "연두부"), ("대파", "파(쪽파)")]
SALAD = [("식초(사과식초)", "식초", "레몬즙"), ("상추", "양상추"), ("방울토마토", "토마토")]


def written(recipes: int = 600) -> RecipeCorpus:
    random = np.random.default_rng(3)
    lines = []
    for number in range(recipes):
        groups = STEW if number % 2 else SALAD
        lines += [(number, str(random.choice(group))) for group in groups]
        lines.append((number, "얼음"))
    return corpus_of([(number, "", 0.0) for number in range(recipes)], lines)


@pytest.fixture(scope="module")
def substitutes() -> Substitutes:
    corpus = written()
    names = ("얼음", "식초")
    vectors = np.eye(2, 4, dtype=np.float32)
    ease = EaseWeights(names, np.eye(2, dtype=np.float32)[::-1].copy())
    return fit_substitutes(corpus, WordVectors(names, vectors, vectors), ease, default_weights())


def found(substitutes: Substitutes, name: str) -> dict[str, Relation]:
    return {each.name: each.relation for each in substitutes.of(name, 5)}


def test_what_the_groups_name_comes_first(substitutes: Substitutes) -> None:
    assert next(iter(found(substitutes, "방울토마토"))) == "토마토"
    assert next(iter(found(substitutes, "상추"))) == "양상추"
    assert found(substitutes, "국간장")["액젓"] == Relation.SUBSTITUTE


def test_complements_are_not_substitutes(substitutes: Substitutes) -> None:
    for name in substitutes.names:
        assert "얼음" not in found(substitutes, name)
    assert not {"두부", "연두부", "대파"} & found(substitutes, "국간장").keys()


def test_other_names_and_kinds_are_marked(substitutes: Substitutes) -> None:
    assert found(substitutes, "식초(사과식초)")["식초"] == Relation.VARIETY
    assert found(substitutes, "식초")["레몬즙"] == Relation.SUBSTITUTE
    both = fit_substitutes(
        corpus_of([(n, "", 0.0) for n in range(40)], [(n, ("숙주", "숙주나물")[n % 2]) for n in range(40)]),
        WordVectors(("숙주",), np.ones((1, 2), np.float32), np.ones((1, 2), np.float32)),
        EaseWeights(("숙주",), np.zeros((1, 1), np.float32)),
        default_weights(),
    )
    assert found(both, "숙주나물") == {"숙주": Relation.OTHER_NAME}


def test_a_name_is_found_in_any_spelling(substitutes: Substitutes) -> None:
    assert substitutes.of("방울 토마토", 5) == substitutes.of("방울토마토", 5) != []
    assert substitutes.of("파 (쪽파)", 5) == substitutes.of("파(쪽파)", 5) != []
    assert substitutes.of("완숙토마토", 5) == substitutes.of("토마토", 5), "a kind that no recipe uses"
    assert substitutes.of("없는재료", 5) == []
    assert substitutes.of("", 5) == []


def test_probabilities_are_sound_and_the_name_itself_is_left_out(substitutes: Substitutes) -> None:
    for name in substitutes.names:
        rows = substitutes.of(name, 20)
        assert name not in [row.name for row in rows]
        assert all(default_weights().min_probability <= row.score <= 1 for row in rows)
    assert found(substitutes, "얼음") == {}


def test_features_are_finite_and_named() -> None:
    corpus = written(100)
    names = written_names(corpus, 1)
    vectors = np.zeros((2, 4), dtype=np.float32)
    vectors[0] = 1
    features = SubstituteFeatures(
        corpus, names, WordVectors(("얼음", "식초"), vectors, vectors), EaseWeights((), np.zeros((0, 0), np.float32))
    )
    for number in range(len(names)):
        rows = features.of(number)
        assert rows.shape == (len(names), len(FEATURES))
        assert np.isfinite(rows).all()


def test_an_empty_corpus_has_no_substitutes() -> None:
    empty = np.zeros((0, 2), np.float32)
    nothing = EaseWeights((), np.zeros((0, 0), np.float32))
    assert fit_substitutes(corpus_of([], []), WordVectors((), empty, empty), nothing, default_weights()).names == ()
    assert Substitutes((), NeighbourTable.of([], 3)).of("감자", 3) == []


@pytest.mark.parametrize(
    ("written_as", "thing"),
    [
        ("고추(붉은고추(홍고추))", "홍고추"),
        ("숙주나물", "숙주"),
        ("파(쪽파)", "쪽파"),
        ("다진 소고기", "다진소고기"),
        ("돼지고기(등심)", "돼지고기(등심)"),
        ("모르는것", "모르는것"),
    ],
)
def test_what_a_name_means(written_as: str, thing: str) -> None:
    assert substitute_groups().thing_of(written_as) == thing


def test_the_groups_are_well_formed() -> None:
    groups = substitute_groups()
    assert len(groups.known) > 400
    assert not set(groups.things) & set(groups.things.values()), "a name stands for itself"
    assert not set(groups.things) & groups.known, "other names are replaced"
    for name, others in groups.close.items():
        assert name not in others
        assert all(name in groups.close[other] for other in others), "close is mutual"
        assert not others & groups.makeshift.get(name, frozenset())
