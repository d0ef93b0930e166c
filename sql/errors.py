"""Errors of the databases that a person can act on."""


class DatabaseUnavailable(RuntimeError):
    """A database cannot be used as configured; the message says which, why and what to check, without passwords."""
