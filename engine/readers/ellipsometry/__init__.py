"""Readers of ellipsometry folders (Accurion EP4) and their tables."""
