"""From the raw zone into the two databases: each file once, in one transaction with its entry in the ledger."""
