"""Parts of pages: each shows a piece of the session and tells it what the user did."""
