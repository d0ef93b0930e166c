"""Spiders of sources beyond the four: a package that ``UKOK_SPIDER_MODULES`` can name."""
