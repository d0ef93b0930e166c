"""State that one crawl leaves for the next, and checkpoints of a running crawl."""
