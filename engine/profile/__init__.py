"""The largest peak of the spectrum of each pixel: its position, width, height and area, with their errors."""
