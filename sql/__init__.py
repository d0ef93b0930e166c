"""Every table of the platform: SQLAlchemy models, migrations and mart SQL for service database and warehouse."""
