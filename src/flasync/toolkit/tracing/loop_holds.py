"""Where a request holds the loop: its stack is looked at from a thread, as long as it runs."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from time import perf_counter
from types import FrameType

from flasync.toolkit.tracing.places import Places, Spot

# Seconds between two looks.
_PAUSE_S = 0.005


class LoopHolds:
    """Watches the stretches that the request runs on the loop.

    Args:
        places: Tells the project's own code.
        limit_ms: How long a stretch may be.

    Used as a context manager, in the loop's thread.
    """

    def __init__(self, places: Places, limit_ms: float) -> None:
        self.limit_ms = limit_ms
        self._places = places
        self._thread = threading.get_ident()
        self._since: float | None = None
        self._seen: Counter[Spot] = Counter()
        self._end = threading.Event()
        self._looker = threading.Thread(target=self._look_on, name="flasync-trace", daemon=True)

    def __enter__(self) -> LoopHolds:
        """Begin to look."""
        self._looker.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Look no more."""
        self._end.set()
        self._looker.join()

    def begin(self) -> None:
        """Take note that a stretch begins."""
        self._seen.clear()
        self._since = perf_counter()

    def end(self) -> tuple[float, float, Spot | None]:
        """Take note that it ends.

        Returns:
            When it began, its milliseconds, and where most of them went.
        """
        now = perf_counter()
        since, self._since = self._since or now, None
        most = Counter(dict(self._seen)).most_common(1)
        return since, (now - since) * 1000, most[0][0] if most else None

    def _look_on(self) -> None:
        while not self._end.wait(_PAUSE_S):
            since = self._since
            if since is not None:
                spot = self._find_own(sys._current_frames().get(self._thread))
                if self._since == since and spot is not None:
                    self._seen[spot] += 1

    def _find_own(self, frame: FrameType | None) -> Spot | None:
        while frame is not None:
            if self._places.is_own(frame.f_code.co_filename):
                return self._places.locate(frame)
            frame = frame.f_back
        return None
