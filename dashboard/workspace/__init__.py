"""The workspace of a visitor: opened data and results, jobs, edits, uploads, and the state of a tab."""
