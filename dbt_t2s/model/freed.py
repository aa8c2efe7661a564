"""Memory that was freed and that the C library keeps."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Hand freed memory back to the system, where the C library can (glibc).

    Batches of ever other sizes leave holes that it keeps: in training some 250 MB more with every
    minute.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
