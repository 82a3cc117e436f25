"""Running what calls itself deeply: following an app's calls takes a dozen of ours for each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

# Python's own limit while such work runs.
_RECURSION_LIMIT = 20_000
# Words of 8 bytes that one frame claims. CPython rounds up to a power of two, so that about as much
# again, 4 MiB, is left for the calls below it: the limit, in frames of usual size.
_CLAIMED_WORDS = 2**19 + 1

_Result = TypeVar("_Result")


def run_deep(work: Callable[[], _Result]) -> _Result:
    """Return what a function gives that calls itself deeply, up to 20,000 calls."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION_LIMIT))
    try:
        return _call_with_room(work)
    finally:
        sys.setrecursionlimit(before)


def _call_with_room(work: Callable[[], _Result]) -> _Result:
    return work()


# CPython keeps frames in chunks of 16 KiB, and gives one back to the system when the last frame in
# it returns. Work whose depth goes up and down across the end of a chunk asks for it again with
# each call: a tenth of the time of a scan. A frame that claims a large stack gets a chunk that has
# room for it, and the calls below it stay in that. Pages which nobody writes to cost nothing.
_call_with_room.__code__ = _call_with_room.__code__.replace(co_stacksize=_CLAIMED_WORDS)
