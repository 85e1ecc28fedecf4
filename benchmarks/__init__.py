"""Benchmarks: what is measured, how, and what came out stands in README.md."""
