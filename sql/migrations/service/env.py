"""Alembic environment of the service database; :func:`sql.upgrade.upgrade` passes the connection."""

from alembic import context

from sql.service import catalog, labels, pages, recipes, users  # noqa: F401  (registers the tables)
from sql.service.base import ServiceBase

conn = context.config.attributes["connection"]
context.configure(connection=conn, target_metadata=ServiceBase.metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
