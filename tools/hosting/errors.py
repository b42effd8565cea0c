"""The one kind of error that a person sees as a sentence instead of a traceback."""


class HostError(RuntimeError):
    """Something outside the code is missing or wrong; the text says what, and what to do."""


class HashError(HostError):
    """pip downloaded a file whose hash is not the one that was asked for, and did not use it."""
