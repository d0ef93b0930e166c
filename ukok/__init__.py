"""The distribution itself: its version, and the base class of its settings in :mod:`ukok.settings`."""

from importlib.metadata import version

__version__ = version("ukok")
