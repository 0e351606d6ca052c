"""Scanning electron micrographs: what a picture shows, told by its looks alone."""
