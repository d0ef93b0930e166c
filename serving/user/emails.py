"""One way to write an e-mail address, so that a mailbox is one account and is found again however it is typed."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

# The column holds as many characters; whatever is longer is no address (RFC 5321 allows 254).
LONGEST_EMAIL = 320


def normal(typed: str) -> str:
    """The address in lower case, compatible characters (full width, ligatures) and the domain's encoding unified.

    Letters that only look alike, as Cyrillic ``а`` does, stay what they are: that is another mailbox. Raises
    ``ValueError`` for what is no address, invisible characters and trailing dots included.
    """
    if len(typed) > LONGEST_EMAIL:
        raise ValueError(f"an e-mail address has no more than {LONGEST_EMAIL} characters")
    unified = unicodedata.normalize("NFKC", typed.strip())
    try:
        return validate_email(unified, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError(f"is no e-mail address: {error}") from None
