"""Bodies of the account routes."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from serving.user.emails import LONGEST_EMAIL, normalize
from serving.user.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, check_rules
from serving.web.clock import KstDateTime
from serving.web.parameters import STORABLE, STRIPPED

Email = Annotated[
    str,
    AfterValidator(normalize),
    WithJsonSchema(
        {"type": "string", "format": "email", "maxLength": LONGEST_EMAIL, "examples": ["visitor@example.com"]}
    ),
]
# Address of a login: an invalid one belongs to no account and is answered like a wrong password.
TypedEmail = Annotated[str, StringConstraints(max_length=LONGEST_EMAIL), Field(examples=["visitor@example.com"])]
TypedPassword = Annotated[
    str, StringConstraints(max_length=LONGEST_PASSWORD), STORABLE, Field(examples=["맛있는 김치찌개"])
]
NewPassword = Annotated[
    str,
    StringConstraints(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD),
    STORABLE,
    Field(
        description="Not blank, and neither the e-mail address, nor what stands before its @, nor the user name",
        examples=["맛있는 김치찌개"],
    ),
]
LoginId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32,64}$")]
REFRESH_TOKEN = "8mJqk0yQ2rXW5sYb1uTzv7cE3nHfL9aPdGiKoRxVwBs"  # noqa: S105 - an example
LOGIN_ID = "3f2504e04f8941d39a0c0305e82c3301"


class SignUp(BaseModel):
    """A new account."""

    email: Email
    username: Annotated[
        str,
        StringConstraints(min_length=1, max_length=100),
        STRIPPED,
        STORABLE,
        Field(examples=["손님"]),
    ]
    password: NewPassword

    @field_validator("password")
    @classmethod
    def _check_rules(cls, password: str, info: ValidationInfo) -> str:
        check_rules(password, info.data.get("email"), info.data.get("username"))
        return password


class Account(BaseModel):
    """An account as its owner sees it."""

    user_id: int = Field(examples=[7])
    email: str = Field(description="In its normal form, as it is stored", examples=["visitor@example.com"])
    username: str = Field(examples=["손님"])
    created_at: KstDateTime = Field(description="Time in Korea, without an offset", examples=["2025-08-06T12:00:00"])
    email_verified: bool = Field(description="A link that was mailed to the address was opened", examples=[False])


class Confirmation(BaseModel):
    """The password of the account, to confirm something that cannot be undone."""

    password: TypedPassword


class PasswordChange(BaseModel):
    """A new password, confirmed by the current one."""

    current_password: TypedPassword
    new_password: NewPassword


class ExportedAccount(BaseModel):
    """The account itself."""

    user_id: int = Field(examples=[7])
    email: str = Field(examples=["visitor@example.com"])
    username: str = Field(examples=["손님"])
    created_at: KstDateTime = Field(description="Time in Korea", examples=["2025-08-06T12:00:00"])
    email_verified_at: KstDateTime | None = Field(examples=[None])


class ExportedRating(BaseModel):
    """The latest rating of a recipe."""

    recipe_id: int = Field(examples=[9001])
    rating: int = Field(examples=[5])
    rated_at: KstDateTime = Field(description="Time in Korea", examples=["2025-08-06T12:00:00"])


class ExportedSearch(BaseModel):
    """A keyword that was saved."""

    service: str = Field(examples=["kok"])
    keyword: str = Field(examples=["감자"])
    searched_at: KstDateTime = Field(description="Time in Korea", examples=["2025-08-06T12:00:00"])


class ExportedLogin(BaseModel):
    """A login whose row is stored, over or not."""

    login_id: str = Field(examples=[LOGIN_ID])
    started_at: KstDateTime = Field(description="Time in Korea", examples=["2025-08-06T12:00:00"])
    last_used_at: KstDateTime | None = Field(description="Null before the first refresh", examples=[None])
    device: str | None = Field(examples=["Chrome, Windows"])
    ended_at: KstDateTime | None = Field(examples=[None])


class ExportedEvent(BaseModel):
    """What the user did or was shown; see the page on events."""

    event_id: str = Field(examples=["0198a3c2-5a10-7cc2-9d61-3f3b1d2a4e55"])
    event_type: str = Field(examples=["recipe_detail_view"])
    received_at: KstDateTime = Field(description="Time in Korea", examples=["2025-08-06T12:00:00"])
    occurred_at: KstDateTime | None = Field(description="By the clock of the client", examples=[None])
    session_id: str | None = Field(examples=[None])
    path: str | None = Field(examples=[None])
    label: str | None = Field(examples=[None])
    payload: Any = Field(examples=[{"recipe_id": 9001}])


class ExportedRejection(BaseModel):
    """An invalid event as it was received."""

    event_id: str = Field(examples=["0198a3c2-5a10-7cc2-9d61-3f3b1d2a4e55"])
    received_at: KstDateTime = Field(description="Time in Korea", examples=["2025-08-06T12:00:00"])
    event: dict[str, Any] = Field(examples=[{"event_type": "", "user_id": 7}])


class Export(BaseModel):
    """Everything that is stored of a user."""

    account: ExportedAccount
    ratings: list[ExportedRating]
    searches: list[ExportedSearch]
    logins: list[ExportedLogin]
    events: list[ExportedEvent]
    rejected_events: list[ExportedRejection]


class AddressOnly(BaseModel):
    """An e-mail address in any spelling."""

    email: Email


class LinkToken(BaseModel):
    """The token of a link that was mailed."""

    token: Annotated[str, StringConstraints(max_length=512)] = Field(examples=[REFRESH_TOKEN])


class PasswordReset(LinkToken):
    """A new password, confirmed by the token of a link that was mailed."""

    new_password: NewPassword


class LoginEntry(BaseModel):
    """A login of the account that is not over."""

    login_id: str = Field(description="By which it is ended", examples=[LOGIN_ID])
    started_at: KstDateTime = Field(description="Time in Korea", examples=["2025-08-06T12:00:00"])
    last_used_at: KstDateTime = Field(description="Latest refresh of its tokens", examples=["2025-08-06T12:00:00"])
    device: str | None = Field(
        description="Browser and system, without versions; null when unknown", examples=["Chrome, Windows"]
    )
    is_current: bool = Field(description="It is the login of the token", examples=[True])


class LoginList(BaseModel):
    """Logins of the account, the one used last first."""

    logins: list[LoginEntry]


class EmailCheck(BaseModel):
    """Whether an e-mail address is taken."""

    email: str = Field(examples=["visitor@example.com"])
    is_duplicate: bool = Field(description="An account has it", examples=[False])
    message: str = Field(examples=["사용 가능한 이메일입니다."])


class FormLogin(BaseModel):
    """Fields of a login by form; those that OAuth2 adds are ignored."""

    username: TypedEmail
    password: TypedPassword


class JsonLogin(BaseModel):
    """A login by JSON."""

    email: TypedEmail
    password: TypedPassword


class Refresh(BaseModel):
    """A refresh token to exchange."""

    refresh_token: Annotated[str, StringConstraints(max_length=512)] = Field(examples=[REFRESH_TOKEN])


class Login(BaseModel):
    """Tokens of a login."""

    access_token: str = Field(
        description="A JWT; goes into the header Authorization, after `Bearer `",
        examples=["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.ZXhhbXBsZSBvZiBhIHNpZ25hdHVyZQ"],
    )
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of the scheme
    refresh_token: str = Field(description="Good for one call of `/api/auth/refresh`", examples=[REFRESH_TOKEN])
    expires_in: int = Field(description="Seconds until the access token expires", examples=[3600])
