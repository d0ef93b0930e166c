"""Airflow's own database: sessions of killed processes are ended.

`python -m dags.metadata_database` sets it up, once after `airflow db migrate`. When only the scheduler's process is
killed, its workers live on with its connections open. A transaction that it had begun would lock the runs that it was
looking at for ever, and no other scheduler would go on with them. No scheduler rests inside a transaction for as long
as :data:`LONGEST_REST`; `airflow db migrate` may, with its lock, and needs :data:`WITHOUT_LIMIT` in its environment.
"""

LONGEST_REST = "60s"
WITHOUT_LIMIT = {"PGOPTIONS": "-c idle_in_transaction_session_timeout=0"}


def main() -> None:
    """Let PostgreSQL end sessions that rest inside a transaction; other databases are left as they are."""
    import sqlalchemy
    from airflow.configuration import conf

    engine = sqlalchemy.create_engine(conf.get("database", "sql_alchemy_conn"), poolclass=sqlalchemy.NullPool)
    if engine.dialect.name == "postgresql":
        with engine.begin() as conn:
            name = conn.scalar(sqlalchemy.text("SELECT current_database()"))
            quoted = engine.dialect.identifier_preparer.quote(name)
            setting = f"ALTER DATABASE {quoted} SET idle_in_transaction_session_timeout = '{LONGEST_REST}'"
            conn.execute(sqlalchemy.text(setting))


if __name__ == "__main__":
    main()
