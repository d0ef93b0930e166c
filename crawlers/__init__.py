"""Crawl of the sources into the raw zone.

To follow a crawl, begin at :mod:`crawlers.runner.crawl`; to add a source, at :mod:`crawlers.spiders_base`. Each folder
imports only from those below it:

- ``runner``: one crawl from start to raw zone, in the parent process; ``record`` records pages for the tests;
- ``report``: finished crawls, their faults, and the HTML report;
- ``scrapy_process``: the spider process: Scrapy's settings, politeness, stats, item writer, images, browser;
- ``spiders``: one spider for each source: where its pages are, and how they are parsed;
- ``spiders_base``: what spiders inherit: requests by scope, schedules, helpers for product pages;
- ``quality``: data contracts, their check, and coverage: what was read and what was missed;
- ``state``: what one crawl leaves for the next: page and image state, checkpoints, request budget;
- ``items``, ``job``, ``run_report``, ``registry``: what is passed between them, and which sources there are;
- ``parsing``, ``settings``: texts into values; base URLs and politeness settings.

``standin`` serves the pages of the sources on this machine, for development and tests; no other folder imports it.
"""
