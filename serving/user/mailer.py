"""Ways to send a mail, by the setting ``UKOK_MAILER``."""

import smtplib
import ssl
import sys
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from typing import Final

from serving.web.settings import ServingSettings, parse_smtp_url

TIMEOUT_SECONDS = 10
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def print_mail(_: ServingSettings, mail: EmailMessage) -> None:
    """Print a mail to standard output, for development; the log goes to standard error."""
    sys.stdout.write(f"\nTo: {mail['To']}\nSubject: {mail['Subject']}\n\n{mail.get_content()}\n")
    sys.stdout.flush()


def send_by_smtp(settings: ServingSettings, mail: EmailMessage) -> None:
    """Hand a mail over to the server of ``UKOK_SMTP_URL``, encrypted unless that is on this machine."""
    if settings.smtp_url is None:
        raise ValueError("UKOK_SMTP_URL is not set")
    server = parse_smtp_url(settings.smtp_url.get_secret_value())
    context = ssl.create_default_context()
    if server.implicit_tls:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    with connection:
        if not server.implicit_tls and server.host not in LOOPBACK:
            connection.starttls(context=context)
        if server.user:
            connection.login(server.user, server.password)
        connection.send_message(mail)


MAILERS: Final[Mapping[str, Callable[[ServingSettings, EmailMessage], None]]] = {
    "console": print_mail,
    "smtp": send_by_smtp,
}


def describe_failure(error: Exception) -> str:
    """Describe why a mail was not sent, without what the server said: that may hold addresses."""
    code = getattr(error, "smtp_code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"
