"""Load on real servers: `python -m benchmarks.load`. README.md one folder up has the method."""
