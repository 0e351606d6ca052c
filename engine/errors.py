"""Errors that a user can mend, each told as one clear sentence.

Every error a user can cause is a `MapstackError`; its text says what was given, what was expected and what
to do. The command line and the dashboard show exactly that sentence. Anything else that is raised is a bug.
"""


class MapstackError(Exception):
    """The user's input cannot be used; the message is the sentence shown to the user."""


class InputError(MapstackError, ValueError):
    """A value, an option or the content of a file is not usable."""


class FileError(MapstackError, OSError):
    """A file or folder cannot be opened, read or written."""


class UnknownNameError(MapstackError, LookupError):
    """A name that is not in the catalogue, the data or the result."""


class MissingDependencyError(MapstackError, ImportError):
    """An optional library is needed for this and is not installed."""


class CancelledError(MapstackError):
    """The user cancelled the work."""
