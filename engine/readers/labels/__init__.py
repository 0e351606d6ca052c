"""Readers of labels: maps, lists of classes, and folders sorted by class."""
