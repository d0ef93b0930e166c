"""The declarative base of the warehouse (PostgreSQL)."""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from sql.service.base import NAMING


class WarehouseBase(DeclarativeBase):
    """Metadata of the warehouse; every table and column has a comment, which is the analysts' documentation."""

    metadata = MetaData(naming_convention=NAMING)
