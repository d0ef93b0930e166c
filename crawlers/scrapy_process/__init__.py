"""Spider process: Scrapy with our settings, middlewares, pipelines and extensions."""
