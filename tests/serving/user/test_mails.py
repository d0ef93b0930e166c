"""Verification of addresses and reset of passwords by mailed links."""

import email
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, select, update
from starlette.testclient import TestClient

from artifacts.store import Store
from pipelines.logs.erase import erase_users
from serving.user import mail_tokens, mailer, queries
from serving.user.mail_tokens import Purpose
from serving.user.mailing import VOID
from serving.user.mails import compose
from serving.web.settings import ServingSettings, parse_smtp_url
from sql.service.users import MailToken, User
from tests.builders.alert_receivers import mail_server
from tests.builders.small_catalog import NOON
from tests.builders.tls_mail_server import tls_mail_server
from tests.conftest import embedded_only
from tests.serving.conftest import Now, Person, leave, log_in, sign_up

SITE = "https://shop.example.com"
RESET, VERIFY = "/api/user/password/reset", "/api/user/email/verification"
NEW = "a new password"


@pytest.fixture
def mailbox(configured: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Everything that processes which start from now on mail."""
    with mail_server() as (port, received):
        configured.setenv("UKOK_MAILER", "smtp")
        configured.setenv("UKOK_SMTP_URL", f"smtp://127.0.0.1:{port}")
        configured.setenv("UKOK_MAIL_FROM", "ukok <no-reply@example.com>")
        configured.setenv("UKOK_SITE_URL", SITE)
        yield received


@pytest.fixture
def mailing(mailbox: list[str], client: TestClient) -> TestClient:
    """The gateway with a mailer."""
    return client


def token_in(mail: str) -> str:
    text = email.message_from_string(mail, policy=default).get_body().get_content()  # type: ignore[union-attr]
    found = re.search(rf"^{SITE}/(?:verify-email|reset-password)#token=([\w-]{{43}})\r?$", text, re.MULTILINE)
    assert found, text
    return found[1]


def ask_reset(client: TestClient, address: str) -> Any:
    return client.post(RESET, json={"email": address})


def reset(client: TestClient, token: str, password: str = NEW) -> Any:
    return client.post(f"{RESET}/confirm", json={"token": token, "new_password": password})


@embedded_only
def test_a_sign_up_is_followed_by_a_mail_that_verifies(mailing: TestClient, mailbox: list[str]) -> None:
    person = sign_up(mailing)
    (mail,) = mailbox
    parsed = email.message_from_string(mail, policy=default)
    assert (parsed["To"], parsed["From"]) == (person.email, "ukok <no-reply@example.com>")
    assert parsed["Subject"] == "[ukok] 이메일 주소를 인증해 주세요"
    info = mailing.get("/api/user/info", headers=person.headers)
    assert info.json()["email_verified"] is False
    confirmed = mailing.post(f"{VERIFY}/confirm", json={"token": token_in(mail)})
    assert (confirmed.status_code, confirmed.json()) == (200, {"message": "이메일이 인증되었습니다."})
    assert mailing.get("/api/user/info", headers=person.headers).json()["email_verified"] is True
    again = mailing.post(VERIFY, headers=person.headers)
    assert again.json() == {"message": "이미 인증된 이메일입니다."}
    assert len(mailbox) == 1


def test_a_reset_chooses_a_new_password_and_ends_all_logins(mailing: TestClient, mailbox: list[str]) -> None:
    person = sign_up(mailing)
    assert ask_reset(mailing, person.email.upper()).status_code == 200
    answer = reset(mailing, token_in(mailbox[-1]))
    assert answer.status_code == 200
    assert mailing.get("/api/user/info", headers=person.headers).status_code == 401
    old = {"email": person.email, "password": person.password}
    assert mailing.post("/api/user/login", json=old).status_code == 401
    headers = log_in(mailing, person.email, NEW)
    assert mailing.get("/api/user/info", headers=headers).json()["email_verified"] is True


@embedded_only
def test_a_reset_does_not_say_who_has_an_account(mailing: TestClient, mailbox: list[str]) -> None:
    person = sign_up(mailing)
    del mailbox[:]
    known, unknown = ask_reset(mailing, person.email), ask_reset(mailing, "nobody@example.com")
    headers = [dict(answer.headers) | {"x-request-id": ""} for answer in (known, unknown)]
    assert headers[0] == headers[1]
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert known.status_code == 200
    assert len(mailbox) == 1


@embedded_only
def test_a_reset_does_the_same_work_before_it_answers(
    mailing: TestClient, filled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = sign_up(mailing)
    asked: list[str] = []

    async def later(_: object, __: object, address: str, ___: object) -> None:
        asked.append(address)

    monkeypatch.setattr("serving.user.password_router.mail_soon", later)
    for address in (person.email, "nobody@example.com"):
        assert ask_reset(mailing, address).status_code == 200
    assert asked == [person.email, "nobody@example.com"], "all of it is left to what follows the answer"
    with filled.connect() as conn:
        purposes = conn.scalars(select(MailToken.purpose)).all()
    assert purposes == ["verify_email"]


def test_a_token_of_a_mail_is_good_once(mailing: TestClient, mailbox: list[str]) -> None:
    person = sign_up(mailing)
    ask_reset(mailing, person.email)
    token = token_in(mailbox[-1])
    weak = reset(mailing, token, person.email)
    assert weak.status_code == 422
    assert weak.json()["detail"][0]["loc"] == ["body", "new_password"]
    assert person.email not in weak.text
    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(lambda _: reset(mailing, token).status_code, range(4)))
    assert codes == [200, 403, 403, 403]
    assert reset(mailing, token).json() == {"detail": VOID}


def test_a_token_is_for_one_purpose_address_and_time(
    mailing: TestClient, mailbox: list[str], now: Now, filled: Engine
) -> None:
    person = sign_up(mailing)
    verification = token_in(mailbox[-1])
    ask_reset(mailing, person.email)
    password = token_in(mailbox[-1])
    assert reset(mailing, verification).status_code == 403
    assert mailing.post(f"{VERIFY}/confirm", json={"token": password}).status_code == 403
    with filled.begin() as conn:
        conn.execute(update(User).values(email="other@example.com"))
    assert reset(mailing, password).status_code == 403
    with filled.begin() as conn:
        conn.execute(update(User).values(email=person.email))
    now.forward(minutes=30)
    assert reset(mailing, password).status_code == 403
    for token in ("", "감자", "a" * 43):
        assert reset(mailing, token).status_code == 403
    assert mailing.post(f"{VERIFY}/confirm", json={"token": verification}).status_code == 200, "a day"


def test_a_link_stays_valid_when_others_are_sent(mailing: TestClient, mailbox: list[str], now: Now) -> None:
    person = sign_up(mailing)
    for _ in range(3):
        ask_reset(mailing, person.email)
        now.forward(minutes=1)
    first, second, third = map(token_in, mailbox[1:])
    assert reset(mailing, first).status_code == 200
    assert [reset(mailing, other).status_code for other in (second, third)] == [403, 403], "one use voids all"


def test_the_newest_five_links_are_valid(filled: Engine, client: TestClient, person: Person, now: Now) -> None:
    purpose = Purpose.RESET_PASSWORD
    tokens = []
    for _ in range(7):
        now.forward(seconds=1)
        with filled.begin() as conn:
            account = queries.lock(conn, person.user_id)
            assert account
            tokens.append(mail_tokens.issue(conn, account, purpose, now()))
    with filled.connect() as conn:
        valid = [mail_tokens.find(conn, token, purpose, now()) is not None for token in tokens]
        assert len(conn.scalars(select(MailToken.token_sha256)).all()) == 5
    assert valid == [False] * 2 + [True] * 5


@embedded_only
def test_an_address_gets_few_mails_of_a_purpose(
    mailing: TestClient, mailbox: list[str], now: Now, caplog: pytest.LogCaptureFixture
) -> None:
    person = sign_up(mailing)
    del mailbox[:]
    answers = [ask_reset(mailing, person.email) for _ in range(5)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert len(mailbox) == 3
    assert caplog.text.count("mail_refused") == 2
    assert person.email not in caplog.text
    assert mailing.post(VERIFY, headers=person.headers).status_code == 200
    assert len(mailbox) == 4, "another purpose"
    now.forward(hours=4)
    for _ in range(2):
        ask_reset(mailing, person.email)
    assert len(mailbox) == 5


@embedded_only
def test_new_accounts_give_an_address_no_more_mails(mailing: TestClient, mailbox: list[str]) -> None:
    account = {"email": "victim@example.com", "password": "a right password", "username": "손님"}
    for number in range(5):
        stranger = TestClient(mailing.app, client=(f"192.0.2.{number}", 5))
        assert stranger.post("/api/user/signup", json=account).status_code == 201
        headers = log_in(stranger, account["email"], account["password"])
        assert leave(stranger, Person(0, account["email"], account["password"], headers)).status_code == 200
    assert len(mailbox) == 3


@embedded_only
def test_a_stranger_does_not_use_up_the_mails_of_the_owner(mailing: TestClient, mailbox: list[str]) -> None:
    person = sign_up(mailing)
    stranger = TestClient(mailing.app, client=("192.0.2.1", 5))
    del mailbox[:]
    for _ in range(5):
        ask_reset(stranger, person.email)
    assert len(mailbox) == 3
    ask_reset(mailing, person.email)
    assert len(mailbox) == 4


def test_a_new_password_or_deletion_voids_a_reset(
    mailing: TestClient, mailbox: list[str], now: Now, filled: Engine
) -> None:
    person = sign_up(mailing)
    ask_reset(mailing, person.email)
    change = {"current_password": person.password, "new_password": person.password}
    assert mailing.post("/api/user/password", json=change, headers=person.headers).status_code == 200
    assert reset(mailing, token_in(mailbox[-1])).status_code == 403
    ask_reset(mailing, person.email)
    assert leave(mailing, person).status_code == 200
    assert reset(mailing, token_in(mailbox[-1])).status_code == 403
    with filled.connect() as conn:
        assert conn.scalars(select(MailToken.token_sha256)).all() == []


def test_expired_tokens_of_mails_are_deleted_by_the_batch(
    mailing: TestClient, filled: Engine, warehouse: Engine, store: Store, now: Now
) -> None:
    ask_reset(mailing, sign_up(mailing).email)
    now.forward(minutes=30)
    assert erase_users(filled, warehouse, store, now=now()).written == 1
    with filled.connect() as conn:
        assert conn.scalars(select(MailToken.purpose)).all() == ["verify_email"]


@embedded_only
def test_tokens_of_mails_are_neither_stored_nor_logged(
    mailing: TestClient, mailbox: list[str], filled: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    person = sign_up(mailing)
    ask_reset(mailing, person.email)
    tokens = [token_in(mail) for mail in mailbox]
    assert reset(mailing, tokens[1]).status_code == 200
    with filled.connect() as conn:
        stored = str(conn.execute(select(MailToken)).all())
    assert "mail_sent" in caplog.text
    for secret in tokens:
        assert secret not in caplog.text + stored
    assert person.email not in caplog.text


@embedded_only
def test_a_mail_server_that_is_away_is_only_logged(
    mailing: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise smtplib.SMTPRecipientsRefused({"someone@example.com": (550, b"no someone@example.com")})

    monkeypatch.setitem(mailer.MAILERS, "smtp", refuse)
    person = sign_up(mailing)
    assert ask_reset(mailing, person.email).status_code == 200
    assert "SMTPRecipientsRefused" in caplog.text
    assert "@example.com" not in caplog.text


@embedded_only
def test_without_a_mailer_its_routes_answer_404(client: TestClient, person: Person) -> None:
    calls = [
        ask_reset(client, person.email),
        reset(client, "a"),
        client.post(VERIFY, headers=person.headers),
        client.post(f"{VERIFY}/confirm", json={"token": "a"}),
    ]
    assert [call.status_code for call in calls] == [404] * 4
    assert {call.json()["detail"] for call in calls} == {"this service sends no mails"}


def settings(**values: Any) -> ServingSettings:
    return ServingSettings(_env_file=None, **values)


def test_console_prints_the_mail(capsys: pytest.CaptureFixture[str]) -> None:
    mail = compose(settings(mailer="console"), Purpose.RESET_PASSWORD, "a@bücher.de", "secret", NOON)
    mailer.MAILERS["console"](settings(), mail)
    printed = capsys.readouterr().out
    assert "To: a@xn--bcher-kva.de\nSubject: [ukok] 비밀번호 재설정 안내\n" in printed
    assert "/reset-password#token=secret" in printed


def test_a_server_elsewhere_gets_nothing_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailer, "LOOPBACK", set())
    with mail_server() as (port, received):
        chosen = settings(smtp_url=f"smtp://user:word@127.0.0.1:{port}")
        with pytest.raises(smtplib.SMTPNotSupportedError, match="STARTTLS"):
            mailer.send_by_smtp(chosen, compose(chosen, Purpose.RESET_PASSWORD, "a@example.com", "secret", NOON))
    assert received == []


def test_a_server_elsewhere_gets_mails_over_tls_after_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailer, "LOOPBACK", set())
    with tls_mail_server(tmp_path) as server:
        chosen = settings(smtp_url=f"smtp://user:p%40ss@127.0.0.1:{server.port}")
        mail = compose(chosen, Purpose.RESET_PASSWORD, "a@example.com", "secret", NOON)
        with pytest.raises(ssl.SSLCertVerificationError):
            mailer.send_by_smtp(chosen, mail)
        assert server.mails == [], "nobody vouched for its certificate"
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        mailer.send_by_smtp(chosen, mail)
    assert server.logins == ["user p@ss"]
    assert len(server.mails) == 1


SMTP = {"smtp_url": "smtp://h", "mail_from": "a@example.com", "site_url": SITE}
MISCONFIGURED: list[tuple[dict[str, Any], str]] = [
    ({"mailer": "console", "environment": "production", "secret_key": "x" * 32}, "UKOK_MAILER is console"),
    ({"mailer": "smtp"}, "needs UKOK_SMTP_URL, UKOK_MAIL_FROM, UKOK_SITE_URL"),
    ({"mailer": "smtp"} | SMTP | {"smtp_url": "http://:hunter2@h"}, "UKOK_SMTP_URL is no URL"),
    ({"mailer": "smtp"} | SMTP | {"smtp_url": "smtp://:hunter2@h:x"}, "UKOK_SMTP_URL is no URL"),
    ({"mailer": "smtp"} | SMTP | {"mail_from": "a@b\nBcc: c@d"}, "mail_from"),
    ({"mailer": "smtp"} | SMTP | {"site_url": "shop"}, "site_url"),
]


@pytest.mark.parametrize(("values", "said"), MISCONFIGURED)
def test_a_mailer_that_cannot_work_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as caught:
        settings(**values)
    assert not any("hunter2" in error["msg"] for error in caught.value.errors())


def test_the_url_of_a_mail_server_is_parsed() -> None:
    assert parse_smtp_url("smtps://a%40b:c%2Fd@mail.example.com") == ("mail.example.com", 465, "a@b", "c/d", True)
    assert parse_smtp_url("smtp://h:2525") == ("h", 2525, "", "", False)


@embedded_only
def test_more_mails_than_may_wait_are_dropped(
    mailing: TestClient, mailbox: list[str], monkeypatch: pytest.MonkeyPatch, start: Callable[[], TestClient]
) -> None:
    monkeypatch.setattr("serving.user.mailing.MOST_WAITING", 0)
    person = sign_up(mailing)
    assert ask_reset(mailing, person.email).status_code == 200
    assert mailbox == []
