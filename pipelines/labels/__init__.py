"""Labels: titles of products as people read them, and the titles that are worth a label."""
