"""Results to files: one store, and the formats of other programs, each carrying the recipe."""
