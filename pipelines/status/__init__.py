"""The state of the system at a glance, as `ukok status` shows it."""
