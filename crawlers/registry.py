"""Registry of the sources: each is a spider module of its name in one of the packages that the settings list."""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules

from crawlers.settings import SpiderSettings

MALL = "kok"


def sources(settings: SpiderSettings | None = None) -> tuple[str, ...]:
    """Return the names of the sources, the mall first. Lists folders only; no spider is imported.

    A module with an underscore is a part of a spider, such as ``kok_cards``. Raises ValueError if a setting names no
    package.
    """
    packages = (settings or SpiderSettings()).spider_modules
    modules = {module.name for package in packages for module in iter_modules(_folders(package))}
    names = {name for name in modules if "_" not in name}
    return tuple(sorted(names, key=lambda name: (name != MALL, name)))


def broadcasters(settings: SpiderSettings | None = None) -> tuple[str, ...]:
    """Return the sources that have a schedule of shows."""
    return tuple(name for name in sources(settings) if name != MALL)


def _folders(package: str) -> Iterable[str]:
    try:
        return import_module(package).__path__
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"setting UKOK_SPIDER_MODULES: {package!r} is no package of spiders: {error}") from None
