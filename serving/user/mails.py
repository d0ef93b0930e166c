"""Mails in Korean. They hold nothing that a user has written, which could be used to send mails of one's own."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr

from email_validator import validate_email

from serving.user.mail_tokens import Purpose
from serving.web.settings import ServingSettings

SUBJECTS = {
    Purpose.VERIFY_EMAIL: "[ukok] 이메일 주소를 인증해 주세요",
    Purpose.RESET_PASSWORD: "[ukok] 비밀번호 재설정 안내",
}
PAGES = {Purpose.VERIFY_EMAIL: "verify-email", Purpose.RESET_PASSWORD: "reset-password"}
TEXTS = {
    Purpose.VERIFY_EMAIL: """안녕하세요.

이메일 주소를 인증하려면 24시간 안에 아래 링크를 열어 주세요.

{link}

가입하지 않으셨다면 이 메일을 무시하셔도 됩니다.
""",
    Purpose.RESET_PASSWORD: """안녕하세요.

비밀번호를 다시 설정하려면 30분 안에 아래 링크를 열어 주세요.

{link}

재설정하면 모든 기기에서 로그아웃됩니다.
요청하지 않으셨다면 이 메일을 무시하셔도 됩니다. 비밀번호는 바뀌지 않습니다.
""",
}


def compose(settings: ServingSettings, purpose: Purpose, email: str, token: str, now: datetime) -> EmailMessage:
    """Compose the mail with the link of a token. It stands after the #, which browsers send to no server."""
    sender = settings.mail_from or "ukok@localhost"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    # Servers take a domain in punycode.
    mail["To"] = validate_email(email, check_deliverability=False).ascii_email or email
    mail["Subject"] = SUBJECTS[purpose]
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    link = f"{(settings.site_url or '').rstrip('/')}/{PAGES[purpose]}#token={token}"
    mail.set_content(TEXTS[purpose].format(link=link))
    return mail
