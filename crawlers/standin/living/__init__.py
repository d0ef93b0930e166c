"""Living stand-in: sources that change over time, as a function of a seed and an instant alone.

:class:`~crawlers.standin.living.world.World` knows at every instant which shows and products there are, and so what is
true; :mod:`~crawlers.standin.living.content` decides what of it the sources' pages show;
:mod:`~crawlers.standin.living.server` serves it as of a clock that can be set.
"""
