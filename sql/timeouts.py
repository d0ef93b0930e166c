"""Bounds of the transactions of PostgreSQL that must not wait for long."""


def set_timeouts(seconds: float) -> str:
    """Return a statement that bounds the other statements of its transaction, and the pauses between them."""
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    return "SELECT " + ", ".join(f"set_config('{name}', '{seconds * 1000:.0f}', true)" for name in names)
