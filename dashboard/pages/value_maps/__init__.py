"""The page of value maps: a number for each pixel, with its error."""
