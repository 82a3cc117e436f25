import resource
import sys
from collections.abc import Callable
from typing import TypeVar

import pytest

from flasync.toolkit.deep_recursion import run_deep

_CALLS = 2_000
_Result = TypeVar("_Result")


def test_what_the_work_gives_is_returned() -> None:
    """The result of the work comes back."""
    assert run_deep(lambda: "result") == "result"


def test_calls_may_be_deeper_than_pythons_own_limit_allows() -> None:
    """Work goes deeper than Python's own limit."""
    assert run_deep(lambda: _descend(5_000, lambda: "bottom")) == "bottom"


def test_the_limit_is_as_before_when_the_work_raises() -> None:
    """The limit of the process is as it was, also after an exception."""
    before = sys.getrecursionlimit()
    with pytest.raises(ZeroDivisionError):
        run_deep(lambda: 1 // 0)
    assert sys.getrecursionlimit() == before


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="about CPython's frames")
def test_no_depth_asks_the_system_for_memory_with_each_call() -> None:
    """Calls from whatever depth find room for their frames, instead of mapping a page each."""
    assert run_deep(lambda: max(map(_count_page_faults, range(300)))) < _CALLS / 2


def _count_page_faults(depth: int) -> int:
    """Return how many pages are mapped while a function is called often at a depth."""
    return _descend(depth, _call_often)


def _call_often() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(_CALLS):
        _descend(3, int)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _descend(depth: int, work: Callable[[], _Result]) -> _Result:
    return _descend(depth - 1, work) if depth else work()
