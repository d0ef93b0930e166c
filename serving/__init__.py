"""The API: a gateway, six services behind it, and what they share."""
