"""Alembic environment of the warehouse database; :func:`sql.upgrade.upgrade` passes the connection."""

from alembic import context

from sql.warehouse import events, history, steps  # noqa: F401  (registers the tables)
from sql.warehouse.base import WarehouseBase

conn = context.config.attributes["connection"]
context.configure(connection=conn, target_metadata=WarehouseBase.metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
