"""Lines of the log: one for each message, with its offset from UTC, and without what nobody should read there.

Nothing of ours logs a telephone number or a key. A database that refuses a row names all of it, and a library may
say what it was given: so the last one who touches a line masks what looks like either.
"""

import logging
import re

_KEY = re.compile(r"ml_[A-Za-z0-9_-]{43}")
_MOBILE = re.compile(r"(?<!\d)((?:\+?86[- ]?)?1[3-9]\d)\d{4}(\d{4})(?!\d)")
_PASSWORD_IN_ADDRESS = re.compile(r"(://[^\s:/@]*:)[^\s@/]+@")


def masked(text: str) -> str:
    """Return a text without whole mobile numbers, keys of machines, and passwords in addresses.

    >>> masked("DETAIL: Failing row contains (WX1, +8613800000001); postgresql://app:secret@db/x")
    'DETAIL: Failing row contains (WX1, +86138****0001); postgresql://app:***@db/x'
    """
    return _PASSWORD_IN_ADDRESS.sub(r"\1***@", _MOBILE.sub(r"\1****\2", _KEY.sub("ml_***", text)))


class MaskedLines(logging.Formatter):
    """Escapes line breaks in a message, so that nobody writes lines of his own; those of a traceback stay."""

    default_time_format = "%Y-%m-%dT%H:%M:%S%z"
    default_msec_format = None

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))
