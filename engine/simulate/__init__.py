"""Simulated measurements with known truth, in the true file formats: what tests and examples share."""
