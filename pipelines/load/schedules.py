"""The broadcasters' schedules: shows and products into the service database, their history into the warehouse."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Table, or_, select, tuple_, update

from artifacts.raw import read_report
from artifacts.store import Store
from crawlers.fields import KST
from crawlers.items import Show
from pipelines.load.history import Key
from pipelines.load.intake import Intake
from pipelines.load.ledger import grow_version, lock_service, lock_warehouse, table_of
from pipelines.load.on_air import find_starts
from pipelines.load.pending import Moment, Target
from pipelines.load.products import DERIVED, HOME_SHOPPING, keep_resolved, resolve_waiting
from pipelines.load.step import Loading, load_step
from pipelines.load.tally import Tally
from pipelines.load.warehouse import LEDGER, PRICES, VERSIONS, close_versions
from pipelines.load.words import fit
from pipelines.report import Report
from sql.service import catalog
from sql.upsert import Counts, chunks, upsert
from sql.warehouse import history

DATASETS = ("schedule",)
BROADCAST, FCT_BROADCAST = table_of(catalog.Broadcast), table_of(history.FctBroadcast)

KEY = ("channel_id", "starts_at", "source", "source_product_id")
SAID = ("ends_at", "slot", "title", "list_price", "price", "price_kind")
PRODUCT_KEY = ("source", "source_product_id")
PRODUCT = ("product_name", "list_price", "price", "price_kind", "thumbnail_url")
PRICED = ("price", "list_price", "price_kind")


def load_schedules(source: str, service: Engine, warehouse: Engine, store: Store, *, accept: bool = False) -> Report:
    """Load pending files of a broadcaster into ``broadcast`` and ``home_shopping_product``.

    A complete scope is the full truth about its channel and day: shows that it lacks are cancelled, shows that return
    are not. Raises ``GateBroken`` when a file is held back.
    """
    return load_step(
        f"load_{source}",
        warehouse,
        lambda loading: Target(
            service,
            table_of(catalog.LoadedFile),
            partial(lock_service, datasets=["schedule"]),
            partial(_into_service, loading, source),
        ),
        store,
        source,
        datasets=DATASETS,
        items_in=(BROADCAST,),
        accept=accept,
    )


def load_schedules_history(source: str, warehouse: Engine, store: Store, *, accept: bool = False) -> Report:
    """Load pending files of a broadcaster into ``fct_broadcast``, ``fct_price`` and ``dim_product``."""
    return load_step(
        f"load_{source}_history",
        warehouse,
        lambda loading: Target(
            warehouse, LEDGER, partial(lock_warehouse, name=source), partial(_into_warehouse, loading, source)
        ),
        store,
        source,
        datasets=DATASETS,
        items_in=(FCT_BROADCAST,),
        accept=accept,
    )


def _into_service(loading: Loading, source: str, conn: Connection, moment: Moment) -> None:
    shows, tally = _write_shows(loading, conn, BROADCAST, source, moment)
    rows = [
        {
            "source": source,
            "source_product_id": product_id,
            **{name: getattr(show, name) for name in PRODUCT},
            "product_name": fit(show.product_name, 1000),
            "first_seen_at": moment.at,
        }
        for product_id, show in _by_product(shows).items()
    ]
    rows = keep_resolved(conn, HOME_SHOPPING, PRODUCT_KEY, rows)
    tally.add(HOME_SHOPPING, upsert(conn, HOME_SHOPPING, rows, update_columns=[*PRODUCT, "first_seen_at", *DERIVED]))
    tally += resolve_waiting(conn, HOME_SHOPPING, source)
    if tally.written:
        grow_version(conn, "schedule")
    loading.count(moment, tally)


def _into_warehouse(loading: Loading, source: str, conn: Connection, moment: Moment) -> None:
    shows, tally = _write_shows(loading, conn, FCT_BROADCAST, source, moment)
    products = {(source, product_id): show for product_id, show in _by_product(shows).items()}
    versions: dict[Key, Mapping[str, Any]] = {
        key: show.model_dump(include={"product_name", "thumbnail_url"}) for key, show in products.items()
    }
    written, changed = VERSIONS.observe(conn, moment.at, versions)
    close_versions(conn, changed)
    tally += written
    tally += PRICES.observe(
        conn, moment.at, {key: show.model_dump(include=set(PRICED)) for key, show in products.items()}
    )[0]
    loading.count(moment, tally)


def _write_shows(
    loading: Loading, conn: Connection, table: Table, source: str, moment: Moment
) -> tuple[list[Show], Tally]:
    """Upsert the shows of a moment's files and cancel what their complete scopes lack."""
    intake = Intake()
    listed = [show for run in moment.runs for show in intake.items(loading.store, run, Show)]
    shows = find_starts(conn, table, listed, intake)
    shows.sort(key=lambda show: show.slot)  # a product both main and sub in one show is its main
    shows = intake.unique(shows, ["channel_id", "starts_at", "source_product_id"], ["ends_at", "product_name", *PRICED])
    loading.admit(moment, intake)
    rows = [
        {
            "source": source,
            **{name: getattr(show, name) for name in (*KEY, *SAID) if name != "source"},
            "title": fit(show.title, 500),
            "cancelled_at": None,
        }
        for show in shows
    ]
    tally = Tally()
    tally.add(table, upsert(conn, table, rows, update_columns=[*SAID, "cancelled_at"], key=KEY))
    seen = {tuple(row[name] for name in KEY) for row in rows}
    for channel_id, day in _certain_scopes(loading, moment, intake):
        tally.add(table, _cancel_others(conn, table, (channel_id, source, day), seen, moment.at))
    return shows, tally


def _certain_scopes(loading: Loading, moment: Moment, intake: Intake) -> list[tuple[int, date]]:
    """Channels and days of which the files tell everything: complete, and no item of theirs was rejected."""
    lost = {(item.get("channel_id"), item.get("requested_day")) for item, _, _ in intake.rejects}
    if (None, None) in lost:
        return []
    scopes = [entry for run in moment.runs for entry in read_report(loading.store, run)["scopes"] if entry["complete"]]
    keys = [(int(entry["scope"]["channel_id"]), str(entry["scope"]["day"])) for entry in scopes]
    return [(channel_id, date.fromisoformat(day)) for channel_id, day in keys if (channel_id, day) not in lost]


def _cancel_others(
    conn: Connection, table: Table, scope: tuple[int, str, date], seen: set[tuple[Any, ...]], at: datetime
) -> Counts:
    """Mark shows of a channel and day that were not seen as cancelled, unless they already were."""
    channel_id, source, day = scope
    begin = datetime.combine(day, time(), KST)
    keys = [table.c[name] for name in KEY]
    stored = conn.execute(
        select(*keys).where(
            table.c.channel_id == channel_id,
            table.c.source == source,
            table.c.starts_at >= begin,
            table.c.starts_at < begin + timedelta(days=1),
            or_(table.c.cancelled_at.is_(None), table.c.cancelled_at > at),
        )
    )
    gone = [tuple(row) for row in stored if tuple(row) not in seen]
    for chunk in chunks(gone):
        conn.execute(update(table).where(tuple_(*keys).in_(chunk)).values(cancelled_at=at))
    return Counts(updated=len(gone))


def _by_product(shows: Sequence[Show]) -> dict[int, Show]:
    """The show that speaks for each product: one that knows the price, as the main product, the earliest."""
    kinds = ("amount", "consult", "unknown")
    order = sorted(
        shows,
        key=lambda show: (kinds.index(show.price_kind), show.slot != "main", show.starts_at, show.channel_id),
    )
    first: dict[int, Show] = {}
    for show in order:
        first.setdefault(show.source_product_id, show)
    return first
