"""Lines of the log: one for each message, with its offset from UTC, and without what nobody should read there.

Nothing of ours logs a telephone number or a key. A database that refuses a row names all of it, and a library may
say what it was given: so the last one who touches a line masks what looks like either.
"""

import logging
import re

_KEY = re.compile(r"ml_[A-Za-z0-9_-]{43}")
# However it is written: together or in groups, with the country before it, in full-width digits.
_BETWEEN = r"[ \u3000.\-－]?"
_MOBILE = re.compile(
    rf"(?<!\d)((?:(?:[+＋]|00)?[8８][6６]{_BETWEEN})?[1１][3-9３-９]\d){_BETWEEN}\d{{4}}{_BETWEEN}(\d{{4}})(?!\d)"
)
# What the database says beside an error holds whole rows and keys: names, digests, secrets. It ends where the next
# thing is said.
_DETAIL = re.compile(r"DETAIL:.*?(?=\n\n|(?:\n|\\n)[A-Z]+: |\Z)", re.DOTALL)
_VALUES = re.compile(r"\(.*\)|\(.*", re.DOTALL)
_PASSWORD_IN_ADDRESS = re.compile(r"(://[^\s:/@]*:)[^\s@/]+@")


def masked(text: str) -> str:
    """Return a text without rows, whole mobile numbers, keys of machines, and passwords in addresses.

    >>> masked("+86 138 0000 0001 DETAIL: Failing row contains (WX1, x); postgresql://app:secret@db/x")
    '+86 138****0001 DETAIL: Failing row contains (***); postgresql://app:***@db/x'
    """
    text = _DETAIL.sub(lambda detail: _VALUES.sub("(***)", detail[0]), text)
    return _PASSWORD_IN_ADDRESS.sub(r"\1***@", _MOBILE.sub(r"\1****\2", _KEY.sub("ml_***", text)))


class MaskedLines(logging.Formatter):
    """Escapes line breaks in a message, so that nobody writes lines of his own; those of a traceback stay."""

    default_time_format = "%Y-%m-%dT%H:%M:%S%z"
    default_msec_format = None

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))
