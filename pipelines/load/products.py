"""Write products and resolve their titles: ingredients, food or not, ingredient or dish, search tokens.

A title is pending while its ``resolver_version`` differs from the current one: empty for a new or renamed product,
older after a change of the rules. :func:`resolve_pending_titles` resolves all pending titles of a source; what a person
said of a title takes precedence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, literal, select, tuple_

from artifacts.store import Store
from pipelines.labels.table import labels_of_titles
from pipelines.load.child_rows import Row, replace_child_rows
from pipelines.load.history import Key
from pipelines.load.ledger import increment_version, lock_service, table_of
from pipelines.load.row_counts import RowCounts
from pipelines.load.title_resolver import read_vocabulary, title_resolver
from pipelines.report import Report, record
from recommender.relations.facts import join_types
from recommender.text.resolver import ResolvedTitle, TitleResolver, resolver_version
from recommender.text.title_labels import TitleLabel, resolved_as
from recommender.text.titles import composed, tokens
from sql.service import catalog, recipes
from sql.upsert import Counts, chunks, upsert

KOK_PRODUCT, HOME_SHOPPING = table_of(catalog.KokProduct), table_of(catalog.HomeShoppingProduct)
INGREDIENT = table_of(recipes.Ingredient)
PRODUCT_INGREDIENT, DOCUMENT = table_of(catalog.ProductIngredient), table_of(catalog.SearchDocument)

# Values of a product whose title is pending, and of columns that no page has given yet.
UNRESOLVED = {
    "is_food": False,
    "is_ingredient": False,
    "kind": None,
    "product_types": None,
    "recipe_probability": None,
    "resolver_version": "",
}
UNKNOWN = {"price_kind": "unknown"}


@dataclass(frozen=True)
class _Title:
    source: str
    product_id: int
    name: str
    store: str | None


def write_products(conn: Connection, table: Table, rows: Sequence[Row], at: datetime) -> Counts:
    """Upsert products seen at an instant; columns that a row omits keep their stored values.

    ``first_seen_at`` becomes the earliest such instant. A changed title becomes pending.
    """
    key = [column.name for column in table.primary_key.columns]
    others = [column.name for column in table.columns if column.name not in key]
    counts = Counts()
    for chunk in chunks(rows):
        stored = _stored(conn, table, key, chunk)
        whole = [_complete_row(table, stored.get(tuple(row[name] for name in key)), row, at) for row in chunk]
        counts += upsert(conn, table, whole, update_columns=others)
    return counts


def _complete_row(table: Table, old: Row | None, row: Row, at: datetime) -> dict[str, Any]:
    if old is None:
        fresh = {name: value for name, value in (UNKNOWN | UNRESOLVED).items() if name in table.c}
        return {**dict.fromkeys(table.c.keys()), **fresh, **row, "first_seen_at": at}
    renamed = any(row.get(name, old[name]) != old[name] for name in ("product_name", "store_name"))
    if row.get("price", old.get("price")) != old.get("price"):
        row = {"discount_rate": None, **row}  # the stored one belongs to another price
    return {**old, **row, **(UNRESOLVED if renamed else {}), "first_seen_at": min(at, old["first_seen_at"])}


def _stored(conn: Connection, table: Table, key: Sequence[str], rows: Sequence[Row]) -> dict[Key, Row]:
    keys = [tuple(row[name] for name in key) for row in rows]
    found = conn.execute(select(table).where(tuple_(*(table.c[name] for name in key)).in_(keys)))
    return {tuple(row[name] for name in key): dict(row) for row in found.mappings()}


def resolve_titles(service: Engine, warehouse: Engine, store: Store) -> Report:
    """Resolve the pending titles of all sources, as needed after recipes have changed the vocabulary."""
    with record(warehouse, store, "resolve_titles") as report:
        total = RowCounts()
        for table, dataset in ((KOK_PRODUCT, "kok"), (HOME_SHOPPING, "schedule")):
            with service.begin() as conn:
                lock_service(conn, [dataset])
                row_counts = RowCounts()
                for source in _sources(conn, table):
                    row_counts += resolve_pending_titles(conn, table, source)
                if row_counts.written:
                    increment_version(conn, dataset)
            report.read += row_counts.written_in(table)
            total += row_counts
        report.written = total.written
        report.details["rows"] = total.details()
        report.details["doubts"] = total.doubts()
    return report


def _sources(conn: Connection, table: Table) -> Sequence[str]:
    if table is KOK_PRODUCT:
        return ["kok"]
    return conn.scalars(select(table.c.source).distinct().order_by(table.c.source)).all()


def resolve_pending_titles(conn: Connection, table: Table, source: str) -> RowCounts:
    """Resolve the pending titles of a source."""
    vocabulary = read_vocabulary(conn)
    version = resolver_version(vocabulary)
    row_counts = RowCounts()
    for titles in chunks(_pending_titles(conn, table, source, version), 500):
        labels = labels_of_titles(conn, source, [title.product_id for title in titles])
        resolved = _resolve(title_resolver(vocabulary), titles, labels, known_food=table is KOK_PRODUCT)
        row_counts += _write(conn, table, version, list(zip(titles, resolved, strict=True)))
        row_counts.stale_labels += sum(
            title.product_id in labels and not _applies(labels[title.product_id], title) for title in titles
        )
    return row_counts


def _resolve(
    resolver: TitleResolver, titles: Sequence[_Title], labels: Mapping[int, TitleLabel], *, known_food: bool
) -> list[ResolvedTitle]:
    """Resolve titles as they are labelled, and those without a label, or with one of another title, by the resolver."""
    resolved = resolver.resolve_many([title.name for title in titles], known_food=known_food)
    labelled = [at for at, title in enumerate(titles) if _applies(labels.get(title.product_id), title)]
    readings = resolver.read_many([titles[at].name for at in labelled]) if labelled else []
    for at, reading in zip(labelled, readings, strict=True):
        resolved[at] = resolved_as(labels[titles[at].product_id], reading, known_food=known_food)
    return resolved


def _applies(label: TitleLabel | None, title: _Title) -> bool:
    return label is not None and composed(label.title) == composed(title.name)


def _pending_titles(conn: Connection, table: Table, source: str, version: str) -> list[_Title]:
    product_id = table.c.kok_product_id if table is KOK_PRODUCT else table.c.source_product_id
    statement = select(literal(source), product_id, table.c.product_name, table.c.store_name).where(
        table.c.resolver_version != version
    )
    if table is not KOK_PRODUCT:
        statement = statement.where(table.c.source == source)
    return [_Title(*row) for row in conn.execute(statement.order_by(product_id))]


def _write(conn: Connection, table: Table, version: str, resolved: Sequence[tuple[_Title, ResolvedTitle]]) -> RowCounts:
    names = sorted({name for _, result in resolved for name in result.ingredients})
    found = select(INGREDIENT.c.name, INGREDIENT.c.ingredient_id).where(INGREDIENT.c.name.in_(names))
    ids = dict(conn.execute(found).all())
    products, documents = [], []
    ingredients: dict[Key, list[Row]] = {}
    for title, result in resolved:
        key = {"source": title.source, "source_product_id": title.product_id}
        derived = {
            "is_food": result.is_food,
            "is_ingredient": result.is_ingredient,
            "kind": result.kind,
            "product_types": join_types(result.types),
            "recipe_probability": result.recipes,
            "resolver_version": version,
        }
        products.append(({"kok_product_id": title.product_id} if table is KOK_PRODUCT else key) | derived)
        known = [ids[name] for name in result.ingredients if name in ids]
        ingredients[title.source, title.product_id] = [
            key | {"position": position, "ingredient_id": number}
            for position, number in enumerate(dict.fromkeys(known))
        ]
        words = dict.fromkeys(tokens(f"{title.store or ''} {title.name}"))
        documents.append({"source": title.source, "document_id": title.product_id, "tokens": " ".join(words)})
    row_counts = replace_child_rows(conn, PRODUCT_INGREDIENT, ingredients)
    row_counts.add(table, upsert(conn, table, products, update_columns=list(UNRESOLVED)))
    row_counts.add(DOCUMENT, upsert(conn, DOCUMENT, documents, update_columns=["tokens"]))
    return row_counts
