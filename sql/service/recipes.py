"""Recipes and the ingredient vocabulary."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from sql.service.base import MARIADB, ServiceBase
from sql.types import UtcDateTime


class Recipe(ServiceBase):
    """A recipe of the open data set. Authors are personal data and are not stored."""

    __tablename__ = "recipe"
    __table_args__ = (
        {"comment": "Recipes, without their authors", "info": {"grain": "one row per recipe"}, **MARIADB},
    )

    recipe_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="RCP_SNO of the CSV"
    )
    title: Mapped[str] = mapped_column(String(500), comment="Title (RCP_TTL)")
    dish: Mapped[str | None] = mapped_column(String(255), comment="Name of the dish (CKG_NM)")
    method: Mapped[str | None] = mapped_column(String(50), comment="How it is cooked (CKG_MTH_ACTO_NM)")
    occasion: Mapped[str | None] = mapped_column(String(50), comment="Occasion (CKG_STA_ACTO_NM)")
    material_class: Mapped[str | None] = mapped_column(String(50), comment="Kind of main ingredient (CKG_MTRL_ACTO_NM)")
    kind: Mapped[str | None] = mapped_column(String(50), comment="Kind of dish (CKG_KND_ACTO_NM)")
    introduction: Mapped[str | None] = mapped_column(Text, comment="Introduction (CKG_IPDC)")
    servings: Mapped[str | None] = mapped_column(
        String(50), comment="As written; a lone number gets 인분 (CKG_INBUN_NM)"
    )
    difficulty: Mapped[str | None] = mapped_column(String(50), comment="As written (CKG_DODF_NM)")
    cooking_time: Mapped[str | None] = mapped_column(String(50), comment="As written (CKG_TIME_NM)")
    view_count: Mapped[int | None] = mapped_column(Integer, comment="NULL when the source gives none")
    recommend_count: Mapped[int | None] = mapped_column(Integer, comment="NULL when the source gives none")
    scrap_count: Mapped[int | None] = mapped_column(Integer, comment="NULL when the source gives none")
    image_url: Mapped[str | None] = mapped_column(Text, comment="Image of the dish (RCP_IMG_URL)")
    registered_at: Mapped[datetime | None] = mapped_column(UtcDateTime, comment="When it was published (FIRST_REG_DT)")


class RecipeIngredient(ServiceBase):
    """One line of a recipe's ingredient list as written, with the recognised ingredient."""

    __tablename__ = "recipe_ingredient"
    __table_args__ = (
        {
            "comment": "Ingredient lines of recipes",
            "info": {"grain": "one row per line of a recipe's ingredients"},
            **MARIADB,
        },
    )

    recipe_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, comment="Recipe")
    position: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, comment="Order in the list, from 0"
    )
    section: Mapped[str | None] = mapped_column(String(100), comment="재료, 양념, ...")
    name: Mapped[str] = mapped_column(String(255), comment="As written")
    amount: Mapped[str | None] = mapped_column(String(255), comment="As written: 1/2, 1~2, 반, 약간")
    unit: Mapped[str | None] = mapped_column(String(100), comment="Unit of the amount")
    note: Mapped[str | None] = mapped_column(Text, comment="Rest of the line")
    ingredient_id: Mapped[int | None] = mapped_column(BigInteger, index=True, comment="NULL when not recognised")


class Ingredient(ServiceBase):
    """A canonical ingredient."""

    __tablename__ = "ingredient"
    __table_args__ = (
        {"comment": "Canonical ingredient names", "info": {"grain": "one row per ingredient"}, **MARIADB},
    )

    ingredient_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Id of the ingredient")
    name: Mapped[str] = mapped_column(String(255), unique=True, comment="Canonical name")


class IngredientSynonym(ServiceBase):
    """Alternative spelling of an ingredient; the canonical name is not repeated here."""

    __tablename__ = "ingredient_synonym"
    __table_args__ = (
        {"comment": "Alternative spellings of ingredients", "info": {"grain": "one row per spelling"}, **MARIADB},
    )

    variant: Mapped[str] = mapped_column(String(255), primary_key=True, comment="The spelling")
    ingredient_id: Mapped[int] = mapped_column(BigInteger, index=True, comment="Ingredient that it means")
