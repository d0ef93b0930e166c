"""Reports for people as self-contained HTML pages: no script, no font, no network, readable on a phone."""
