"""What loading derives from a product's title: ingredients, food or not, ingredient or dish, search tokens.

A title is resolved once: a new or renamed product waits with an empty ``resolver_version``, one that older rules
resolved with theirs, and :func:`resolve_waiting` takes them all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, distinct, func, literal, select, tuple_

from artifacts.store import Store
from pipelines.learn.titles import ResolvedTitle, TitleResolver
from pipelines.learn.vocabulary import title_vocabulary
from pipelines.load.ledger import grow_version, lock_service, table_of
from pipelines.load.tally import Tally
from pipelines.report import Report, record
from serving.recommend.text import tokens
from sql.service import catalog, recipes
from sql.upsert import chunks, upsert

KOK, HOME_SHOPPING = table_of(catalog.KokProduct), table_of(catalog.HomeShoppingProduct)
INGREDIENT, LINE = table_of(recipes.Ingredient), table_of(recipes.RecipeIngredient)
PRODUCT_INGREDIENT, DOCUMENT = table_of(catalog.ProductIngredient), table_of(catalog.SearchDocument)

DERIVED = ("is_food", "is_ingredient", "resolver_version")
WAITING = {"is_food": False, "is_ingredient": False, "resolver_version": ""}


@dataclass(frozen=True)
class _Title:
    source: str
    product_id: int
    name: str
    store: str | None


def keep_resolved(
    conn: Connection, table: Table, key: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Complete product rows: what was derived from the same title before stays, any other title waits.

    ``first_seen_at`` becomes the earlier of the row's and the stored one.
    """
    kept = []
    for chunk in chunks(list(rows)):
        stored = _stored(conn, table, key, chunk)
        for row in chunk:
            old = stored.get(tuple(row[name] for name in key))
            derived = WAITING
            first_seen_at = row["first_seen_at"]
            if old is not None:
                first_seen_at = min(first_seen_at, old["first_seen_at"])
                if all(row.get(name, old[name]) == old[name] for name in ("product_name", "store_name")):
                    derived = {name: old[name] for name in DERIVED}
            kept.append({**row, **derived, "first_seen_at": first_seen_at})
    return kept


def _stored(
    conn: Connection, table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    names = [*key, "product_name", "store_name", "first_seen_at", *DERIVED]
    keys = [tuple(row[name] for name in key) for row in rows]
    found = conn.execute(
        select(*(table.c[name] for name in names)).where(tuple_(*(table.c[name] for name in key)).in_(keys))
    )
    return {tuple(row[name] for name in key): dict(row) for row in found.mappings()}


def resolve_titles(service: Engine, warehouse: Engine, store: Store) -> Report:
    """Resolve every product again whose title the present rules and vocabulary have not resolved.

    Loading does this for its own source; after recipes have changed the vocabulary it is due for all.
    """
    with record(warehouse, store, "resolve_titles") as report:
        total = Tally()
        for table, dataset in ((KOK, "kok"), (HOME_SHOPPING, "schedule")):
            with service.begin() as conn:
                lock_service(conn, [dataset])
                tally = Tally()
                for source in _sources(conn, table):
                    tally += resolve_waiting(conn, table, source)
                if tally.written:
                    grow_version(conn, dataset)
            report.read += tally.written_in(table)
            total += tally
        report.written = total.written
        report.details["rows"] = total.details()
    return report


def _sources(conn: Connection, table: Table) -> Sequence[str]:
    if table is KOK:
        return ["kok"]
    return conn.scalars(select(table.c.source).distinct().order_by(table.c.source)).all()


def resolve_waiting(conn: Connection, table: Table, source: str) -> Tally:
    """Resolve each product of a source whose title the present rules have not resolved."""
    resolver = _resolver(_vocabulary(conn))
    tally = Tally()
    for titles in chunks(_waiting(conn, table, source, resolver.version), 500):
        resolved = resolver.resolve_many([title.name for title in titles], known_food=table is KOK)
        _write(conn, table, resolver.version, list(zip(titles, resolved, strict=True)), tally)
    return tally


def _vocabulary(conn: Connection) -> dict[str, str]:
    """Words that mean an ingredient in a title, from the ingredients that the loaded recipes use."""
    used = func.count(distinct(LINE.c.recipe_id))
    statement = (
        select(INGREDIENT.c.name, used)
        .join(LINE, LINE.c.ingredient_id == INGREDIENT.c.ingredient_id)
        .group_by(INGREDIENT.c.name)
    )
    return title_vocabulary(dict(conn.execute(statement).all()))


def _resolver(vocabulary: Mapping[str, str]) -> TitleResolver:
    return _made_resolver(frozenset(vocabulary.items()))


@lru_cache(maxsize=1)  # making one takes two seconds
def _made_resolver(vocabulary: frozenset[tuple[str, str]]) -> TitleResolver:
    return TitleResolver(dict(vocabulary))


def _waiting(conn: Connection, table: Table, source: str, version: str) -> list[_Title]:
    product_id = table.c.kok_product_id if table is KOK else table.c.source_product_id
    statement = select(literal(source), product_id, table.c.product_name, table.c.store_name).where(
        table.c.resolver_version != version
    )
    if table is not KOK:
        statement = statement.where(table.c.source == source)
    return [_Title(*row) for row in conn.execute(statement.order_by(product_id))]


def _write(
    conn: Connection, table: Table, version: str, resolved: Sequence[tuple[_Title, ResolvedTitle]], tally: Tally
) -> None:
    names = sorted({name for _, result in resolved for name in result.ingredients})
    found = select(INGREDIENT.c.name, INGREDIENT.c.ingredient_id).where(INGREDIENT.c.name.in_(names))
    ids = dict(conn.execute(found).all())
    products, ingredients, documents = [], [], []
    for title, result in resolved:
        key = {"source": title.source, "source_product_id": title.product_id}
        derived = {"is_food": result.is_food, "is_ingredient": result.is_ingredient, "resolver_version": version}
        products.append(({"kok_product_id": title.product_id} if table is KOK else key) | derived)
        known = [ids[name] for name in result.ingredients if name in ids]
        ingredients += [
            key | {"position": position, "ingredient_id": number}
            for position, number in enumerate(dict.fromkeys(known))
        ]
        words = dict.fromkeys(tokens(f"{title.store or ''} {title.name}"))
        documents.append({"source": title.source, "document_id": title.product_id, "tokens": " ".join(words)})
    tally.add(table, upsert(conn, table, products, update_columns=DERIVED))
    tally.add(PRODUCT_INGREDIENT, upsert(conn, PRODUCT_INGREDIENT, ingredients, update_columns=["ingredient_id"]))
    tally.deleted[PRODUCT_INGREDIENT.name] += _shorten(conn, resolved, ingredients)
    tally.add(DOCUMENT, upsert(conn, DOCUMENT, documents, update_columns=["tokens"]))


def _shorten(
    conn: Connection, resolved: Sequence[tuple[_Title, ResolvedTitle]], kept: Sequence[Mapping[str, Any]]
) -> int:
    """Remove ingredients that the titles resolve to no longer."""
    table = PRODUCT_INGREDIENT
    wanted = {(row["source"], row["source_product_id"], row["position"]) for row in kept}
    products = [(title.source, title.product_id) for title, _ in resolved]
    stored = conn.execute(
        select(table.c.source, table.c.source_product_id, table.c.position).where(
            tuple_(table.c.source, table.c.source_product_id).in_(products)
        )
    )
    gone = [tuple(row) for row in stored if tuple(row) not in wanted]
    for keys in chunks(gone):
        conn.execute(delete(table).where(tuple_(table.c.source, table.c.source_product_id, table.c.position).in_(keys)))
    return len(gone)
