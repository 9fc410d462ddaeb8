"""Errors a user can act on: one sentence each, never a traceback at the command line."""

from __future__ import annotations


class PagefilterError(Exception):
    """Anything the user can mend: the message says what is wrong, where, and what to do."""


class ModelError(PagefilterError):
    """A model folder that is missing, incomplete, truncated or of another version."""


class LabelledDataError(PagefilterError):
    """Labelled lines that cannot be trained or measured on; names file and row."""


class InputError(PagefilterError):
    """An input that cannot be read: a missing file, an empty folder, malformed JSON."""


class OutputError(PagefilterError):
    """An output that cannot be written, or that two inputs would share."""


class EncoderError(PagefilterError):
    """A sentence encoder that is missing, of another version, or fails."""


class ReceiptError(PagefilterError):
    """Receipts of another version, incomplete, or that do not fit the clean text."""
