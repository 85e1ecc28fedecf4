"""Passwords, access tokens and the proof of an OAuth2 client; no HTTP and no database."""
