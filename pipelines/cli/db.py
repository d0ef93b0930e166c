"""`ukok db`: the embedded PostgreSQL, and the schema of both databases."""

import typer

from pipelines.cli.console import out

app = typer.Typer(no_args_is_help=True, help="Manage the embedded PostgreSQL and the schema of both databases.")


@app.command()
def start() -> None:
    """Start the embedded PostgreSQL, unless it is running.

    Its data are under UKOK_VAR_DIR/postgres. Every command starts it when no database URL is set.
    """
    from sql import embedded
    from sql.settings import DatabaseSettings

    for database, url in embedded.start(DatabaseSettings().var_dir).items():
        out.print(f"{database}: {url.replace('+psycopg2', '')}", soft_wrap=True)


@app.command()
def stop() -> None:
    """Stop the embedded PostgreSQL. The data are kept; the next command that needs it starts it again."""
    from sql import embedded
    from sql.settings import DatabaseSettings

    out.print("stopped" if embedded.stop(DatabaseSettings().var_dir) else "it was not running")


@app.command()
def status() -> None:
    """Show whether the embedded PostgreSQL is running, its process id and its data folder. Starts nothing."""
    from sql import embedded
    from sql.settings import DatabaseSettings

    found = embedded.status(DatabaseSettings().var_dir)
    out.print(f"running, pid {found.pid}, data in {found.data_folder}" if found.running else "not running")


@app.command()
def upgrade() -> None:
    """Upgrade both databases to the newest schema. Safe to run at any time and from several places at once.

    Databases: UKOK_SERVICE_DB_URL and UKOK_WAREHOUSE_DB_URL, or the embedded ones.
    """
    from pipelines import tasks

    tasks.upgrade()
    out.print("both databases are at the newest schema")
