"""What the visitors of a release were shown and did, from the events in the warehouse.

Figures are read from the landing table, so that a bad release is found while ingestion is late. A click counts for the
answer whose ``X-Impression-ID`` it names, once, if the same visitor got that answer; empty answers count too, since
nobody can click what is not there. Only the API records answers, so that nobody makes up what a release has shown.

The first answer of an anonymous session is left out: a visitor whom nothing identifies is served the live release, so
that the visitors who never come back would all count for that one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from sql.warehouse.event_types import RECOMMENDATIONS, EventType

# Visitors with the same counts are counted together: a few hundred rows, whatever the number of visitors.
_FIGURES: Final = text(
    """
    WITH answers AS (
        SELECT event_id, event_type, payload ->> 'release_version' AS version, payload ->> 'stage' AS stage, user_id,
            coalesce('user:' || user_id, 'session:' || session_id) AS visitor,
            row_number() OVER (PARTITION BY user_id, session_id ORDER BY received_at, event_id) AS place
        FROM user_event
        WHERE received_at >= :since AND received_at < :until AND event_type = ANY(:types)
            AND (user_id IS NOT NULL OR session_id IS NOT NULL)
    ), clicked AS (
        SELECT DISTINCT payload ->> 'impression_id' AS event_id,
            coalesce('user:' || user_id, 'session:' || session_id) AS visitor
        FROM user_event
        WHERE received_at >= :since AND received_at < :until AND event_type = :click
    ), visitors AS (
        SELECT
            count(*) FILTER (WHERE event_type <> :failure) AS shown,
            count(clicked.event_id) AS clicked,
            count(*) FILTER (
                WHERE event_type <> :failure AND coalesce(stage, '') NOT IN ('release', 'text')
            ) AS simpler,
            count(*) FILTER (WHERE event_type = :failure) AS failed
        FROM answers
        LEFT JOIN clicked ON clicked.event_id = answers.event_id::text AND clicked.visitor = answers.visitor
        WHERE version = :version AND (user_id IS NOT NULL OR place > 1)
        GROUP BY answers.visitor
    )
    SELECT count(*) AS visitors, shown, clicked, simpler, failed FROM visitors GROUP BY shown, clicked, simpler, failed
    """
)
_REFUSED: Final = text(
    """
    SELECT count(*) FROM user_event
    WHERE received_at >= :since AND received_at < :until AND event_type = :type
        AND user_id IS NULL AND session_id IS NULL AND payload ->> 'release_version' = :version
    """
)


class Visitors(NamedTuple):
    """Visitors with the same counts: recommendations shown, clicked, empty or of a simpler stage; failed requests."""

    visitors: int
    shown: int
    clicked: int
    simpler: int
    failed: int


@dataclass(frozen=True)
class Arm:
    """What the visitors of a release were shown and did from ``since`` to ``until``."""

    version: str
    since: datetime
    until: datetime
    groups: tuple[Visitors, ...]

    @property
    def shown(self) -> int:
        """Recommendations that were answered, empty ones included."""
        return sum(group.visitors * group.shown for group in self.groups)

    @property
    def clicked(self) -> int:
        """Of these, those that somebody clicked an item of."""
        return sum(group.visitors * group.clicked for group in self.groups)

    @property
    def simpler(self) -> int:
        """Of these, those that were empty or that something simpler than the release answered."""
        return sum(group.visitors * group.simpler for group in self.groups)

    @property
    def failed(self) -> int:
        """Requests that were answered by an error of the API."""
        return sum(group.visitors * group.failed for group in self.groups)


def read_arm(conn: Connection, version: str, since: datetime, until: datetime) -> Arm:
    """Read what the visitors of a release were shown and did in ``[since, until)``."""
    values = {
        "version": version,
        "since": since,
        "until": until,
        "types": [*sorted(RECOMMENDATIONS), EventType.ANSWER_FAILED.value],
        "click": EventType.USER_ACTIVITY_RECOMMENDATION_CLICK.value,
        "failure": EventType.ANSWER_FAILED.value,
    }
    return Arm(version, since, until, tuple(Visitors(*row) for row in conn.execute(_FIGURES, values)))


def count_refusals(conn: Connection, version: str, since: datetime, until: datetime) -> int:
    """Count the processes of the API that could not load a release in ``[since, until)``.

    The API records them without a visitor: what comes from one is not its own.
    """
    values = {"version": version, "since": since, "until": until, "type": EventType.RELEASE_REFUSED.value}
    return conn.scalar(_REFUSED, values) or 0
