"""Watch of a canary, or of a release that went live a short time ago: figures, rules, and what is done by them."""
