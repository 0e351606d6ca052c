"""Readers of FITS files: images, stacks, detector mosaics and folders of frames."""
