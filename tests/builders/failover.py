"""A failover of PostgreSQL databases: all sessions end, and those that follow can only read until it is over."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy
from sqlalchemy import make_url, text

ENDED = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")


@dataclass(frozen=True)
class Failover:
    """Begins and ends a failover; sessions of the meantime can only read for as long as they are open."""

    urls: Sequence[sqlalchemy.URL]

    def begin(self) -> None:
        """End all sessions, and let new ones only read."""
        self._switch("on", *(ENDED.bindparams(name=url.database) for url in self.urls))

    def end(self) -> None:
        """Let new sessions write; those that are open stay as they are."""
        self._switch("off")

    def _switch(self, value: str, *then: sqlalchemy.TextClause) -> None:
        for url in self.urls:
            admin = sqlalchemy.create_engine(
                url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool
            )
            with admin.connect() as conn:
                conn.execute(text(f"ALTER DATABASE {url.database} SET default_transaction_read_only = {value}"))
                for statement in then:
                    conn.execute(statement)


@contextmanager
def failover_of(*urls: str) -> Iterator[Failover]:
    """Yield a failover of databases, which is over at the end."""
    failover = Failover([make_url(url) for url in urls])
    try:
        yield failover
    finally:
        failover.end()
