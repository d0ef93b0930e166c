"""Entity resolution: listings of the same product, in the mall and on air, share an ``item_id``."""
