"""Solving dependencies."""
