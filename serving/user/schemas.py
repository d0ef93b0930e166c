"""Bodies of the account routes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, EmailStr, Field, StringConstraints

from serving.common.clock import KstDateTime
from serving.common.deps import STORABLE

# Stored in lower case, so that one mailbox is one account; the column holds 320 characters.
Email = Annotated[EmailStr, StringConstraints(max_length=320), AfterValidator(str.lower)]


class SignUp(BaseModel):
    """A new account."""

    email: Annotated[Email, Field(examples=["visitor@example.com"])]
    password: Annotated[str, StringConstraints(min_length=4, max_length=200), STORABLE]
    username: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), STORABLE]


class Account(BaseModel):
    """An account as its owner sees it."""

    user_id: int
    email: str
    username: str
    created_at: KstDateTime


class EmailCheck(BaseModel):
    """Whether an e-mail address is taken."""

    email: str
    is_duplicate: bool
    message: str


class Login(BaseModel):
    """An access token."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of the scheme


class Message(BaseModel):
    """That it was done."""

    message: str
