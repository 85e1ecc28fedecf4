"""The ten-line application of the project's README."""
