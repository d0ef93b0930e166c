"""Errors of artifact stores."""


class StoreError(RuntimeError):
    """The store cannot be used; the message says which, why and what to check."""


class NotFound(StoreError):
    """There is no object at the key."""


class Conflict(StoreError):
    """A conditional write failed: the object has changed since the writer read it."""
