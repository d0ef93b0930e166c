"""Types of parameters and body fields that several services share: ids and checked text."""

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, Field, StringConstraints

from sql.types import LARGEST_ID

# 64 bits: ids of sources exceed 32.
Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]


def is_storable(text: str) -> bool:
    """Whether every database can hold ``text``: no NUL, no half of a surrogate pair."""
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


# What surrounds a text counts to its length, as the OpenAPI says.
STRIPPED = AfterValidator(_stripped)
# Goes last in an annotation: text that every database can hold.
STORABLE = AfterValidator(_storable)
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
