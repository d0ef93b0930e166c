"""The table ``title_label``, and the titles of products that it is about."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Table, delete, literal, select, tuple_, update

from pipelines.labels.label import SEPARATOR, ProductLabel
from pipelines.load.ledger import table_of
from recommender.product_ref import KOK, ProductRef
from recommender.text.title_labels import TitleLabel
from recommender.text.title_words import Kind
from sql.service import catalog, labels
from sql.upsert import Counts, chunks, upsert

LABEL: Final = table_of(labels.TitleLabel)
KOK_PRODUCT: Final = table_of(catalog.KokProduct)
HOME_SHOPPING: Final = table_of(catalog.HomeShoppingProduct)
_REF: Final = (LABEL.c.source, LABEL.c.source_product_id)


class ProductTitle(NamedTuple):
    """The title of a product; ``is_edible``: it was understood as food or as a supplement."""

    ref: ProductRef
    title: str
    is_edible: bool


def read_labels(conn: Connection, refs: Sequence[ProductRef] | None = None) -> dict[ProductRef, ProductLabel]:
    """Read the labels of some products, or all of them in order of source and id."""
    statement = select(LABEL).order_by(*_REF)
    if refs is None:
        rows = list(conn.execute(statement))
    else:
        rows = [row for part in chunks(refs) for row in conn.execute(statement.where(tuple_(*_REF).in_(part)))]
    return {label.ref: label for label in map(_label, rows)}


def labels_of_titles(conn: Connection, source: str, product_ids: Sequence[int]) -> dict[int, TitleLabel]:
    """Read what people said of titles of a source, by product id."""
    found = read_labels(conn, [ProductRef(source, product_id) for product_id in product_ids])
    return {ref.product_id: label.of_title for ref, label in found.items()}


def write_labels(conn: Connection, given: Sequence[ProductLabel]) -> Counts:
    """Write labels, and have the titles whose label has changed resolved again.

    A label that says the same as the stored one changes nothing, not even the time of that.
    """
    stored = read_labels(conn, [label.ref for label in given])
    changed = [label for label in given if not label.says_the_same_as(stored.get(label.ref))]
    columns = [column.name for column in LABEL.columns if column not in LABEL.primary_key.columns.values()]
    counts = upsert(conn, LABEL, [_row(label) for label in changed], update_columns=columns)
    _resolve_again(conn, [label.ref for label in changed])
    return counts + Counts(unchanged=len(given) - len(changed))


def older_labels(conn: Connection, given: Sequence[ProductLabel]) -> list[ProductLabel]:
    """Those that say something else than a stored label that is newer."""
    stored = read_labels(conn, [label.ref for label in given])
    return [
        label
        for label in given
        if (kept := stored.get(label.ref)) is not None
        and label.labelled_at < kept.labelled_at
        and not label.says_the_same_as(kept)
    ]


def remove_labels(conn: Connection, refs: Sequence[ProductRef]) -> int:
    """Delete the labels of products, whose titles are resolved again; return how many there were."""
    found = list(read_labels(conn, refs))
    for part in chunks(found):
        conn.execute(delete(LABEL).where(tuple_(*_REF).in_(part)))
    _resolve_again(conn, found)
    return len(found)


def read_titles(conn: Connection, refs: Iterable[ProductRef] | None = None) -> dict[ProductRef, ProductTitle]:
    """Read the titles of some products, or of all, in order of source and id."""
    mall = select(literal(KOK), KOK_PRODUCT.c.kok_product_id, *_reading(KOK_PRODUCT))
    shown = select(HOME_SHOPPING.c.source, HOME_SHOPPING.c.source_product_id, *_reading(HOME_SHOPPING))
    if refs is None:
        statements = [mall, shown]
    else:
        parts = list(chunks(sorted(set(refs))))
        ids = [[ref.product_id for ref in part if ref.source == KOK] for part in parts]
        of_shows = tuple_(HOME_SHOPPING.c.source, HOME_SHOPPING.c.source_product_id)
        statements = [
            *(mall.where(KOK_PRODUCT.c.kok_product_id.in_(part)) for part in ids),
            *(shown.where(of_shows.in_(part)) for part in parts),
        ]
    titles = (
        ProductTitle(ProductRef(source, product_id), title, bool(is_food or kind == Kind.SUPPLEMENT))
        for statement in statements
        for source, product_id, title, is_food, kind in conn.execute(statement)
    )
    return {each.ref: each for each in sorted(titles)}


def _reading(table: Table) -> tuple[Any, ...]:
    return (table.c.product_name, table.c.is_food, table.c.kind)


def _resolve_again(conn: Connection, refs: Iterable[ProductRef]) -> None:
    """Mark titles as pending; see :mod:`pipelines.load.products`."""
    for source, product_id in refs:
        if source == KOK:
            statement = update(KOK_PRODUCT).where(KOK_PRODUCT.c.kok_product_id == product_id)
        else:
            statement = update(HOME_SHOPPING).where(
                HOME_SHOPPING.c.source == source, HOME_SHOPPING.c.source_product_id == product_id
            )
        conn.execute(statement.values(resolver_version=""))


def _row(label: ProductLabel) -> Mapping[str, Any]:
    return label.model_dump(exclude={"product_id"}) | {
        "source_product_id": label.product_id,
        "ingredients": SEPARATOR.join(label.ingredients),
        "kind": label.kind.value,
    }


def _label(row: Row[Any]) -> ProductLabel:
    """A stored label; it is not validated, since the lists may have changed."""
    return ProductLabel.model_construct(
        source=row.source,
        product_id=row.source_product_id,
        title=row.title,
        kind=Kind(row.kind),
        ingredients=tuple(part for part in row.ingredients.split(SEPARATOR) if part),
        shows_recipes=row.shows_recipes,
        labelled_by=row.labelled_by,
        labelled_at=row.labelled_at,
        note=row.note,
    )
