"""How many passwords may be tried, and whose attempts are not held up by those of strangers.

A place is a browser or an address. Attempts are counted for each account and place, so that nobody uses up those of
somebody else. From places that the account was not logged in from lately, they are counted for the account and for the
address as well. Accounts that do not exist are counted alike.
"""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from fastapi import Request, Response
from sqlalchemy import Connection, delete, insert, select, update

from serving.runtime.attempts import AttemptLimits, Counted, Limit
from serving.web.client_address import client_address
from serving.web.errors import described
from sql.service.attempts import KNOWN_FOR, LoginPlace
from sql.service.users import User

MINUTE: Final = timedelta(minutes=1)
HERE: Final = Limit("login from a place", 10, MINUTE / 2)
# Both hold for an account: 10 strangers' attempts at once, 30 with short delays, 90 in an hour.
ACCOUNT: Final = Limit("login to an account", 10, MINUTE / 10)
ACCOUNT_LATER: Final = Limit("login to an account, later", 30, MINUTE)
# Many people may share an address: a company, or the subscribers of a mobile network.
ADDRESS: Final = Limit("login from an address", 300, MINUTE / 15)
SIGN_UP: Final = Limit("sign-up from an address", 100, MINUTE / 6)
RESET: Final = Limit("request for a new password from an address", 20, MINUTE / 2)
# Counted after the answer, for each purpose: 9 mails a day, and as many for requests from known places.
MAIL: Final = Limit("mail to an address", 3, timedelta(hours=4))
EMAIL_CHECK: Final = Limit("check of an e-mail address from an address", 120, MINUTE / 30)

TOO_MANY: Final = described(
    429,
    "Too many attempts; the header Retry-After says when to try again",
    "too many attempts: try again in 30 seconds",
)

COOKIE: Final = "ukok_device"
COOKIE_PATH: Final = "/api/user"
# Tokens of a cookie, the newest first: people who share a browser have one each.
MOST_TOKENS: Final = 5
_TOKENS: Final = re.compile(rf"[A-Za-z0-9_-]{{43}}(?:\.[A-Za-z0-9_-]{{43}}){{0,{MOST_TOKENS - 1}}}")
# The most browsers and the most addresses of an account.
MOST_PLACES: Final = 20
# A place that is seen each day is written once a day.
WRITTEN_EVERY: Final = timedelta(days=1)


class Origin(NamedTuple):
    """Where an attempt comes from: address, tokens of the browser if it has some, and the keyed hashes of both."""

    address: str
    address_place: str
    devices: tuple[str, ...] = ()
    device_places: tuple[str, ...] = ()


class Attempt(NamedTuple):
    """What an attempt to log in is counted for."""

    here: Counted
    others: tuple[Counted, ...] = ()


def origin_of(request: Request, limits: AttemptLimits) -> Origin:
    """Return where a request comes from."""
    address = client_address(request.scope)
    cookie = request.cookies.get(COOKIE, "")
    devices = tuple(cookie.split(".")) if _TOKENS.fullmatch(cookie) else ()
    places = tuple(limits.digest("device", device) for device in devices)
    return Origin(address, limits.digest("address", address), devices, places)


def known_place(conn: Connection, email: str | None, origin: Origin, now: datetime) -> str | None:
    """Return the place from which the account was logged in lately, the browser before the address."""
    places = (*origin.device_places, origin.address_place)
    lately = LoginPlace.seen_at > now - KNOWN_FOR
    owned = select(LoginPlace.place_sha256).join(User, User.user_id == LoginPlace.user_id).where(User.email == email)
    found = set(conn.scalars(owned.where(LoginPlace.place_sha256.in_(places), lately)))
    return next((place for place in places if place in found), None)


def begin(limits: AttemptLimits, email: str | None, origin: Origin, known: str | None) -> Attempt:
    """Count an attempt to log in before its password is checked; 429 with the seconds to wait if it is one too many.

    What is no e-mail address counts as one account.
    """
    account = email or ""
    here = limits.counted(HERE, account, known or origin.address_place)
    others: tuple[Counted, ...] = ()
    if known is None:
        accounts = (limits.counted(limit, account) for limit in (ACCOUNT, ACCOUNT_LATER)) if email else ()
        others = (*accounts, limits.counted(ADDRESS, origin.address))
    limits.begin(here, *others)
    return Attempt(here, others)


def begin_from_address(limits: AttemptLimits, limit: Limit, request: Request) -> None:
    """Count an attempt of anybody for the address alone."""
    limits.begin(limits.counted(limit, client_address(request.scope)))


def begin_mail(limits: AttemptLimits, purpose: str, email: str, known: str | None) -> None:
    """Count a mail to an address, whatever account has it; requests from known places are not held up by others."""
    limits.begin(limits.counted(MAIL, purpose, email, "known" if known else "unknown"))


def remember(
    conn: Connection, user_id: int, origin: Origin, known: str | None, limits: AttemptLimits, now: datetime
) -> tuple[str, ...]:
    """Store where an account was logged in from, in the transaction that has locked it; return the browser's tokens.

    A browser that is not known to the account gets one more: a token that somebody else has planted must not become
    known, and those of other accounts stay.
    """
    devices, place = origin.devices, known
    if place is None or place not in origin.device_places:
        devices = (secrets.token_urlsafe(32), *devices)[:MOST_TOKENS]
        place = limits.digest("device", devices[0])
    _store(conn, user_id, "browser", place, now)
    _store(conn, user_id, "address", origin.address_place, now)
    return devices


def set_cookie(response: Response, devices: Sequence[str], secure: bool) -> None:
    """Let the browser send its tokens when somebody logs in."""
    age = int(KNOWN_FOR.total_seconds())
    response.set_cookie(COOKIE, ".".join(devices), age, path=COOKIE_PATH, secure=secure, httponly=True, samesite="lax")


def _store(conn: Connection, user_id: int, kind: str, place: str, now: datetime) -> None:
    row = (LoginPlace.user_id == user_id, LoginPlace.place_sha256 == place)
    seen_at = conn.scalar(select(LoginPlace.seen_at).where(*row))
    if seen_at is None:
        conn.execute(insert(LoginPlace).values(user_id=user_id, kind=kind, place_sha256=place, seen_at=now))
        _delete_oldest(conn, user_id, kind)
    elif seen_at < now - WRITTEN_EVERY:
        conn.execute(update(LoginPlace).where(*row).values(seen_at=now))


def _delete_oldest(conn: Connection, user_id: int, kind: str) -> None:
    alike = (LoginPlace.user_id == user_id, LoginPlace.kind == kind)
    newest_first = (LoginPlace.seen_at.desc(), LoginPlace.place_sha256)
    oldest = (
        select(LoginPlace.place_sha256).where(*alike).order_by(*newest_first).offset(MOST_PLACES).limit(MOST_PLACES)
    )
    places = conn.scalars(oldest).all()
    if places:
        conn.execute(delete(LoginPlace).where(*alike, LoginPlace.place_sha256.in_(places)))
