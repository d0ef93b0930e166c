"""Errors of the databases that a person can act on."""

from ukok.errors import PermanentError


class DatabaseUnavailable(RuntimeError):
    """A database cannot be used as configured; the message says which, why and what to check, without passwords."""


class DatabaseMisconfigured(PermanentError, DatabaseUnavailable):
    """The setting of a database is wrong, or the server refuses its user, password or database."""
