"""Normal form of e-mail addresses, so that a mailbox is one account however it is typed."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

# Length of the column; RFC 5321 allows 254 characters.
LONGEST_EMAIL = 320


def normalize(typed: str) -> str:
    """Return the address in lower case, with compatible characters (full width, ligatures) and the domain normalized.

    Letters that only look alike, such as Cyrillic ``а``, are kept: that is another mailbox. Raises ``ValueError`` for
    an invalid address, with invisible characters or a trailing dot for example.
    """
    if len(typed) > LONGEST_EMAIL:
        raise ValueError(f"an e-mail address has no more than {LONGEST_EMAIL} characters")
    unified = unicodedata.normalize("NFKC", typed.strip())
    try:
        return validate_email(unified, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError(f"is no e-mail address: {error}") from None
