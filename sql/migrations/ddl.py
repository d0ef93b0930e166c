"""Column type and table options of the migrations, written out so that a change of the models changes no migration."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.schema import SchemaItem

UTC_DATETIME = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql", "mariadb")
MARIADB = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_nopad_bin",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_nopad_bin",
}


class IncompatibleTable(ValueError):
    """A table of the name exists and lacks a column; the message names both."""


def create_table(name: str, *columns: SchemaItem, comment: str, postgresql_partition_by: str | None = None) -> None:
    """Create a table unless it exists; an existing one only gets its comments renewed.

    Raises :class:`IncompatibleTable` if the existing one lacks a column.
    """
    if sa.inspect(op.get_bind()).has_table(name):
        _check_columns(name, [column.name for column in columns if isinstance(column, sa.Column)])
    options = {"postgresql_partition_by": postgresql_partition_by} if postgresql_partition_by else MARIADB
    table = op.create_table(name, *columns, comment=comment, if_not_exists=True, **options)
    if op.get_context().dialect.name != "postgresql":
        _renew_comments(table)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column to a table unless it has it; an interrupted upgrade may have added it."""
    if column.name not in {existing["name"] for existing in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def _check_columns(table: str, names: list[str]) -> None:
    existing = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
    missing = next((name for name in names if name not in existing), None)
    if missing is not None:
        raise IncompatibleTable(
            f"its table {table} has no column {missing}, so another program has created it. Use an empty database, "
            "or rename that table"
        )


def _renew_comments(table: sa.Table) -> None:
    """Set the comments that differ: MariaDB declares them in CREATE TABLE, which skips a table that exists."""
    inspector = sa.inspect(op.get_bind())
    if inspector.get_table_comment(table.name)["text"] != table.comment:
        op.create_table_comment(table.name, table.comment)
    existing = {column["name"]: column for column in inspector.get_columns(table.name)}
    for column in table.columns:
        if existing[column.name]["comment"] != column.comment:
            op.alter_column(
                table.name,
                column.name,
                comment=column.comment,
                existing_type=column.type,
                existing_nullable=column.nullable,
                existing_autoincrement=existing[column.name].get("autoincrement", False),
            )
