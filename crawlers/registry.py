"""Registry of the sources: each is a spider module of its name in one of the packages that the settings list."""

from importlib import import_module
from pkgutil import iter_modules

from crawlers.settings import SpiderSettings

MALL = "kok"


def sources(settings: SpiderSettings | None = None) -> tuple[str, ...]:
    """Return the names of the sources, the mall first. Lists folders only; no spider is imported."""
    packages = (settings or SpiderSettings()).spider_modules
    names = {module.name for package in packages for module in iter_modules(import_module(package).__path__)}
    return tuple(sorted(names, key=lambda name: (name != MALL, name)))


def broadcasters(settings: SpiderSettings | None = None) -> tuple[str, ...]:
    """Return the sources that have a schedule of shows."""
    return tuple(name for name in sources(settings) if name != MALL)
