"""Segmentation of frames by U-Nets: networks, and their application tile by tile without seams.

Keras is imported inside functions, when a network is made or loaded.
"""
