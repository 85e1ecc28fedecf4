"""What is published: wheels and the source distribution, built and checked (`make dist`)."""
