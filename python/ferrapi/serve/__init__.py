"""What is done in Python while requests are served."""
