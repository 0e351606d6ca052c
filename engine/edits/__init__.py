"""Edits of a result, each a pure function `(result, images, *, ...) -> result` that a recipe can name."""
