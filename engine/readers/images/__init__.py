"""Readers of pictures: TIFF, PNG, JPEG and their like."""
