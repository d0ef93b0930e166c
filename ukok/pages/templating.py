"""Jinja2 templates of pages; ``ukok/page.html.j2`` is the frame that they extend."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined, select_autoescape


def templates_of(package: str) -> Environment:
    """The templates of a package, which escape what they show; an undefined name is an error."""
    shared = PrefixLoader({"ukok": PackageLoader("ukok.pages")})
    return Environment(
        loader=ChoiceLoader([PackageLoader(package), shared]),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
