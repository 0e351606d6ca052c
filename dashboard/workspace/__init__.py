"""What a visitor has: data and results that were opened once, jobs, edits, uploads, and what a tab shows."""
