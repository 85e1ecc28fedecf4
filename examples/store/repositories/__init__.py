"""Queries and transactions, one module per table that has any; routes hold no SQL."""
