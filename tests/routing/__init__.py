"""Finding the route of a request."""
