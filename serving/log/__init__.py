"""Events of users, written before they are acknowledged."""
