"""A spider with bugs, to test how a crawl handles them."""
