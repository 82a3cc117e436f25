"""Coroutines that were created and never awaited.

Python warns of them when they are destroyed, and says where they were created if it was told to
keep that (`sys.set_coroutine_origin_tracking_depth`).
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from flasync.toolkit.tracing.places import Places, find_call
from flasync.toolkit.tracing.timeline import Timeline, Track
from flasync.toolkit.tracing.trace import Action, Kind

_MESSAGE = r"coroutine '(?P<name>[^']*)' was never awaited"
_ORIGIN = re.compile(r'^\s+File "(?P<file>.*)", line (?P<line>\d+), in ', re.MULTILINE)


@contextmanager
def watch_unawaited(
    timeline: Timeline, places: Places, get_track: Callable[[], Track | None]
) -> Generator[None]:
    """Note the coroutines that are destroyed within this block without having run.

    Args:
        timeline: Where to.
        places: Tells the project's own code.
        get_track: Returns the strand in which one is destroyed; None: no step is known.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("always", _MESSAGE, RuntimeWarning)
        show = warnings.showwarning

        def note(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            found = re.match(_MESSAGE, str(message))
            if found is None:
                show(message, category, *rest, **more)
            else:
                _note(timeline, places, get_track(), found["name"], str(message))

        warnings.showwarning = note
        yield


def _note(timeline: Timeline, places: Places, track: Track | None, name: str, message: str) -> None:
    origins = [(found["file"], int(found["line"])) for found in _ORIGIN.finditer(message)]
    own = [(file, line) for file, line in origins if places.is_own(file)]
    if not own:
        return  # a library's own affair, or one that was made before the trace
    file, line = own[-1]
    place = places.name(file, line)
    call = find_call(file, line, name) or f"{name}()"
    sentence = (
        f"`{call}` at {place} made a coroutine that was never awaited, so it did not run."
        f" Write `await {call}`"
    )
    step = None
    if track is not None:
        step = timeline.add(
            track,
            Action.UNAWAITED,
            f"coroutine of `{call}` is thrown away",
            place=place,
            state="CORO_CREATED",
            result="it was never awaited, so it did not run",
        )
    timeline.find(Kind.UNAWAITED, sentence, place, step)
