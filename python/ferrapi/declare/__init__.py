"""From what a developer writes to a tree of dependants, and to the options of a route."""
