"""From a tree of dependants to a plan, and to the program that the engine runs."""
