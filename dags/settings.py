"""Settings of the alerts."""

from pydantic import SecretStr

from ukok.settings import Settings


class AlertSettings(Settings):
    """Where alerts go besides the log: a mail address, and a URL to which they are posted as JSON.

    The URL is secret because chat services put a token into it.
    """

    alert_email: str | None = None
    alert_webhook_url: SecretStr | None = None
