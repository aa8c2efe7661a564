"""Libraries under hub models say things at import and at work that nobody who trains can act on."""

from __future__ import annotations

import logging
import warnings


def quiet() -> None:
    """Call it before anything that loads these libraries."""
    # That bitsandbytes lacks a kernel for CPUs, also where nothing is in four bits.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    # What peft still calls by a name that transformers is about to drop.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers\.")
