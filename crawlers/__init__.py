"""Crawls the sources into the raw zone.

To follow a crawl, begin at :mod:`crawlers.runner.crawl`. What it passes through:

- ``sources``, ``settings``: which sources there are, where they are, and how politely they are read;
- ``job``, ``child``, ``process``: what one crawl is asked to do, and the process that does it;
- ``source``, ``schedule``, ``spiders``: asking for pages and reading them, with ``fields`` for texts, ``product_pages``
  for what pages of several sources have in common, ``browser`` for pages that need their scripts run;
- ``manners``, ``traffic``, ``budget``: robots.txt, pauses, back-off; what went over the wire; requests of a day;
- ``items``, ``feeds``: what is found, and its way into files;
- ``contracts``, ``verdict``, ``coverage``: what a source owes, whether it was kept, and what was not read;
- ``memory``, ``validators``, ``parts``: which product pages are due, whether they have changed, and what a killed crawl
  had read;
- ``images``, ``image_memory``, ``mirror``: copies of product images, if the settings ask for them;
- ``finished``, ``faults``, ``report``: crawls that are over, as people look at them;
- ``record``, ``recorder``: pages kept with their items as cases for the tests;
- ``heap``: the process's memory stays flat;
- ``standin``: plays the sources on this machine.
"""
