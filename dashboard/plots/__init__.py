"""Plots: pure functions and values, Dataset -> HoloViews element."""
