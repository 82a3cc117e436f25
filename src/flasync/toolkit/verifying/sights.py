"""Where a request is, read from the frames of its greenlet."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import FrameType
from typing import NamedTuple

import flasync
from flasync.bridge import BridgeGreenlet
from flasync.toolkit.observing.recording.stacks import Point, Stacks
from flasync.toolkit.verifying.call_names import name_call, name_function
from flasync.toolkit.verifying.limits import find_limit

_FLASYNC = os.path.join(os.path.dirname(os.path.realpath(flasync.__file__)), "")

# The outermost frame of a request; what is below belongs to the server.
_BASE = BridgeGreenlet.run.__code__

# Sights that are remembered. A library may make new code all the time.
_MOST_SIGHTS = 4096


class Sight(NamedTuple):
    """Where a request was seen.

    Attributes:
        place: The innermost line of the project's own code, as "shop/api.py:41"; "" for none.
        call: What is called there, or the library's function if there is no such line; or "".
        limit: What is waited for there, if that lets only some in: see `limits`.
        function: The identity of the function of `place`; 0 for none.
    """

    place: str = ""
    call: str = ""
    limit: str = ""
    function: int = 0


NOWHERE = Sight()


class Sights(Stacks):
    """Reads where requests are; what is the project's own is what `flasync observe` takes for it.

    Args:
        root: The project's folder, absolute and resolved.
    """

    def __init__(self, root: str) -> None:
        super().__init__(root, ())
        self._root = root
        self._known: dict[tuple[int | Point, ...], Sight] = {}

    def see(self, frames: Iterable[FrameType]) -> Sight:
        """Return where a request is.

        Args:
            frames: Those of its greenlet, innermost first.

        Runs in: any thread. A place that is new reads its source file, once.
        """
        inner: list[FrameType] = []
        own: FrameType | None = None
        for frame in frames:
            if self._is_own_code(frame):
                own = frame
                break
            inner.append(frame)
        codes = (id(frame.f_code) for frame in inner)
        key = (*codes, (id(own.f_code), own.f_lasti) if own is not None else 0)
        sight = self._known.get(key)
        if sight is None:
            if len(self._known) >= _MOST_SIGHTS:
                self._known.clear()
            sight = self._known[key] = self._try_to_describe(own, inner)
        return sight

    def _is_own_code(self, frame: FrameType) -> bool:
        known = self._are_own.get(id(frame.f_code))
        return self._learn(frame) if known is None else known

    def _is_own(self, filename: str) -> bool:
        """Whether a file is the project's; flasync is not, wherever it is installed."""
        return super()._is_own(filename) and not _is_of_flasync(filename)

    def _try_to_describe(self, own: FrameType | None, inner: list[FrameType]) -> Sight:
        try:
            return self._describe(own, inner)
        except Exception:  # it looks at objects of the app, in the middle of a request
            return NOWHERE

    def _describe(self, own: FrameType | None, inner: list[FrameType]) -> Sight:
        functions = [
            f"{frame.f_globals.get('__name__')}:{frame.f_code.co_qualname}" for frame in inner
        ]
        if own is None:
            foreign = (frame for frame in inner if not _is_of_flasync(frame.f_code.co_filename))
            call = next(map(name_function, foreign), "")
            return Sight("", call, find_limit(functions, call))
        number = id(own.f_code)
        point = self.describe((number, own.f_lasti))
        call = name_call(own) or (name_function(inner[-1]) if inner else "")
        place = f"{os.path.relpath(point['file'], self._root)}:{point['line']}"
        return Sight(place, call, find_limit(functions, call), number)


def _is_of_flasync(filename: str) -> bool:
    return os.path.realpath(filename).startswith(_FLASYNC)


def list_frames(frame: FrameType | None) -> list[FrameType]:
    """Return the frames of the request greenlet that runs in a thread, innermost first.

    Args:
        frame: The innermost frame of the thread.

    Returns:
        An empty list if none runs: the thread is on its way into it, or out of it.
    """
    frames: list[FrameType] = []
    while frame is not None:
        if frame.f_code is _BASE:
            return frames
        frames.append(frame)
        frame = frame.f_back
    return []
