"""What people looked at and bought, in sessions: from ingested events and from a file of purchases."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Engine, select

from recommender.product_ref import KOK, ProductRef, item_name, product_of
from sql.warehouse.event_types import EventType
from sql.warehouse.events import FctUserEvent

# A pause of so many seconds ends a session.
SESSION_GAP: Final = 30 * 60
COLUMNS: Final = ("user_id", "item_id", "time")
_VIEWS: Final = (
    EventType.KOK_PRODUCT_INFO_VIEW,
    EventType.HOMESHOPPING_PRODUCT_DETAIL_VIEW,
    EventType.USER_ACTIVITY_RECOMMENDATION_CLICK,
)


class Interaction(NamedTuple):
    """Somebody took up an item, at a Unix time in seconds."""

    person: str
    time: float
    item: str


@dataclass(frozen=True)
class NotEnoughEvents:
    """There are too few interactions to learn from."""

    events: int
    needed: int
    of: str = "of products"

    @property
    def outcome(self) -> str:
        """What is missing, as a training prints it."""
        return str(self)

    def __str__(self) -> str:
        return f"not enough events: {self.events:,} {self.of}, {self.needed:,} are needed"


def read_interactions(warehouse: Engine, purchases: Path | None) -> list[Interaction]:
    """What is in the warehouse, and in the file of purchases if there is one."""
    return [*read_views(warehouse), *(read_purchases(purchases) if purchases else ())]


def read_views(warehouse: Engine) -> Iterator[Interaction]:
    """Product pages that were seen and recommended products that were chosen, of users and anonymous sessions."""
    event = FctUserEvent
    query = select(event.user_id, event.session_id, event.received_at, event.payload).where(
        event.event_type.in_(_VIEWS)
    )
    with warehouse.connect() as conn:
        for user_id, session_id, received_at, payload in conn.execute(query):
            product = _product(payload)
            person = f"user {user_id}" if user_id is not None else f"session {session_id}" if session_id else None
            if product and person:
                yield Interaction(person, received_at.timestamp(), item_name(product))


def read_purchases(path: Path) -> Iterator[Interaction]:
    """Purchases of a CSV file with the columns of COLUMNS; raises ValueError with the line that is wrong."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}: column {missing[0]} is missing; expected {', '.join(COLUMNS)}")
        for row in rows:
            try:
                item = row["item_id"] if ":" in row["item_id"] else f"{KOK}:{row['item_id']}"
                yield Interaction(f"buyer {row['user_id']}", float(row["time"]), item_name(product_of(item)))
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {rows.line_num}: {error}") from None


def sessions(interactions: Iterable[Interaction]) -> list[list[str]]:
    """Distinct items of each session, in order; a session with a single item teaches nothing and is left out."""
    found: list[list[str]] = []
    for _, group in groupby(sorted(interactions), key=lambda each: each.person):
        session: dict[str, None] = {}
        last = float("-inf")
        for each in group:
            if each.time - last > SESSION_GAP:
                found.append(list(session))
                session = {}
            session[each.item] = None
            last = each.time
        found.append(list(session))
    return [session for session in found if len(session) > 1]


def time_split(interactions: Sequence[Interaction], share: float) -> tuple[list[Interaction], list[Interaction]]:
    """The interactions before and from the instant by which `share` of them had happened."""
    times = sorted(each.time for each in interactions)
    cut = times[int(share * len(times))] if times else 0.0
    return [each for each in interactions if each.time < cut], [each for each in interactions if each.time >= cut]


def _product(payload: dict[str, object]) -> ProductRef | None:
    """The product of an event; clicks on other things have none."""
    number, source = payload.get("product_id"), payload.get("product_source")
    if isinstance(number, int) and isinstance(source, str) and source:
        return ProductRef(source, number)
    number = payload.get("kok_product_id")
    return ProductRef(KOK, number) if isinstance(number, int) else None
