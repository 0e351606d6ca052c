"""What a session shows, and the data behind it: plain objects and `param`, no widgets."""
