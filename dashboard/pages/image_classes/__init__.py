"""The Micrographs page: images sorted into classes."""
