"""Load raw files into the two databases: each file once, in one transaction with its ledger entry."""
