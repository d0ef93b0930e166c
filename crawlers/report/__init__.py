"""Report of a crawl for people: what it read, what it missed, and what has changed since the last crawl."""
