"""Base classes of the spiders and helpers for their pages.

A broadcaster's spider inherits from :class:`~crawlers.spiders_base.schedule_spider.ScheduleSpider`, any other from
:class:`~crawlers.spiders_base.source_spider.SourceSpider`. A spider module in :mod:`crawlers.spiders` is a source.
"""
