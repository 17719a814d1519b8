"""Keeps PySide6 6.12 from ending a Python 3.11 process.

That PySide6 is built with the headers of Python 3.12, where None, True and False live for ever: calls that return one
of them do not count the reference they hand over. Under Python 3.11 the counts reach zero after some thousand calls.
"""

import ctypes
import sys

_NEVER_USED_UP = 1 << 40


def make_constants_immortal() -> None:
    """Raise the reference counts of None, True and False out of reach; call it before the first widget."""
    if sys.version_info >= (3, 12):
        return
    for constant in (None, True, False):
        if sys.getrefcount(constant) < _NEVER_USED_UP // 2:
            ctypes.c_ssize_t.from_address(id(constant)).value += _NEVER_USED_UP
