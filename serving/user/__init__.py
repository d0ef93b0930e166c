"""Accounts: sign-up, login, logout, deletion."""
