"""Events of users, committed before they are acknowledged."""
