"""Types of parameters and body fields that several services share: ids and validated text."""

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from recommender.text.ingredients import split_names
from sql.types import LARGEST_ID

# 64 bits: ids of sources exceed 32 bits.
Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]


def is_storable(text: str) -> bool:
    """Whether every database can store ``text``: it holds no NUL and no lone surrogate."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("holds a character that cannot be stored")
    return text


def _stripped(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise ValueError("is blank")
    return stripped


def _separate_names(values: object) -> object:
    """Each name of a value that lists several as a value of its own; a blank value stays, to be refused."""
    if not isinstance(values, list):
        return values
    return [name for value in values for name in (isinstance(value, str) and split_names(value)) or [value]]


# Spaces around a text count towards its length, as in the OpenAPI.
STRIPPED = AfterValidator(_stripped)
# Text that every database can store; goes last in an annotation.
STORABLE = AfterValidator(_storable)
# A list of ingredients whose values may themselves list several; goes before the constraints of the list.
LISTED = BeforeValidator(_separate_names)
IngredientName = Annotated[str, StringConstraints(min_length=1, max_length=100), STRIPPED, STORABLE]
Keyword = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    STRIPPED,
    STORABLE,
    Field(description="What is searched for; spelling and spacing are forgiven", examples=["감자"]),
]
KeywordQuery = Annotated[
    Keyword, Query(description="What is searched for; spelling and spacing are forgiven", examples=["감자"])
]
