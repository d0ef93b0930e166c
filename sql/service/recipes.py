"""Recipes and the ingredient vocabulary."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from sql.service.base import MARIADB, ServiceBase
from sql.types import UtcDateTime


class Recipe(ServiceBase):
    """A recipe of the open data set. Authors are personal data and are not stored."""

    __tablename__ = "recipe"
    __table_args__ = ({"comment": "Recipes, without their authors", **MARIADB},)

    recipe_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(String(500))
    dish: Mapped[str | None] = mapped_column(String(255))
    method: Mapped[str | None] = mapped_column(String(50))
    occasion: Mapped[str | None] = mapped_column(String(50))
    material_class: Mapped[str | None] = mapped_column(String(50))
    kind: Mapped[str | None] = mapped_column(String(50))
    introduction: Mapped[str | None] = mapped_column(Text)
    servings: Mapped[str | None] = mapped_column(String(50))
    difficulty: Mapped[str | None] = mapped_column(String(50))
    cooking_time: Mapped[str | None] = mapped_column(String(50))
    view_count: Mapped[int] = mapped_column(Integer, comment="0 when the source gives none")
    recommend_count: Mapped[int] = mapped_column(Integer)
    scrap_count: Mapped[int] = mapped_column(Integer)
    image_url: Mapped[str | None] = mapped_column(Text)
    registered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecipeIngredient(ServiceBase):
    """One line of a recipe's ingredient list as written, with the recognised ingredient."""

    __tablename__ = "recipe_ingredient"
    __table_args__ = ({"comment": "Ingredient lines of recipes", **MARIADB},)

    recipe_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    section: Mapped[str | None] = mapped_column(String(100), comment="재료, 양념, ...")
    name: Mapped[str] = mapped_column(String(255), comment="As written")
    amount: Mapped[str | None] = mapped_column(String(255), comment="As written: 1/2, 1~2, 반, 약간")
    unit: Mapped[str | None] = mapped_column(String(100))
    note: Mapped[str | None] = mapped_column(Text)
    ingredient_id: Mapped[int | None] = mapped_column(BigInteger, index=True, comment="NULL when not recognised")


class Ingredient(ServiceBase):
    """A canonical ingredient."""

    __tablename__ = "ingredient"
    __table_args__ = ({"comment": "Canonical ingredient names", **MARIADB},)

    ingredient_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)


class IngredientSynonym(ServiceBase):
    """Alternative spelling of an ingredient; the canonical name is not repeated here."""

    __tablename__ = "ingredient_synonym"
    __table_args__ = ({"comment": "Alternative spellings of ingredients", **MARIADB},)

    variant: Mapped[str] = mapped_column(String(255), primary_key=True)
    ingredient_id: Mapped[int] = mapped_column(BigInteger, index=True)
