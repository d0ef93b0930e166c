"""Tables of the platform: SQLAlchemy models, migrations and queries of the service database and the warehouse."""
