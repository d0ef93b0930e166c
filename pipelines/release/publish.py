"""Build a release from the service database and the newest models; verify it; make it live, or take it back."""

import hashlib
import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Engine, update
from sqlalchemy.dialects.postgresql import insert

from artifacts import release as releases
from artifacts.errors import StoreError
from artifacts.release import MANIFEST, CorruptRelease, Manifest
from artifacts.store import Store
from pipelines.release import evaluate, food_products, tables
from pipelines.release.gate import judge, refusal
from pipelines.release.tables import Items
from pipelines.report import record
from pipelines.train import corpora, models
from recommender.bundle import LoadedRelease
from recommender.models.encoder import Encoder
from recommender.models.neighbours import NeighbourTable
from sql.warehouse.steps import ReleaseRecord
from ukok import __version__

log = structlog.get_logger(__name__)

SHOWN: Final = 10


class ReleaseRefused(RuntimeError):
    """A release may not go live; the message names the failed checks."""


def build(service: Engine, warehouse: Engine, store: Store, now: datetime) -> str:
    """Build, judge, upload and register a release; returns its version. It is not live until :func:`promote`.

    Reads recipes and food products with their resolved ingredients, and the newest Word2Vec and BERT models. The same
    inputs give the same files on one machine.
    """
    with record(warehouse, store, "build_release") as report:
        manifest = _build(service, store, now)
        report.read = manifest.counts["recipes"] + manifest.counts["kok_products"]
        report.read += manifest.counts["home_shopping_products"]
        report.written = len(manifest.files)
        report.details |= {"version": manifest.version, "evaluation": manifest.evaluation, "gate": manifest.gate}
        judged = manifest.evaluation | {"gate": manifest.gate}
        row = {"version": manifest.version, "built_at": now, "evaluation": judged}
        with warehouse.begin() as conn:
            conn.execute(insert(ReleaseRecord).values(row).on_conflict_do_nothing())
    return manifest.version


def _build(service: Engine, store: Store, now: datetime) -> Manifest:
    corpus = corpora.read_recipes(service)
    products = food_products.read_products(service)
    with tempfile.TemporaryDirectory(prefix="ukok-release-") as scratch:
        word2vec = models.fetch_newest(store, "word2vec", Path(scratch) / "word2vec")
        bert = models.fetch_newest(store, "bert", Path(scratch) / "bert")
        folder = Path(scratch) / "release"
        shutil.copytree(bert.folder, folder / "encoder")
        encoder = Encoder(folder / "encoder")
        items = _items(corpus, products, encoder)
        vectors = _write_vectors(folder, items, word2vec)
        written = _write_tables(folder, items)
        blend, completion = evaluate.weigh(corpus, word2vec, encoder.encode)
        blend.save(folder / "blend")
        files = releases.file_entries(folder)
        evaluation = {
            "completion": completion,
            "served": served(items, written["product_recipes"]),
            "index": {"recall@10": _index_recall(folder, items)},
            "models": {"word2vec": word2vec.figures, "bert": bert.figures},
        }
        manifest = Manifest(
            version=_version(now, files),
            built_at=now.astimezone(UTC),
            files=files,
            counts=_counts(items),
            dimensions={"word2vec": vectors.shape[1], "text": items.recipe_texts.shape[1]},
            metric="inner product of unit vectors",
            datasets={"recipes": corpora.snapshot(store, corpus), "products": food_products.snapshot(store, products)},
            code_version=__version__,
            parameters={"word2vec": word2vec.version, "bert": bert.version, "neighbours": tables.NEIGHBOURS},
            evaluation=evaluation,
            gate=judge(evaluation, _live_manifest(store)),
        )
        releases.publish(store, folder, manifest)
    return manifest


def verify(warehouse: Engine, store: Store, version: str) -> Manifest:
    """Bring a release here, check every hash, open it as serving does and ask it once; returns its manifest.

    Raises :class:`~artifacts.release.CorruptRelease` with the file that is wrong.
    """
    with record(warehouse, store, "verify_release") as report:
        report.details["version"] = version
        manifest = _verified(store, version)
        report.read = len(manifest.files)
    return manifest


def _verified(store: Store, version: str) -> Manifest:
    with tempfile.TemporaryDirectory(prefix="ukok-verify-") as scratch:
        loaded = LoadedRelease.open(releases.fetch(store, version, Path(scratch)))
        if loaded.version != version:
            raise CorruptRelease(f"release {version}: {MANIFEST} says {loaded.version}")
        if len(loaded.recipe_ids) and not loaded.recipes_like("김치찌개", 1):
            raise CorruptRelease(f"release {version}: the text index finds nothing")
        return loaded.manifest


def promote(warehouse: Engine, store: Store, version: str, now: datetime) -> None:
    """Make a release live, if its gate passed and nobody else was faster; raises :class:`ReleaseRefused`."""
    with record(warehouse, store, "promote_release") as report:
        report.details["version"] = version
        manifest = releases.read_manifest(store, version)
        if not manifest.gate["passed"]:
            raise ReleaseRefused(f"release {version} stays back: {refusal(manifest.gate)}")
        releases.promote(store, version, expected=releases.current(store))
        _register_live(warehouse, version, now)


def rollback(warehouse: Engine, store: Store, now: datetime) -> str:
    """Make the release before the live one live again and return its version."""
    with record(warehouse, store, "rollback_release") as report:
        report.details["version"] = version = releases.rollback(store)
        _register_live(warehouse, version, now)
    return version


def _register_live(warehouse: Engine, version: str, now: datetime) -> None:
    with warehouse.begin() as conn:
        conn.execute(update(ReleaseRecord).where(ReleaseRecord.version == version).values(promoted_at=now))


def list_releases(store: Store) -> list[tuple[Manifest, bool]]:
    """Every uploaded release, oldest first, and whether it is the live one."""
    live = releases.current(store)
    return [(releases.read_manifest(store, version), version == live) for version in releases.list_releases(store)]


def served(items: Items, table: NeighbourTable) -> dict[str, Any]:
    """What customers are shown: of products with a resolved ingredient, the share of recipes that hold it."""
    shown = holding = answered = 0
    for position, product in enumerate(items.products):
        if not product.ingredients:
            continue
        found = table.of_row(position, SHOWN)
        answered += bool(found)
        shown += len(found)
        wanted = set(product.ingredients)
        holding += sum(bool(wanted & set(items.corpus.baskets[row])) for row, _, _ in found)
    resolved = sum(bool(product.ingredients) for product in items.products)
    return {
        "products": len(items.products),
        "products_resolved": resolved,
        "products_answered": answered,
        "recipes_shown": shown,
        "contains_ingredient": holding / shown if shown else None,
    }


def _items(corpus: corpora.RecipeCorpus, products: list[food_products.FoodProduct], encoder: Encoder) -> Items:
    texts = encoder.encode([*corpus.titles, *(product.text for product in products)])
    names = tuple(sorted({name for basket in corpus.baskets for name in basket}))
    return Items(corpus, products, names, texts[: len(corpus)], texts[len(corpus) :])


def _write_vectors(folder: Path, items: Items, word2vec: models.Model) -> NDArray[np.float32]:
    """Write names, ids and vectors; returns the ingredient vectors (names, d), zero for names without one."""
    learnt = dict(zip(word2vec.names, word2vec.array("input"), strict=True))
    width = word2vec.array("input").shape[1]
    vectors = np.array([learnt.get(name, np.zeros(width)) for name in items.names], dtype=np.float32)
    vectors = vectors.reshape(len(items.names), width)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    (folder / "ingredients.json").write_text(json.dumps(items.names, ensure_ascii=False), encoding="utf-8")
    items.baskets.save(folder / "baskets")
    np.save(folder / "recipe_ids.npy", items.corpus.recipe_ids)
    np.save(folder / "recipe_prior.npy", items.popularity)
    np.save(folder / "ingredient_vectors.npy", vectors)
    np.save(folder / "product_sources.npy", np.array([p.source for p in items.products], dtype=np.str_))
    np.save(folder / "product_ids.npy", np.array([p.product_id for p in items.products], dtype=np.int64))
    _write_index(folder / "recipes.faiss", _recipe_vectors(items, vectors))
    _write_index(folder / "texts.faiss", np.concatenate([items.recipe_texts, items.product_texts]))
    return vectors


def _recipe_vectors(items: Items, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vector of each recipe: the sum of its ingredients, each by how much it tells."""
    weighted = vectors * items.baskets.information(len(items.names))[:, None]
    sums = np.zeros((len(items.corpus), vectors.shape[1]), dtype=np.float32)
    owners = np.repeat(np.arange(len(items.corpus)), np.diff(items.baskets.starts))
    np.add.at(sums, owners, weighted[items.baskets.ingredients])
    unit: NDArray[np.float32] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return unit


def _write_index(path: Path, vectors: NDArray[np.float32]) -> None:
    # Exact search: below some 20,000 rows nothing is faster by enough to matter.
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(np.ascontiguousarray(vectors, dtype=np.float32))
    faiss.write_index(flat, str(path))


def _write_tables(folder: Path, items: Items) -> dict[str, NeighbourTable]:
    broadcasters = frozenset(product.source for product in items.products) - {"kok"}
    written = {
        "product_recipes": tables.product_recipes(items),
        "recipe_products": tables.recipe_products(items),
        "product_kok": tables.similar_products(items, frozenset({"kok"})),
        "product_home_shopping": tables.similar_products(items, broadcasters),
    }
    for name, table in written.items():
        table.save(folder / "neighbours" / name)
    return written


def _index_recall(folder: Path, items: Items, queries: int = 200) -> float:
    """Share of the exact ten nearest texts that the written index finds, over evenly spaced rows."""
    texts = np.concatenate([items.recipe_texts, items.product_texts])
    rows = np.unique(np.linspace(0, len(texts) - 1, min(queries, len(texts))).astype(int))
    k = min(10, len(texts))
    _, found = faiss.read_index(str(folder / "texts.faiss")).search(texts[rows], k)
    exact = np.argsort(-(texts[rows] @ texts.T), axis=1, kind="stable")[:, :k]
    # Equal texts tie: what counts is the cosine reached, not which of them was named.
    reached = np.take_along_axis(texts[rows] @ texts.T, found, axis=1)
    worst = np.take_along_axis(texts[rows] @ texts.T, exact[:, -1:], axis=1)
    return float((reached >= worst - 1e-5).mean())


def _counts(items: Items) -> dict[str, int]:
    return {
        "recipes": len(items.corpus),
        "ingredients": len(items.names),
        "kok_products": sum(product.source == "kok" for product in items.products),
        "home_shopping_products": sum(product.source != "kok" for product in items.products),
    }


def _version(now: datetime, files: dict[str, releases.FileEntry]) -> str:
    content = "".join(f"{name} {entry.sha256}\n" for name, entry in files.items())
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{hashlib.sha256(content.encode()).hexdigest()[:10]}"


def _live_manifest(store: Store) -> Manifest | None:
    live = releases.current(store)
    try:
        return releases.read_manifest(store, live) if live else None
    except StoreError as error:
        log.warning("the live release cannot be compared with", reason=str(error))
        return None
