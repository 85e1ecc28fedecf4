"""The compiled module on its own."""
