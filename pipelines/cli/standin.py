"""`ukok standin`: the stand-in for the sources."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.console import out
from pipelines.cli.ports import free_port, require_free


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
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")] = 8900,
) -> None:
    """Serve the pages of all sources from a catalog on this machine, until Ctrl-C.

    Prints the settings that point the crawlers at it. Example: `ukok standin --shift-to 2025-08-06 --port 8900`.
    """
    from crawlers.standin.catalog import DEMO, load_catalog
    from crawlers.standin.server import base_urls, serve

    served = load_catalog(catalog or DEMO, shift_to=shift_to.date() if shift_to else None)
    if products is not None:
        served = served.multiplied(products)
    require_free(host, port)
    port = port or free_port(host)
    settings = base_urls(f"http://{host}:{port}") | {"UKOK_CRAWL_DELAY_SECONDS": "0"}
    for setting, value in settings.items():
        out.print(f"export {setting}={value}", soft_wrap=True, markup=False)
    serve(served, host, port)
