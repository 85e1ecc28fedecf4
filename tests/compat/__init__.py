"""Other releases of what ferrapi is built on: without the private names of theirs that it knows, all is answered."""
