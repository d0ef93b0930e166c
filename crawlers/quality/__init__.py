"""Data contracts of the sources, their check during a crawl, and coverage."""
