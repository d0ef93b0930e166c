"""A month of crawls, loads, links, ingestions and releases against living sources, compared with what is true.

``python -m tests.month`` runs it (see :mod:`tests.month.__main__`); :mod:`tests.month.test_short_month` runs six days.
What the databases must hold comes from :class:`~crawlers.standin.living.world.World` alone, never from a spider, a
parser or a gate.
"""
