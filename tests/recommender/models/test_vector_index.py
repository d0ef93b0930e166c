"""An index finds what exact search finds, survives its files, grows, and is the same whatever the threads."""

from pathlib import Path

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.models.vector_index import (
    TARGET_RECALL,
    IndexKind,
    VectorIndex,
    choose_kind,
    description_path,
)
from recommender.rankers.word2vec import unit

APPROXIMATE = [kind for kind in IndexKind if kind is not IndexKind.FLAT]


def clusters(count: int, seed: int = 1) -> NDArray[np.float32]:
    """Unit vectors (count, 16) around 40 centres, like the titles of a catalog."""
    centres = np.random.default_rng(0).normal(size=(40, 16))
    random = np.random.default_rng(seed)
    return unit((centres[random.integers(0, 40, count)] + random.normal(size=(count, 16)) / 2).astype(np.float32))


VECTORS = clusters(3000)
IDS = np.arange(3000) * 2**40


def test_few_vectors_are_searched_exactly() -> None:
    index = VectorIndex.build(VECTORS)
    assert index.description.kind is IndexKind.FLAT
    cosines, ids = index.search(VECTORS[:50], 5)
    exact = VECTORS[:50] @ VECTORS.T
    assert np.array_equal(ids, np.argsort(-exact, axis=1, kind="stable")[:, :5])
    assert cosines == pytest.approx(-np.sort(-exact, axis=1)[:, :5], abs=1e-5)


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_the_measured_recall_holds_for_other_queries(kind: IndexKind) -> None:
    index, queries = VectorIndex.build(VECTORS, kind=kind), clusters(500, seed=2)
    assert index.description.recall_at_10 >= TARGET_RECALL
    assert index.description.queries == 300
    worst = np.sort(queries @ VECTORS.T, axis=1)[:, -10]
    found, _ = index.search(queries, 10)
    assert (found >= worst[:, None] - 1e-5).mean() > TARGET_RECALL - 0.02


@pytest.mark.parametrize("kind", IndexKind)
def test_an_index_and_its_large_ids_survive_the_files(kind: IndexKind, tmp_path: Path) -> None:
    index = VectorIndex.build(VECTORS, IDS, kind)
    index.write(tmp_path / "some.faiss")
    read = VectorIndex.read(tmp_path / "some.faiss")
    assert (len(read), read.description) == (3000, index.description)
    before, after = index.search(VECTORS[:20], 7), read.search(VECTORS[:20], 7)
    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])
    assert index.search(VECTORS[-1:], 1)[1] == 2999 * 2**40


@pytest.mark.parametrize("kind", IndexKind)
def test_new_vectors_are_found_without_a_rebuild(kind: IndexKind, tmp_path: Path) -> None:
    VectorIndex.build(VECTORS, IDS, kind).write(tmp_path / "old.faiss")
    old = VectorIndex.read(tmp_path / "old.faiss")
    more = clusters(40, seed=3)
    grown = old.add(more, np.arange(40) + 7 * 2**50)
    assert (len(old), len(grown)) == (3000, 3040)
    _, ids = grown.search(more, 1)
    assert (ids[:, 0] == np.arange(40) + 7 * 2**50).mean() >= 0.9
    assert old.search(more, 1)[1].max() < 7 * 2**50
    grown.write(tmp_path / "new.faiss")
    assert len(VectorIndex.read(tmp_path / "new.faiss")) == 3040
    with pytest.raises(ValueError, match=f"id {5 * 2**40} already"):
        grown.add(more[:1], IDS[5:6])


@pytest.mark.parametrize("kind", IndexKind)
def test_the_files_do_not_depend_on_the_threads(kind: IndexKind, tmp_path: Path) -> None:
    before = faiss.omp_get_max_threads()
    try:
        for threads in (1, 2, 4):
            faiss.omp_set_num_threads(threads)
            VectorIndex.build(VECTORS, kind=kind).write(tmp_path / f"{threads}.faiss")
    finally:
        faiss.omp_set_num_threads(before)
    one = (tmp_path / "1.faiss").read_bytes()
    assert all((tmp_path / f"{threads}.faiss").read_bytes() == one for threads in (2, 4))


def test_the_answers_do_not_depend_on_the_threads() -> None:
    vectors = unit(np.random.default_rng(4).normal(size=(5000, 96)).astype(np.float32))
    index, answers = VectorIndex.build(vectors), []
    before = faiss.omp_get_max_threads()
    try:
        for threads in (1, 2, 3):
            faiss.omp_set_num_threads(threads)
            answers.append(index.search(vectors, 10)[0])
    finally:
        faiss.omp_set_num_threads(before)
    assert all(np.array_equal(answers[0], each) for each in answers[1:])


def test_the_kind_follows_number_and_memory() -> None:
    assert choose_kind(19_999, 128) is IndexKind.FLAT
    assert choose_kind(100_000, 128) is IndexKind.CODES
    assert choose_kind(100_000, 127) is IndexKind.IVF
    assert choose_kind(100_000, 128, memory_bytes=2**24) is IndexKind.IVF


def test_an_empty_index_and_an_empty_query_are_answered(tmp_path: Path) -> None:
    VectorIndex.build(np.empty((0, 16), np.float32)).write(tmp_path / "empty.faiss")
    empty = VectorIndex.read(tmp_path / "empty.faiss")
    assert empty.search(VECTORS[:3], 5)[1].shape == (3, 0)
    assert VectorIndex.build(VECTORS).search(VECTORS[:0], 5)[1].shape == (0, 5)


@pytest.mark.parametrize(
    ("vectors", "ids", "message"),
    [
        (VECTORS[:2, :8], [1, 2], "do not fit an index of 16 dimensions"),
        (VECTORS[:2], [1, 1], "different ids"),
        (VECTORS[:2], [1], "different ids"),
        (np.full((1, 16), np.nan, np.float32), [1], "not finite"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(vectors: NDArray[np.float32], ids: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VectorIndex.build(VECTORS, IDS).add(vectors, np.array(ids))


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "some.faiss"
    VectorIndex.build(VECTORS).write(path)
    description = description_path(path).read_text()
    description_path(path).write_text(description.replace("16", "17"))
    with pytest.raises(ValueError, match=r"some.faiss has 16 dimensions, its description 17"):
        VectorIndex.read(path)
    description_path(path).write_text(description)
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"some.faiss cannot be read"):
        VectorIndex.read(path)
