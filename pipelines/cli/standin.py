"""`ukok standin`: the stand-in for the sources."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import out
from pipelines.cli.ports import free_port, require_free
from ukok.korea import KST

if TYPE_CHECKING:
    from crawlers.standin.server import Site


def standin(
    catalog: Annotated[
        Path | None,
        typer.Option(help="Folder with kok_products.jsonl and broadcasts.jsonl.", show_default="the demo catalog"),
    ] = None,
    shift_to: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Move all shows so that the first day becomes this one."),
    ] = None,
    products: Annotated[
        int | None,
        typer.Option(min=1, help="Repeat the mall's products up to this number.", show_default="as in the catalog"),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Serve sources that change over time instead of a catalog.")
    ] = False,
    seed: Annotated[int, typer.Option(help="With --live: seed of everything that happens.")] = 1,
    start: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"],
            help="With --live: stop the clock at this time in Korea.",
            show_default="the real clock",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")] = 8900,
) -> None:
    """Serve the pages of all sources on this machine, until Ctrl-C: from a catalog, or as living sources.

    Living sources show what a seed and the clock determine: far days fill up, shows move and are cancelled, prices
    change, products come and go. `PUT /clock` with an ISO instant sets their clock, `GET /clock` returns it, and a
    request with the header X-Clock is answered as of that instant.

    Prints the settings that point the crawlers at it. Examples: `ukok standin --shift-to 2025-08-06 --port 8900`,
    `ukok standin --live --start 2026-03-02`.
    """
    from crawlers.standin.server import base_urls, serve

    if live and (catalog or shift_to or products):
        raise typer.BadParameter("living sources have no catalog: leave out --catalog, --shift-to and --products")
    if start and not live:
        raise typer.BadParameter("only living sources have a clock: add --live", param_hint="--start")
    site = _living_site(seed, start) if live else _catalog_site(catalog, shift_to, products)
    require_free(host, port)
    port = port or free_port(host)
    settings = base_urls(f"http://{host}:{port}") | {"UKOK_CRAWL_DELAY_SECONDS": "0"}
    for setting, value in settings.items():
        out.print(f"export {setting}={value}", soft_wrap=True, markup=False)
    serve(site, host, port)


def _catalog_site(catalog: Path | None, shift_to: datetime | None, products: int | None) -> "Site":
    from crawlers.standin.catalog import DEMO, load_catalog
    from crawlers.standin.server import Site

    served = load_catalog(catalog or DEMO, shift_to=shift_to.date() if shift_to else None)
    return Site(served if products is None else served.multiplied(products))


def _living_site(seed: int, start: datetime | None) -> "Site":
    from crawlers.standin.living.server import Clock, LivingSite
    from crawlers.standin.living.world import World

    return LivingSite(World(seed), Clock(start and start.replace(tzinfo=KST)))
