"""What loading derives from a product's title: ingredients, food or not, ingredient or dish, search tokens.

A title is resolved once: a new or renamed product waits with an empty ``resolver_version``, one that older rules
resolved with theirs, and :func:`resolve_waiting` takes them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, Table, distinct, func, literal, select, tuple_

from artifacts.store import Store
from pipelines.load.history import Key
from pipelines.load.ledger import grow_version, lock_service, table_of
from pipelines.load.parts import Row, replace_parts
from pipelines.load.tally import Tally
from pipelines.report import Report, record
from recommender.text.ingredients import title_vocabulary
from recommender.text.resolver import ResolvedTitle, TitleResolver, resolver_version
from recommender.text.titles import tokens
from sql.service import catalog, recipes
from sql.upsert import Counts, chunks, upsert

KOK, HOME_SHOPPING = table_of(catalog.KokProduct), table_of(catalog.HomeShoppingProduct)
INGREDIENT, LINE = table_of(recipes.Ingredient), table_of(recipes.RecipeIngredient)
PRODUCT_INGREDIENT, DOCUMENT = table_of(catalog.ProductIngredient), table_of(catalog.SearchDocument)

# Of a title that waits to be resolved, and of what no page has told yet.
WAITING = {"is_food": False, "is_ingredient": False, "resolver_version": ""}
UNTOLD = {"price_kind": "unknown"}


@dataclass(frozen=True)
class _Title:
    source: str
    product_id: int
    name: str
    store: str | None


def write_products(conn: Connection, table: Table, rows: Sequence[Row], at: datetime) -> Counts:
    """Upsert products that were seen at an instant; what a row leaves out stays as it is stored.

    ``first_seen_at`` becomes the earliest such instant. What was derived from a title stays as long as the title does,
    any other title waits.
    """
    key = [column.name for column in table.primary_key.columns]
    told = [column.name for column in table.columns if column.name not in key]
    counts = Counts()
    for chunk in chunks(rows):
        stored = _stored(conn, table, key, chunk)
        whole = [_completed(table, stored.get(tuple(row[name] for name in key)), row, at) for row in chunk]
        counts += upsert(conn, table, whole, update_columns=told)
    return counts


def _completed(table: Table, old: Row | None, row: Row, at: datetime) -> dict[str, Any]:
    if old is None:
        fresh = {name: value for name, value in (UNTOLD | WAITING).items() if name in table.c}
        return {**dict.fromkeys(table.c.keys()), **fresh, **row, "first_seen_at": at}
    renamed = any(row.get(name, old[name]) != old[name] for name in ("product_name", "store_name"))
    return {**old, **row, **(WAITING if renamed else {}), "first_seen_at": min(at, old["first_seen_at"])}


def _stored(conn: Connection, table: Table, key: Sequence[str], rows: Sequence[Row]) -> dict[Key, Row]:
    keys = [tuple(row[name] for name in key) for row in rows]
    found = conn.execute(select(table).where(tuple_(*(table.c[name] for name in key)).in_(keys)))
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
    vocabulary = _vocabulary(conn)
    version = resolver_version(vocabulary)
    tally = Tally()
    for titles in chunks(_waiting(conn, table, source, version), 500):
        resolver = _resolver(frozenset(vocabulary.items()))
        resolved = resolver.resolve_many([title.name for title in titles], known_food=table is KOK)
        tally += _write(conn, table, version, list(zip(titles, resolved, strict=True)))
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


@lru_cache(maxsize=1)  # making one takes two seconds and 300 MB
def _resolver(vocabulary: frozenset[tuple[str, str]]) -> TitleResolver:
    return TitleResolver(dict(vocabulary))


def _waiting(conn: Connection, table: Table, source: str, version: str) -> list[_Title]:
    product_id = table.c.kok_product_id if table is KOK else table.c.source_product_id
    statement = select(literal(source), product_id, table.c.product_name, table.c.store_name).where(
        table.c.resolver_version != version
    )
    if table is not KOK:
        statement = statement.where(table.c.source == source)
    return [_Title(*row) for row in conn.execute(statement.order_by(product_id))]


def _write(conn: Connection, table: Table, version: str, resolved: Sequence[tuple[_Title, ResolvedTitle]]) -> Tally:
    names = sorted({name for _, result in resolved for name in result.ingredients})
    found = select(INGREDIENT.c.name, INGREDIENT.c.ingredient_id).where(INGREDIENT.c.name.in_(names))
    ids = dict(conn.execute(found).all())
    products, documents = [], []
    ingredients: dict[Key, list[Row]] = {}
    for title, result in resolved:
        key = {"source": title.source, "source_product_id": title.product_id}
        derived = {"is_food": result.is_food, "is_ingredient": result.is_ingredient, "resolver_version": version}
        products.append(({"kok_product_id": title.product_id} if table is KOK else key) | derived)
        known = [ids[name] for name in result.ingredients if name in ids]
        ingredients[title.source, title.product_id] = [
            key | {"position": position, "ingredient_id": number}
            for position, number in enumerate(dict.fromkeys(known))
        ]
        words = dict.fromkeys(tokens(f"{title.store or ''} {title.name}"))
        documents.append({"source": title.source, "document_id": title.product_id, "tokens": " ".join(words)})
    tally = replace_parts(conn, PRODUCT_INGREDIENT, ingredients)
    tally.add(table, upsert(conn, table, products, update_columns=list(WAITING)))
    tally.add(DOCUMENT, upsert(conn, DOCUMENT, documents, update_columns=["tokens"]))
    return tally
