"""What the services share: application, authentication, errors, logging, settings, the in-memory view."""
