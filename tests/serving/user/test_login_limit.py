"""Limits of passwords that are tried: strangers are held up, and hold up nobody else."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from threading import BoundedSemaphore
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, func, insert, select, update
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from serving.gateway.main import create_app
from serving.runtime import attempts
from serving.runtime.attempts import AttemptLimits, Limit
from serving.user import passwords
from serving.user.login_limits import (
    ACCOUNT_LATER,
    ADDRESS,
    COOKIE,
    EMAIL_CHECK,
    HERE,
    MOST_TOKENS,
    SIGN_UP,
    Origin,
    begin,
)
from serving.user.passwords import MOST_WAITING, _hasher, password_turn
from serving.web import visitor_session
from serving.web.client_address import client_address
from sql.service.attempts import KNOWN_FOR, AttemptLimit, LoginPlace
from tests.serving.conftest import Now, Person, log_in, sign_up

TEN = HERE.at_once
SECRET = "a secret of thirty-two characters"


def guess(client: TestClient, email: str, password: str = "wrong") -> Any:  # noqa: S107 - a wrong one
    return client.post("/api/user/login", data={"username": email, "password": password})


def at(client: TestClient, host: str, cookies: Any = None) -> TestClient:
    """A browser at an address."""
    return TestClient(client.app, client=(host, 50_000), cookies=cookies)


def exhaust(limits: AttemptLimits, service: Engine, limit: Limit, *who: str) -> None:
    """Store what so many attempts as are allowed at once leave."""
    key = limits.counted(limit, *who).key
    with service.begin() as conn:
        free_at = round(limits.clock(conn).timestamp() * 1000) + limit.at_once * limit.step
        conn.execute(delete(AttemptLimit).where(AttemptLimit.limit_sha256 == key))
        conn.execute(insert(AttemptLimit).values(limit_sha256=key, free_at=free_at))


def refused(limits: AttemptLimits, limit: Limit, *who: str) -> bool:
    try:
        limits.begin(limits.counted(limit, *who))
    except HTTPException as error:
        return error.status_code == 429
    return False


def limits_of(client: TestClient) -> AttemptLimits:
    found: AttemptLimits = client.app.state.runtime.attempts  # type: ignore[attr-defined]
    return found


def rows(service: Engine, table: type[Any]) -> int:
    with service.connect() as conn:
        return conn.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def limits(service: Engine, now: Now) -> AttemptLimits:
    return AttemptLimits(service, SECRET, lambda _: now())


def test_a_stranger_who_guesses_locks_out_nobody_else(client: TestClient, person: Person) -> None:
    stranger = at(client, "192.0.2.1")
    assert {guess(stranger, person.email).status_code for _ in range(TEN)} == {401}
    answer = guess(stranger, person.email, person.password)
    assert answer.status_code == 429
    assert answer.json() == {"detail": "too many attempts: try again in 30 seconds"}
    assert answer.headers["retry-after"] == "30"
    assert guess(stranger, person.email.upper()).status_code == 429, "one account, however it is written"
    other = sign_up(client)
    assert guess(stranger, other.email, other.password).status_code == 200, "another account is free"
    assert guess(client, person.email, person.password).status_code == 200, "and so is the owner"


def test_an_account_that_does_not_exist_is_refused_alike(client: TestClient, person: Person, service: Engine) -> None:
    for email in (person.email, "nobody@example.com"):
        exhaust(limits_of(client), service, ACCOUNT_LATER, email)
    stranger = at(client, "192.0.2.1")
    answers = [guess(stranger, email) for email in (person.email, "nobody@example.com")]
    assert {answer.status_code for answer in answers} == {429}
    assert answers[0].content == answers[1].content
    assert len({frozenset(answer.headers) for answer in answers}) == 1


def test_a_guess_beyond_the_limit_costs_no_hash(
    client: TestClient, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    def counted(password: str, stored: str) -> tuple[bool, str | None]:
        verified.append(password)
        return verify(password, stored)

    verify = _hasher.verify_and_update
    monkeypatch.setattr(_hasher, "verify_and_update", counted)
    codes = [guess(client, person.email, f"wrong {n}").status_code for n in range(TEN + 2)]
    assert codes == [401] * TEN + [429] * 2
    assert verified == [f"wrong {n}" for n in range(TEN)]


def test_a_refused_guess_writes_nothing(client: TestClient, person: Person, service: Engine) -> None:
    for _ in range(TEN):
        guess(client, person.email)
    statements: list[str] = []
    engine = client.app.state.runtime.service_db  # type: ignore[attr-defined]

    @event.listens_for(engine, "before_cursor_execute")
    def listen(*given: Any) -> None:
        statements.append(given[2])

    assert guess(client, person.email).status_code == 429
    event.remove(engine, "before_cursor_execute", listen)
    assert len([each for each in statements if "attempt_limit" in each]) == 1
    assert all(each.startswith("SELECT") for each in statements if "login_session" not in each)


def test_attempts_without_an_account_count_per_address(client: TestClient) -> None:
    stranger, other = at(client, "192.0.2.1"), at(client, "192.0.2.2")
    assert {guess(stranger, f"visitor{n}").status_code for n in range(TEN)} == {401}
    assert guess(stranger, "anything").status_code == 429
    assert guess(other, "visitor").status_code == 401
    assert guess(stranger, "nobody@example.com").status_code == 401, "an account is counted for itself"


def test_concurrent_guesses_are_limited_too(client: TestClient, person: Person) -> None:
    with ThreadPoolExecutor(16) as pool:
        codes = [a.status_code for a in pool.map(lambda _: guess(client, person.email), range(3 * TEN))]
    assert sorted(codes) == [401] * TEN + [429] * 2 * TEN


def test_right_password_resets_the_place(client: TestClient, person: Person) -> None:
    for _ in range(3):
        assert {guess(client, person.email).status_code for _ in range(TEN - 1)} == {401}
        assert guess(client, person.email, person.password).status_code == 200


def test_all_processes_count_together(client: TestClient, person: Person, start: Callable[[], TestClient]) -> None:
    first, second = at(client, "192.0.2.1"), at(start(), "192.0.2.1")
    codes = [guess((first, second)[n % 2], person.email).status_code for n in range(TEN + 2)]
    assert codes == [401] * TEN + [429] * 2


def test_processes_of_other_clocks_count_together(filled: Engine, configured: pytest.MonkeyPatch, now: Now) -> None:
    with (
        TestClient(create_app(clock=now)) as first,
        TestClient(create_app(clock=lambda: now() + timedelta(hours=1))) as second,
    ):
        person = sign_up(first)
        codes = {guess(at(first, "192.0.2.1"), person.email).status_code for _ in range(TEN)}
        assert codes == {401}
        assert guess(at(second, "192.0.2.1"), person.email).status_code == 429
        assert guess(second, person.email, person.password).status_code == 200


def test_after_each_interval_an_attempt_is_allowed(limits: AttemptLimits, now: Now) -> None:
    for _ in range(2):
        assert [refused(limits, HERE, "a", "place") for _ in range(TEN + 1)] == [False] * TEN + [True]
        now.forward(hours=1)
    now.forward(hours=-1)
    assert refused(limits, HERE, "a", "place")
    now.forward(seconds=29)
    with pytest.raises(HTTPException) as caught:
        limits.begin(limits.counted(HERE, "a", "place"))
    assert caught.value.headers == {"Retry-After": "1"}
    now.forward(seconds=1)
    assert not refused(limits, HERE, "a", "place")
    assert refused(limits, HERE, "a", "place")


def test_guesses_from_many_addresses_are_delayed_more_and_more(limits: AttemptLimits, now: Now) -> None:
    delays: list[int] = []
    until, tried = now() + timedelta(hours=1), 0
    while now() < until:
        address = f"198.51.{tried // 250}.{tried % 250}"
        try:
            begin(limits, "visitor@example.com", Origin(address, address), None)
            tried += 1
        except HTTPException as error:
            delays.append(int((error.headers or {})["Retry-After"]))
            now.forward(seconds=delays[-1])
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (6, 60)
    assert 50 < tried <= 100, "in an hour"


def test_an_owner_passes_however_many_strangers_guess(client: TestClient, person: Person, service: Engine) -> None:
    home = at(client, "203.0.113.7")
    log_in(home, person.email, person.password)
    for limit, who in ((ACCOUNT_LATER, person.email), (ADDRESS, "203.0.113.7"), (ADDRESS, "192.0.2.1")):
        exhaust(limits_of(client), service, limit, who)
    stranger = at(client, "192.0.2.1")
    assert guess(stranger, person.email, person.password).status_code == 429, "who has not logged in from there"
    browser = at(client, "192.0.2.1", home.cookies)
    assert guess(browser, person.email, person.password).status_code == 200, "the browser is known"
    assert guess(at(client, "203.0.113.7"), person.email, person.password).status_code == 200, "so is the address"
    other = sign_up(at(client, "192.0.2.9"))
    assert guess(browser, other.email, other.password).status_code == 429, "but not for other accounts"


def test_a_known_browser_has_ten_attempts_too(client: TestClient, person: Person) -> None:
    assert [guess(client, person.email).status_code for _ in range(TEN + 1)] == [401] * TEN + [429]


def test_a_place_is_known_for_a_time(client: TestClient, person: Person, service: Engine, now: Now) -> None:
    now.forward(days=KNOWN_FOR.days + 1)
    exhaust(limits_of(client), service, ACCOUNT_LATER, person.email)
    assert guess(client, person.email, person.password).status_code == 429


def test_the_cookie_of_a_browser_is_hidden_and_stored_as_a_hash(
    client: TestClient, person: Person, service: Engine
) -> None:
    answer = guess(at(client, "192.0.2.1"), person.email, person.password)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Path=/api/user", "SameSite=lax"} <= set(cookie.split("; "))
    secure = TestClient(client.app, "https://testserver", client=("192.0.2.1", 5))
    assert "Secure" in guess(secure, person.email, person.password).headers["set-cookie"]
    with service.connect() as conn:
        stored = conn.scalars(select(LoginPlace.place_sha256)).all()
    assert stored
    assert not {answer.cookies[COOKIE], "192.0.2.1"} & set(stored)


def test_cookies_of_production_are_secure_behind_any_proxy(
    configured: pytest.MonkeyPatch, filled: Engine, start: Callable[[], TestClient]
) -> None:
    configured.setenv("UKOK_ENVIRONMENT", "production")
    configured.setenv("UKOK_SECRET_KEY", "x" * 32)
    client = start()
    person = sign_up(client)
    answers = [guess(client, person.email, person.password), client.get("/api/kok/product/101/info")]
    assert [answer.headers["set-cookie"].partition("=")[0] for answer in answers] == [COOKIE, visitor_session.COOKIE]
    assert all("Secure" in answer.headers["set-cookie"].split("; ") for answer in answers)


def test_a_planted_cookie_does_not_become_known(client: TestClient, person: Person, service: Engine) -> None:
    thief = sign_up(at(client, "192.0.2.1"))
    planted = at(client, "192.0.2.1")
    log_in(planted, thief.email, thief.password)
    victim = at(client, "203.0.113.7", planted.cookies)
    log_in(victim, person.email, person.password)
    assert victim.cookies[COOKIE] != planted.cookies[COOKIE]
    exhaust(limits_of(client), service, ACCOUNT_LATER, person.email)
    assert guess(planted, person.email, person.password).status_code == 429
    assert guess(victim, person.email, person.password).status_code == 200


def test_a_browser_is_known_to_all_who_share_it(client: TestClient, person: Person, service: Engine) -> None:
    other = sign_up(client)
    shared = client.cookies[COOKIE]
    log_in(client, person.email, person.password)
    assert client.cookies[COOKIE] == shared, "it is known to both"
    for each in (person, other):
        exhaust(limits_of(client), service, ACCOUNT_LATER, each.email)
    for each in (person, other):
        away = at(client, "192.0.2.1", client.cookies)
        assert guess(away, each.email, each.password).status_code == 200
    for _ in range(MOST_TOKENS):
        sign_up(client)
    assert client.cookies[COOKIE].count(".") == MOST_TOKENS - 1
    assert guess(at(client, "192.0.2.2", client.cookies), person.email, person.password).status_code == 429


def test_a_cookie_of_another_form_is_ignored(client: TestClient, person: Person) -> None:
    tokens = [f"{number:043}" for number in range(MOST_TOKENS + 1)]
    for cookie in (".".join(tokens), tokens[0] + ".", tokens[0][1:], f"{tokens[0]},{tokens[1]}"):
        browser = at(client, "192.0.2.1", {COOKIE: cookie})
        answer = guess(browser, person.email, person.password)
        assert re.fullmatch(r"[\w-]{43}", answer.cookies[COOKIE])


def test_places_of_an_account_are_bounded(client: TestClient, person: Person, service: Engine, now: Now) -> None:
    for n in range(25):
        now.forward(minutes=1)
        log_in(at(client, f"198.51.100.{n}"), person.email, person.password)
    with service.connect() as conn:
        kinds = conn.execute(select(LoginPlace.kind, func.count()).group_by(LoginPlace.kind)).all()
    assert dict(kinds) == {"browser": 20, "address": 20}


def test_an_address_that_tries_many_accounts_is_refused(limits: AttemptLimits, service: Engine) -> None:
    exhaust(limits, service, ADDRESS, "192.0.2.1")
    assert refused(limits, ADDRESS, "192.0.2.1")
    assert not refused(limits, ADDRESS, "192.0.2.2")


def test_logins_that_succeed_are_not_held_against_an_address(client: TestClient, service: Engine, now: Now) -> None:
    people = [sign_up(client) for _ in range(3)]
    office = at(client, "192.0.2.1")
    for each in people:
        office.cookies.clear()
        assert guess(office, each.email, each.password).status_code == 200
    key = limits_of(client).counted(ADDRESS, "192.0.2.1").key
    with service.connect() as conn:
        free_at = conn.scalar(select(AttemptLimit.free_at).where(AttemptLimit.limit_sha256 == key))
    assert free_at == now().timestamp() * 1000


def test_all_addresses_of_an_ipv6_subscriber_are_one() -> None:
    def address(host: str) -> str:
        return client_address({"client": (host, 1), "headers": []})

    assert address("2001:db8::1") == address("2001:db8::ffff:1") != address("2001:db8:0:1::1")
    assert address("::ffff:192.0.2.1") == address("192.0.2.1") == "192.0.2.1"
    assert address("testclient") == "testclient"


def test_a_wrong_clock_elsewhere_locks_for_an_interval_at_most(
    limits: AttemptLimits, service: Engine, now: Now
) -> None:
    limits.begin(limits.counted(HERE, "a", "place"))
    with service.begin() as conn:
        conn.execute(update(AttemptLimit).values(free_at=AttemptLimit.free_at + 10**9))
    assert refused(limits, HERE, "a", "place")
    now.forward(minutes=1)
    assert not refused(limits, HERE, "a", "place")


def test_rows_that_are_free_again_are_deleted(
    limits: AttemptLimits, service: Engine, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "CLEANED_EVERY", 2)
    old = [{"limit_sha256": f"{n:064x}", "free_at": round(now().timestamp() * 1000)} for n in range(700)]
    with service.begin() as conn:
        conn.execute(insert(AttemptLimit), old)
    left = []
    for _ in range(3):
        limits.begin(limits.counted(HERE, "a", "place"))
        left.append(rows(service, AttemptLimit))
    assert left == [201, 201, 1]


def test_concurrent_attempts_and_deletions_do_not_deadlock(
    limits: AttemptLimits, service: Engine, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "CLEANED_EVERY", 1)

    def attempt(number: int) -> None:
        account, address = f"{number % 7}", f"{number % 3}"
        places = [limits.counted(HERE, account, address), limits.counted(ACCOUNT_LATER, account)]
        limits.begin(*places, limits.counted(ADDRESS, address))
        with service.begin() as conn:
            limits.succeed(conn, *places, limits.counted(ADDRESS, address))

    with ThreadPoolExecutor(12) as pool:
        for _ in range(6):
            now.forward(minutes=20)  # all rows are free again
            assert list(pool.map(attempt, range(12))) == [None] * 12


def test_sign_ups_of_an_address_are_limited(client: TestClient, service: Engine) -> None:
    exhaust(limits_of(client), service, SIGN_UP, "192.0.2.1")
    account = {"email": "one@example.com", "password": "a right password", "username": "손님"}
    answer = at(client, "192.0.2.1").post("/api/user/signup", json=account)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
    assert at(client, "192.0.2.2").post("/api/user/signup", json=account).status_code == 201


def test_checks_of_addresses_are_limited(client: TestClient, service: Engine) -> None:
    exhaust(limits_of(client), service, EMAIL_CHECK, "192.0.2.1")
    path = "/api/user/signup/email/check?email=one@example.com"
    answer = at(client, "192.0.2.1").get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert at(client, "192.0.2.2").get(path).status_code == 200


def test_when_too_many_passwords_wait_more_are_refused(client: TestClient, person: Person, service: Engine) -> None:
    counted = rows(service, AttemptLimit)
    with ExitStack() as others:
        for _ in range(MOST_WAITING):
            passwords._waiting.acquire()
            others.callback(passwords._waiting.release)
        answer = guess(at(client, "192.0.2.1"), person.email)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert client.get("/api/kok/discounted").status_code == 200, "others are answered"
        assert rows(service, AttemptLimit) == counted, "and the attempt does not count"
    assert guess(at(client, "192.0.2.1"), person.email).status_code == 401


def test_a_password_that_waits_for_too_long_is_refused(
    client: TestClient, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_hashing", BoundedSemaphore(1))
    monkeypatch.setattr(passwords, "WAIT_SECONDS", 0.01)
    with password_turn():
        assert guess(client, person.email, person.password).status_code == 503
    assert guess(client, person.email, person.password).status_code == 200
