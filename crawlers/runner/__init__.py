"""Parent process of a crawl: start the spider process, file its results."""
