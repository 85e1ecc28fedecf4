"""Application shapes and strategies of the differential tests."""
