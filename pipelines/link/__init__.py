"""One item space: listings of the same goods, in the mall and on air, share an ``item_id``."""
