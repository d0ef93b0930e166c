"""The report of a crawl: what it read, what it missed, and what has changed since the one before."""
