"""Nearest neighbours of unit vectors by FAISS: exact for few vectors, approximate with a measured recall for many.

An index is a file, with a description beside it (``NAME.json``): its type, the parameters of a search, and the recall
that they reached on held-out queries. The same vectors give the same files whatever the number of threads.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from threadpoolctl import threadpool_limits

Vectors = NDArray[np.float32]
Ids = NDArray[np.int64]

# Fewer vectors are searched exactly within a millisecond.
FLAT_BELOW: Final = 20_000
# An index that would take more memory stays on the disk.
MEMORY_BYTES: Final = 2**30
# Links of a vector in the graph: 32 on each layer, twice as many on the lowest.
LINKS: Final = 32
# Candidates by codes, for each wanted neighbour, whose exact cosines are computed.
REFINED: Final = 8
# Least recall@10, and what the held-out queries must show so that others reach it too.
TARGET_RECALL: Final = 0.97
MARGIN: Final = 0.002
NEAREST: Final = 10
HELD_OUT: Final = 2000
# Vectors per inverted list that its centroid is learnt from.
TRAINING_PER_LIST: Final = 64
# Two cosines that differ by less are equal.
EQUAL: Final = 1e-5
SEED: Final = 20250806


class IndexKind(StrEnum):
    """Types of an index.

    ``flat`` compares all vectors. ``codes`` scans 4-bit codes in inverted lists and compares the vectors of the best;
    at equal recall it is the quickest on titles. ``ivf`` compares the vectors of inverted lists, which stay on the
    disk. ``hnsw`` is a graph: no quicker than ``codes`` on titles, and slow to build, so it is never chosen.
    """

    FLAT = "flat"
    CODES = "codes"
    IVF = "ivf"
    HNSW = "hnsw"


class IndexDescription(BaseModel):
    """Type and search effort of an index: inverted lists that are read, or candidates of a graph's search.

    ``recall_at_10`` is the share of the exact ten nearest that ``queries`` held-out vectors found; 1 for a flat index.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: IndexKind
    dimensions: int
    effort: int = 0
    queries: int = 0
    recall_at_10: float = 1.0


@dataclass(frozen=True)
class VectorIndex:
    """Unit vectors with ids of 64 bits. Immutable, so any number of threads may search it."""

    index: faiss.Index
    description: IndexDescription

    def __len__(self) -> int:
        return int(self.index.ntotal)

    @property
    def dimensions(self) -> int:
        """Width of a vector."""
        return self.description.dimensions

    @classmethod
    def build(cls, vectors: Vectors, ids: Ids | None = None, kind: IndexKind | None = None) -> "VectorIndex":
        """Index `vectors` (n, d) under `ids`, by default their rows, as `kind`, by default :func:`choose_kind`."""
        ids = np.arange(len(vectors)) if ids is None else ids
        kind = kind or choose_kind(*vectors.shape)
        _check(vectors, ids, vectors.shape[1])
        with threadpool_limits(limits=1):
            if kind is IndexKind.FLAT:
                flat = cls(_empty(kind, vectors), IndexDescription(kind=kind, dimensions=vectors.shape[1]))
                flat.index.add_with_ids(_contiguous(vectors), ids)
                return flat
            return cls._approximate(vectors, ids, kind)

    @classmethod
    def _approximate(cls, vectors: Vectors, ids: Ids, kind: IndexKind) -> "VectorIndex":
        """Tune the effort with queries that are held out, and add them afterwards."""
        # A text that the encoder does not know has no direction, and is never asked for.
        known = np.flatnonzero(vectors.any(axis=1))
        held_out = known[np.unique(np.linspace(0, len(known) - 1, min(HELD_OUT, len(known) // 10)).astype(int))]
        kept = np.setdiff1d(np.arange(len(vectors)), held_out)
        index = _empty(kind, vectors)
        index.add_with_ids(_contiguous(vectors[kept]), ids[kept])
        effort, recall = _tuned_effort(index, kind, vectors[kept], vectors[held_out])
        index.add_with_ids(_contiguous(vectors[held_out]), ids[held_out])
        width = vectors.shape[1]
        return cls(
            index,
            IndexDescription(kind=kind, dimensions=width, effort=effort, queries=len(held_out), recall_at_10=recall),
        )

    def search(self, queries: Vectors, k: int) -> tuple[Vectors, Ids]:
        """Cosines and ids (queries, k) of the nearest vectors, best first; id -1 where there are fewer.

        Searches on one thread: with several, the last digits of a cosine depend on how they share the queries.
        """
        faiss.omp_set_num_threads(1)
        k = min(k, len(self))
        if not k or not len(queries):
            return np.zeros((len(queries), k), np.float32), np.full((len(queries), k), -1, np.int64)
        cosines, ids = _search(self.index, self.description.kind, queries, k, self.description.effort)
        return cosines, ids

    def vectors(self) -> Vectors:
        """The vectors in the order of their ids."""
        index = _copy(self.index) if isinstance(self.index, faiss.IndexIVFFlat) else self.index
        if isinstance(index, faiss.IndexIVFFlat):
            index.make_direct_map()
        found: Vectors = index.reconstruct_batch(np.sort(_ids(self.index)))
        return found

    def add(self, vectors: Vectors, ids: Ids) -> "VectorIndex":
        """The index with more vectors, without a rebuild; raises ValueError for an id that it has already."""
        _check(vectors, ids, self.dimensions)
        known = np.intersect1d(ids, _ids(self.index))
        if known.size:
            raise ValueError(f"the index has a vector with the id {known[0]} already")
        with threadpool_limits(limits=1):
            index = _copy(self.index)
            index.add_with_ids(_contiguous(vectors), ids)
        return VectorIndex(index, self.description)

    def write(self, path: Path) -> None:
        """Write the index to `path`, and its description beside it."""
        faiss.write_index(self.index, str(path))
        description_path(path).write_text(self.description.model_dump_json(indent=2), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "VectorIndex":
        """Read what :meth:`write` wrote; inverted lists stay on the disk. Raises ValueError naming a wrong file."""
        try:
            description = IndexDescription.model_validate_json(description_path(path).read_bytes())
            mapped = faiss.IO_FLAG_MMAP if description.kind is IndexKind.IVF else 0
            index = faiss.read_index(str(path), mapped)
        except (RuntimeError, ValueError, OSError) as error:
            raise ValueError(f"{path.name} cannot be read: {error}") from error
        if index.d != description.dimensions:
            raise ValueError(f"{path.name} has {index.d} dimensions, its description {description.dimensions}")
        return cls(index, description)


def description_path(path: Path) -> Path:
    """Path of the description of the index at `path`."""
    return path.with_name(f"{path.name}.json")


def choose_kind(count: int, dimensions: int, memory_bytes: int = MEMORY_BYTES) -> IndexKind:
    """Flat for few vectors, else codes beside the vectors in memory, or lists on the disk if they are too large."""
    if count < FLAT_BELOW:
        return IndexKind.FLAT
    # Four bytes a dimension, a code of four bits for each two of them, and the id.
    codes_bytes = count * (4 * dimensions + dimensions // 4 + 8)
    return IndexKind.CODES if codes_bytes <= memory_bytes and dimensions % 2 == 0 else IndexKind.IVF


def _empty(kind: IndexKind, vectors: Vectors) -> faiss.Index:
    """An index without vectors; centroids and codes are learnt from `vectors`."""
    dimensions, metric = vectors.shape[1], faiss.METRIC_INNER_PRODUCT
    if kind is IndexKind.FLAT:
        return faiss.IndexIDMap2(faiss.IndexFlatIP(dimensions))
    if kind is IndexKind.HNSW:
        return faiss.IndexIDMap2(faiss.IndexHNSWFlat(dimensions, LINKS, metric))
    root = math.sqrt(len(vectors))
    # Codes are scanned so quickly that many lists would not pay.
    lists = 2 ** round(math.log2(4 * root if kind is IndexKind.IVF else root / 4))
    # A random rotation (RR) spreads the information evenly over the parts of a code.
    codes = f"RR{dimensions},IVF{lists},PQ{dimensions // 2}x4fs,RFlat"
    description = f"IVF{lists},Flat" if kind is IndexKind.IVF else codes
    index = faiss.index_factory(dimensions, description, metric)
    lists_index = faiss.extract_index_ivf(index)
    lists_index.cp.seed, lists_index.cp.max_points_per_centroid = SEED, TRAINING_PER_LIST
    index.train(_contiguous(vectors))
    return index if kind is IndexKind.IVF else faiss.IndexIDMap2(index)


def _tuned_effort(index: faiss.Index, kind: IndexKind, vectors: Vectors, queries: Vectors) -> tuple[int, float]:
    """The least effort whose recall reaches the target with its margin, and that recall; else the greatest effort."""
    exact = faiss.IndexFlatIP(vectors.shape[1])
    exact.add(_contiguous(vectors))
    # Equal texts tie: the cosine that is reached counts, not which of them was found.
    worst = exact.search(_contiguous(queries), NEAREST)[0][:, -1:]
    effort, most = (NEAREST, len(vectors)) if kind is IndexKind.HNSW else (1, faiss.extract_index_ivf(index).nlist)
    if not len(queries):
        return most, 0.0
    while True:
        recall = float((_search(index, kind, queries, NEAREST, effort)[0] >= worst - EQUAL).mean())
        if recall >= TARGET_RECALL + MARGIN or effort >= most:
            return effort, recall
        effort = min(most, max(effort + 1, effort * 9 // 8))


def _search(index: faiss.Index, kind: IndexKind, queries: Vectors, k: int, effort: int) -> tuple[Vectors, Ids]:
    parameters = None
    if kind is IndexKind.HNSW:
        parameters = faiss.SearchParametersHNSW(efSearch=max(effort, k))
    elif kind is not IndexKind.FLAT:
        parameters = faiss.SearchParametersIVF(nprobe=effort)
    if kind is IndexKind.CODES:
        factor = REFINED * max(k, NEAREST) / k
        rotated = faiss.SearchParametersPreTransform(index_params=parameters)
        parameters = faiss.IndexRefineSearchParameters(k_factor=factor, base_index_params=rotated)
    cosines, ids = index.search(_contiguous(queries), k, params=parameters)
    return cosines, ids


def _ids(index: faiss.Index) -> Ids:
    if isinstance(index, faiss.IndexIVFFlat):
        lists = [faiss.rev_swig_ptr(index.invlists.get_ids(n), index.invlists.list_size(n)) for n in range(index.nlist)]
        return np.concatenate(lists)
    ids: Ids = faiss.vector_to_array(index.id_map)
    return ids


def _copy(index: faiss.Index) -> faiss.Index:
    """A copy in memory."""
    if not isinstance(index, faiss.IndexIVFFlat):
        return faiss.clone_index(index)
    # FAISS clones no lists that are on the disk.
    copied = faiss.IndexIVFFlat(faiss.clone_index(index.quantizer), index.d, index.nlist, index.metric_type)
    index.invlists.copy_subset_to(copied.invlists, faiss.InvertedLists.SUBSET_TYPE_ID_RANGE, -(2**63), 2**63 - 1)
    copied.ntotal = index.ntotal
    return copied


def _check(vectors: Vectors, ids: Ids, dimensions: int) -> None:
    if vectors.ndim != 2 or vectors.shape[1] != dimensions:
        raise ValueError(f"vectors of shape {vectors.shape} do not fit an index of {dimensions} dimensions")
    if len(ids) != len(vectors) or len(np.unique(ids)) != len(ids):
        raise ValueError(f"{len(vectors)} vectors need as many different ids, not {len(np.unique(ids))} of {len(ids)}")
    if not np.isfinite(vectors).all():
        raise ValueError("a vector is not finite")


def _contiguous(vectors: Vectors) -> Vectors:
    return np.ascontiguousarray(vectors, dtype=np.float32)
