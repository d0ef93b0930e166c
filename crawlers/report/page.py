"""Report of a crawl as one self-contained HTML page: no script, no font, no network."""

from artifacts.store import Store
from crawlers.report import plots
from crawlers.report.figures import CrawlReport
from crawlers.report.wording import duration, kst, milliseconds, number, percent, share, size
from ukok.korea import KST
from ukok.pages.templating import templates_of


def render(report: CrawlReport) -> str:
    """Render the page. The same report gives the same bytes."""
    templates = templates_of("crawlers.report")
    templates.filters |= {
        "n": number,
        "bytes": size,
        "ms": milliseconds,
        "share": share,
        "percent": percent,
        "duration": duration,
        "kst": kst,
        "kst_time": lambda instant: f"{instant.astimezone(KST):%H:%M}",
        "web": _web,
    }
    drawn = {plot.__name__: plot(report) for plot in (plots.latency, plots.timeline, plots.scopes, plots.price_changes)}
    page = templates.get_template("report.html.j2")
    return page.render(r=report, c=report.changes, t=report.traffic, plots=drawn)


def publish(store: Store, report: CrawlReport) -> None:
    """Render the page and store it under the key of the report."""
    store.put(report.key, render(report).encode())


def _web(url: str) -> str:
    """Return a web URL unchanged; replace any other, such as ``javascript:``."""
    return url if url.startswith(("http://", "https://")) else "#"
