"""Errors whose message is one sentence for the user: the input, the cause, the remedy."""


class LTDiffError(Exception):
    """Base of all errors that are shown to the user as they are."""


class InputError(LTDiffError):
    """An input is refused."""


class OutputError(LTDiffError):
    """A result cannot be written."""


class ModelError(LTDiffError):
    """A model bundle cannot be used."""


class Cancelled(LTDiffError):
    """The user stopped the work."""
